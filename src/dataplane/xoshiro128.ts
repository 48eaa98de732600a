/** 2^-32 */
const SCALE = 1 / 4_294_967_296;

/** xoshiro128** (Blackman, Vigna 2018), seeded by the system: fast and well spread, not secret. */
export class Xoshiro128 {
  readonly #state = new Uint32Array(4);

  /** `randomBits` fills an array with randomness. */
  constructor(randomBits: (target: Uint32Array<ArrayBuffer>) => void) {
    randomBits(this.#state);
    this.#state[0]! |= 1;
  }

  /** 32 bits, as a signed number. */
  bits(): number {
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

  /** At least 0, less than 1. */
  fraction(): number {
    return (this.bits() >>> 0) * SCALE;
  }

  /** A whole number from 0 to `most - 1`; `most` is less than 2^21, so that no value is more likely by 2^-11 than another. */
  below(most: number): number {
    return Math.floor(this.fraction() * most);
  }
}
