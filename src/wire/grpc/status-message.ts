import { HEX } from '../http1/characters.ts';

const PERCENT = 0x25;
/** In HEX. */
const NO_DIGIT = 255;

/**
 * `grpc-message` (gRPC over HTTP/2, Responses): UTF-8 of which each byte but SP to `~` without `%` is written as
 * `%` and two digits.
 */
export function encodeStatusMessage(text: string): string {
  if (/^[ -$&-~]*$/.test(text)) return text;
  let encoded = '';
  for (const byte of Buffer.from(text, 'utf8'))
    encoded +=
      byte >= 0x20 && byte <= 0x7e && byte !== PERCENT
        ? String.fromCharCode(byte)
        : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
  return encoded;
}

/** Never fails: what is no escape is left as it is, as the specification asks for. */
export function decodeStatusMessage(encoded: string): string {
  if (!encoded.includes('%')) return encoded;
  const bytes = Buffer.from(encoded, 'utf8');
  let length = 0;
  for (let at = 0; at < bytes.length; length += 1) {
    const high = bytes[at] === PERCENT ? HEX[bytes[at + 1] ?? 0]! : NO_DIGIT;
    const low = HEX[bytes[at + 2] ?? 0]!;
    const isEscape = high !== NO_DIGIT && low !== NO_DIGIT;
    bytes[length] = isEscape ? high * 16 + low : bytes[at]!;
    at += isEscape ? 3 : 1;
  }
  return bytes.toString('utf8', 0, length);
}
