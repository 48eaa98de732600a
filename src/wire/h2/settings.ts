import type { Http2Local } from './connection-owner.ts';
import {
  DEFAULT_WINDOW_BYTES,
  LEAST_MAX_FRAME_BYTES,
  MOST_31_BITS,
  MOST_MAX_FRAME_BYTES,
  read32,
} from './frame.ts';
import type { Http2Fault } from './http2-fault.ts';

/** Identifiers (RFC 9113 section 6.5.2, RFC 8441 section 3). */
export const SETTING = {
  HEADER_TABLE_SIZE: 0x1,
  ENABLE_PUSH: 0x2,
  MAX_CONCURRENT_STREAMS: 0x3,
  INITIAL_WINDOW_SIZE: 0x4,
  MAX_FRAME_SIZE: 0x5,
  MAX_HEADER_LIST_SIZE: 0x6,
  ENABLE_CONNECT_PROTOCOL: 0x8,
} as const;

export const DEFAULT_HEADER_TABLE_BYTES = 4096;

export type Http2Role = 'server' | 'client';

/** What this side tells the peer: identifiers and values by turns. */
export function localSettings(local: Http2Local, role: Http2Role): number[] {
  const entries: number[] = [];
  if (role === 'client') entries.push(SETTING.ENABLE_PUSH, 0);
  else entries.push(SETTING.MAX_CONCURRENT_STREAMS, local.maxConcurrentStreams);
  entries.push(SETTING.INITIAL_WINDOW_SIZE, local.streamWindowBytes);
  entries.push(SETTING.MAX_HEADER_LIST_SIZE, local.heads.limits.headerBytes);
  if (local.connectProtocol && role === 'server') entries.push(SETTING.ENABLE_CONNECT_PROTOCOL, 1);
  return entries;
}

/** What the peer has told us; until then what the RFC says. */
export class PeerSettings {
  headerTableBytes = DEFAULT_HEADER_TABLE_BYTES;
  maxConcurrentStreams = MOST_31_BITS;
  initialWindowBytes = DEFAULT_WINDOW_BYTES;
  maxFrameBytes = LEAST_MAX_FRAME_BYTES;
  maxHeaderListBytes = MOST_31_BITS;
  /** Extended CONNECT may be sent (RFC 8441). */
  connectProtocol = false;

  /** One entry of six bytes; `role` is ours. */
  take(bytes: Uint8Array, at: number, role: Http2Role): Http2Fault | null {
    const value = read32(bytes, at + 2);
    switch ((bytes[at]! << 8) | bytes[at + 1]!) {
      case SETTING.HEADER_TABLE_SIZE:
        this.headerTableBytes = value;
        return null;
      case SETTING.ENABLE_PUSH:
        // A server may not say that it takes pushes.
        return value > (role === 'server' ? 1 : 0) ? 'invalid_setting' : null;
      case SETTING.MAX_CONCURRENT_STREAMS:
        this.maxConcurrentStreams = value;
        return null;
      case SETTING.INITIAL_WINDOW_SIZE:
        if (value > MOST_31_BITS) return 'invalid_initial_window';
        this.initialWindowBytes = value;
        return null;
      case SETTING.MAX_FRAME_SIZE:
        if (value < LEAST_MAX_FRAME_BYTES || value > MOST_MAX_FRAME_BYTES) return 'invalid_setting';
        this.maxFrameBytes = value;
        return null;
      case SETTING.MAX_HEADER_LIST_SIZE:
        this.maxHeaderListBytes = value;
        return null;
      case SETTING.ENABLE_CONNECT_PROTOCOL:
        // It cannot be taken back (RFC 8441 section 3).
        if (value > 1 || (value === 0 && this.connectProtocol)) return 'invalid_setting';
        this.connectProtocol = value === 1;
        return null;
      default:
        return null;
    }
  }
}
