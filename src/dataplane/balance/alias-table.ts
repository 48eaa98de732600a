import type { Xoshiro128 } from '../xoshiro128.ts';

/**
 * Draws indexes by weight in constant time: the alias method (Walker 1977) with Vose's way to build the table in
 * linear time (Vose, "A linear algorithm for generating random numbers with a given distribution", 1991).
 *
 *     column       0     1     2          each column holds an n-th of all weight: its own index up to `own`,
 *                ┌───┐ ┌───┐ ┌───┐        and above it that of one that has too much
 *      alias     │ 2 │ │ 2 │ │   │
 *                ├───┤ ├───┤ │ 2 │
 *      own       │ 0 │ │ 1 │ │   │
 *                └───┘ └───┘ └───┘
 */
export class AliasTable {
  readonly #count: number;
  readonly #own: Float64Array;
  readonly #alias: Uint32Array;

  /** `weights`: above 0, at least one. */
  constructor(weights: readonly number[]) {
    const count = weights.length;
    const mean = weights.reduce((sum, weight) => sum + weight, 0) / count;
    const own = Float64Array.from(weights, (weight) => weight / mean);
    const alias = new Uint32Array(count);
    const small: number[] = [];
    const large: number[] = [];
    for (let index = 0; index < count; index += 1) (own[index]! < 1 ? small : large).push(index);
    while (small.length > 0 && large.length > 0) {
      const less = small.pop()!;
      const more = large.at(-1)!;
      alias[less] = more;
      own[more]! -= 1 - own[less]!;
      if (own[more]! < 1) small.push(large.pop()!);
    }
    // What is left is a whole column but for rounding.
    for (const index of small) own[index] = 1;
    for (const index of large) own[index] = 1;
    this.#count = count;
    this.#own = own;
    this.#alias = alias;
  }

  draw(random: Xoshiro128): number {
    const column = random.below(this.#count);
    return random.fraction() < this.#own[column]! ? column : this.#alias[column]!;
  }
}
