import { OPCODE_CLOSE } from './frame-boundary.ts';

/** RFC 6455 section 7.4.1. */
export const GOING_AWAY = 1001;
/** Section 5.5: of a control frame's payload, two of them the code. */
const MOST_REASON_BYTES = 123;

/**
 * A Close frame (RFC 6455 section 5.5.1): 2 bytes of code, then the reason in UTF-8. `mask`: 4 bytes, as a client has
 * to send it; null as a server does. Throws a RangeError for a reason of more than 123 bytes and for a code that no
 * endpoint may send (section 7.4).
 */
export function encodeClose(code: number, reason: string, mask: Uint8Array | null): Buffer {
  if (!isSendable(code)) throw new RangeError(`${code} is no code to close a WebSocket with`);
  const text = Buffer.from(reason);
  if (text.length > MOST_REASON_BYTES)
    throw new RangeError(`a reason of ${text.length} bytes; ${MOST_REASON_BYTES} have room`);
  const length = 2 + text.length;
  const from = mask === null ? 2 : 6;
  const frame = Buffer.alloc(from + length);
  frame[0] = 0x80 | OPCODE_CLOSE;
  frame[1] = length | (mask === null ? 0 : 0x80);
  frame.writeUInt16BE(code, from);
  text.copy(frame, from + 2);
  if (mask !== null) {
    frame.set(mask.subarray(0, 4), 2);
    for (let at = 0; at < length; at += 1) frame[from + at]! ^= mask[at & 3]!;
  }
  return frame;
}

function isSendable(code: number): boolean {
  if (code >= 3000 && code <= 4999) return true;
  return code >= 1000 && code <= 1014 && code !== 1004 && code !== 1005 && code !== 1006;
}
