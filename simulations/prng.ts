/**
 * Seeded pseudo-random numbers: sfc32 (Chris Doty-Humphrey, PractRand), its state hashed from the seed's text.
 * A part of the simulation takes its own generator by name, so that one more draw in one part changes no other.
 */
export class Prng {
  readonly seed: string;
  #a: number;
  #b: number;
  #c: number;
  #counter = 1;

  constructor(seed: string) {
    this.seed = seed;
    this.#a = fnv1a(`${seed}:a`);
    this.#b = fnv1a(`${seed}:b`);
    this.#c = fnv1a(`${seed}:c`);
    for (let round = 0; round < 12; round += 1) this.bits();
  }

  /** The generator of that name: the same whatever was drawn here before. */
  split(name: string): Prng {
    return new Prng(`${this.seed}/${name}`);
  }

  /** 32 bits. */
  bits(): number {
    const result = (this.#a + this.#b + this.#counter) | 0;
    this.#counter = (this.#counter + 1) | 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) | 0;
    this.#c = (((this.#c << 21) | (this.#c >>> 11)) + result) | 0;
    return result >>> 0;
  }

  /** In [0, 1). */
  next(): number {
    return this.bits() / 2 ** 32;
  }

  /** A whole number in [0, limit). */
  below(limit: number): number {
    return Math.floor(this.next() * limit);
  }

  /** In [from, to), with fractions. */
  between(from: number, to: number): number {
    return from + this.next() * (to - from);
  }

  chance(probability: number): boolean {
    return this.next() < probability;
  }

  pick<T>(list: readonly T[]): T {
    const value = list[this.below(list.length)];
    if (value === undefined) throw new Error('nothing to pick from');
    return value;
  }
}

/** FNV-1a, 32 bits. */
function fnv1a(text: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < text.length; index += 1)
    hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
  return hash | 0;
}
