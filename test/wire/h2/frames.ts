import { FRAME } from '../../../src/wire/h2/frame.ts';

/** A frame, written and read by hand: nothing of the engine's own codec. */
export interface Frame {
  readonly type: number;
  readonly flags: number;
  readonly id: number;
  readonly payload: Buffer;
}

export function frame(type: number, flags: number, id: number, payload: Buffer = Buffer.alloc(0)): Buffer {
  const header = Buffer.alloc(9);
  header.writeUIntBE(payload.length, 0, 3);
  header[3] = type;
  header[4] = flags;
  header.writeUInt32BE(id, 5);
  return Buffer.concat([header, payload]);
}

/** Frames of `bytes`; what is left of one that is not whole stays out. */
export function framesOf(bytes: Buffer): Frame[] {
  const found: Frame[] = [];
  let at = 0;
  while (bytes.length - at >= 9) {
    const length = bytes.readUIntBE(at, 3);
    if (bytes.length - at < 9 + length) break;
    found.push({
      type: bytes[at + 3]!,
      flags: bytes[at + 4]!,
      id: bytes.readUInt32BE(at + 5),
      payload: bytes.subarray(at + 9, at + 9 + length),
    });
    at += 9 + length;
  }
  return found;
}

export function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

export const PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');
/** `:method: GET`, `:scheme: http`, `:path: /`, `:authority: a`, by the static table and a literal without Huffman. */
export const GET = Buffer.from([0x82, 0x86, 0x84, 0x41, 0x01, 0x61]);
export const POST = Buffer.from([0x83, 0x86, 0x84, 0x41, 0x01, 0x61]);
/** `:status: 200`. */
export const OK = Buffer.from([0x88]);
/** `:status: 100`. */
export const CONTINUE = Buffer.from([0x08, 0x03, 0x31, 0x30, 0x30]);

/** A literal field without indexing and without Huffman; both shorter than 127 bytes. */
export function field(name: string, value: string): Buffer {
  return Buffer.concat([
    Buffer.from([0, name.length]),
    Buffer.from(name, 'latin1'),
    Buffer.from([value.length]),
    Buffer.from(value, 'latin1'),
  ]);
}

export const END_STREAM = 1;
export const ACK = 1;
export const END_HEADERS = 4;
export const PADDED = 8;
export const WITH_PRIORITY = 32;

export function headers(id: number, flags: number, ...block: Buffer[]): Buffer {
  return frame(FRAME.HEADERS, flags, id, Buffer.concat(block));
}

export function get(id: number): Buffer {
  return headers(id, END_HEADERS | END_STREAM, GET);
}

/** A request whose body follows. */
export function post(id: number, ...fields: Buffer[]): Buffer {
  return headers(id, END_HEADERS, POST, ...fields);
}

export function data(id: number, flags: number, payload: Buffer | string): Buffer {
  return frame(FRAME.DATA, flags, id, Buffer.from(payload));
}

export function reset(id: number, code: number): Buffer {
  return frame(FRAME.RST_STREAM, 0, id, uint32(code));
}

export function windowUpdate(id: number, bytes: number): Buffer {
  return frame(FRAME.WINDOW_UPDATE, 0, id, uint32(bytes));
}

export function ping(payload = '12345678', flags = 0): Buffer {
  return frame(FRAME.PING, flags, 0, Buffer.from(payload));
}

export function goAway(last: number, code: number): Buffer {
  return frame(FRAME.GOAWAY, 0, 0, Buffer.concat([uint32(last), uint32(code)]));
}

/** Identifier and value by turns. */
export function settings(...entries: number[]): Buffer {
  const payload = Buffer.alloc(entries.length * 3);
  for (let at = 0; at < entries.length; at += 2) {
    payload.writeUInt16BE(entries[at]!, at * 3);
    payload.writeUInt32BE(entries[at + 1]!, at * 3 + 2);
  }
  return frame(FRAME.SETTINGS, 0, 0, payload);
}

export const SETTINGS_ACK = frame(FRAME.SETTINGS, ACK, 0);
