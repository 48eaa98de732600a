/*
 * RFC 9113 section 4.1
 *
 *    0                   1                   2                   3
 *   +-----------------------------------------------+
 *   |                 Length (24)                   |
 *   +---------------+---------------+---------------+
 *   |   Type (8)    |   Flags (8)   |
 *   +-+-------------+---------------+-------------------------------+
 *   |R|                 Stream Identifier (31)                      |
 *   +=+=============================================================+
 *   |                   Frame Payload (0...)                      ...
 */
export const FRAME_HEADER_BYTES = 9;

export const FRAME = {
  DATA: 0x0,
  HEADERS: 0x1,
  PRIORITY: 0x2,
  RST_STREAM: 0x3,
  SETTINGS: 0x4,
  PUSH_PROMISE: 0x5,
  PING: 0x6,
  GOAWAY: 0x7,
  WINDOW_UPDATE: 0x8,
  CONTINUATION: 0x9,
} as const;

export const FLAG = {
  /** Of DATA and HEADERS. */
  END_STREAM: 0x1,
  /** Of SETTINGS and PING. */
  ACK: 0x1,
  END_HEADERS: 0x4,
  PADDED: 0x8,
  PRIORITY: 0x20,
} as const;

/** What a client sends first (RFC 9113 section 3.4). */
export const PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 'latin1');

/** Of a payload, unless SETTINGS_MAX_FRAME_SIZE says otherwise; nobody may want less. */
export const LEAST_MAX_FRAME_BYTES = 16_384;
export const MOST_MAX_FRAME_BYTES = 16_777_215;
/** Of a flow-control window, and the greatest stream id. */
export const MOST_31_BITS = 0x7fff_ffff;
export const DEFAULT_WINDOW_BYTES = 65_535;

export const PRIORITY_BYTES = 5;
export const RST_STREAM_BYTES = 4;
export const WINDOW_UPDATE_BYTES = 4;
export const PING_BYTES = 8;
export const SETTING_BYTES = 6;
export const GOAWAY_BYTES = 8;

/** Without the bit that is reserved. */
export function read31(bytes: Uint8Array, at: number): number {
  return ((bytes[at]! & 0x7f) << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!;
}

export function read32(bytes: Uint8Array, at: number): number {
  return ((bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!) >>> 0;
}
