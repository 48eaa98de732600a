import type { MessageWriter } from '../wire/http1/writer.ts';

const DIGITS = Uint8Array.from(Buffer.from('0123456789abcdef'));

/** Ids of 128 bits from xoshiro128** (Blackman, Vigna 2018), seeded by the system: unique, not secret. */
export class RequestIds {
  readonly #state = new Uint32Array(4);

  /** `randomBits` fills an array with randomness. */
  constructor(randomBits: (target: Uint32Array<ArrayBuffer>) => void) {
    randomBits(this.#state);
    this.#state[0]! |= 1;
  }

  /** Appends 32 hexadecimal digits. */
  write(writer: MessageWriter): void {
    const block = writer.block;
    let to = writer.length;
    for (let word = 0; word < 4; word += 1) {
      let bits = this.#next();
      for (let digit = 0; digit < 8; digit += 1) {
        block[to++] = DIGITS[bits & 15]!;
        bits >>>= 4;
      }
    }
    writer.length = to;
  }

  #next(): number {
    const state = this.#state;
    const s0 = state[0]!;
    const s1 = state[1]!;
    let s2 = state[2]!;
    let s3 = state[3]!;
    const product = Math.imul(s1, 5);
    const result = Math.imul((product << 7) | (product >>> 25), 9);
    s2 ^= s0;
    s3 ^= s1;
    state[1] = s1 ^ s2;
    state[0] = s0 ^ s3;
    state[2] = s2 ^ (s1 << 9);
    state[3] = (s3 << 11) | (s3 >>> 21);
    return result;
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
