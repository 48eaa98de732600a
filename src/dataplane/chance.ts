const DRAWS = 128;

/** Random numbers for decisions, not for secrets; asked of the system some at a time. */
export class Chance {
  readonly #randomBits: (target: Uint32Array<ArrayBuffer>) => void;
  readonly #drawn = new Uint32Array(DRAWS);
  #left = 0;

  constructor(randomBits: (target: Uint32Array<ArrayBuffer>) => void) {
    this.#randomBits = randomBits;
  }

  /** At least 0 and less than 1, in steps of 2^-32. */
  next(): number {
    if (this.#left === 0) {
      this.#randomBits(this.#drawn);
      this.#left = DRAWS;
    }
    this.#left -= 1;
    return this.#drawn[this.#left]! / 4_294_967_296;
  }
}
