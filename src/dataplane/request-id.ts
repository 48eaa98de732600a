import type { MessageWriter } from '../wire/http1/writer.ts';
import type { Xoshiro128 } from './xoshiro128.ts';

const DIGITS = Uint8Array.from(Buffer.from('0123456789abcdef'));

/** Ids of 128 random bits: unique, not secret. */
export class RequestIds {
  readonly #random: Xoshiro128;

  constructor(random: Xoshiro128) {
    this.#random = random;
  }

  /** Appends 32 hexadecimal digits. */
  write(writer: MessageWriter): void {
    const block = writer.block;
    let to = writer.length;
    for (let word = 0; word < 4; word += 1) {
      let bits = this.#random.bits();
      for (let digit = 0; digit < 8; digit += 1) {
        block[to++] = DIGITS[bits & 15]!;
        bits >>>= 4;
      }
    }
    writer.length = to;
  }
}

/** An id that a client may give: 8 to 64 characters that need no escape anywhere. */
export function isSaneRequestId(bytes: Uint8Array, start: number, end: number): boolean {
  const length = end - start;
  if (length < 8 || length > 64) return false;
  for (let at = start; at < end; at += 1) {
    const byte = bytes[at]!;
    const sane =
      (byte >= 48 && byte <= 57) ||
      (byte >= 65 && byte <= 90) ||
      (byte >= 97 && byte <= 122) ||
      byte === 45 ||
      byte === 46 ||
      byte === 95;
    if (!sane) return false;
  }
  return true;
}
