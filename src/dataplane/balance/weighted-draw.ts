import type { Xoshiro128 } from '../xoshiro128.ts';
import { AliasTable } from './alias-table.ts';
import type { Target } from './balancer.ts';
import { eligible, haveEqualWeights } from './balancer.ts';

/** Draws before one is taken that is merely next to a drawn one: with very unequal weights the same comes often. */
const MOST_DRAWS = 4;

/** The eligible targets of a cluster, drawn by weight. */
export class WeightedDraw<T extends Target> {
  readonly #random: Xoshiro128;
  #targets: readonly T[] = [];
  #table: AliasTable | null = null;
  #meanWeight = 1;

  constructor(random: Xoshiro128) {
    this.#random = random;
  }

  update(targets: readonly T[]): void {
    this.#targets = eligible(targets);
    const weights = this.#targets.map((target) => target.weight);
    this.#table = haveEqualWeights(this.#targets) ? null : new AliasTable(weights);
    this.#meanWeight = weights.reduce((sum, weight) => sum + weight, 0) / weights.length;
  }

  get count(): number {
    return this.#targets.length;
  }

  /** Of the eligible targets; where there are any. */
  get meanWeight(): number {
    return this.#meanWeight;
  }

  /** One by weight; `avoid` is passed over where others are left. Null where there is none. */
  one(avoid: readonly T[] | null): T | null {
    const targets = this.#targets;
    if (targets.length === 0) return null;
    let index = this.#draw();
    if (avoid === null) return targets[index]!;
    for (let draws = 1; draws < MOST_DRAWS && avoid.includes(targets[index]!); draws += 1)
      index = this.#draw();
    return this.#from(index, avoid, null);
  }

  /** Another one than `first` by weight; `first` where there is no other that is not to be avoided. */
  other(first: T, avoid: readonly T[] | null): T {
    const targets = this.#targets;
    let index = this.#draw();
    for (let draws = 1; draws < MOST_DRAWS && targets[index] === first; draws += 1) index = this.#draw();
    if (avoid === null && targets[index] !== first) return targets[index]!;
    return this.#from(index, avoid, first);
  }

  #draw(): number {
    return this.#table === null ? this.#random.below(this.#targets.length) : this.#table.draw(this.#random);
  }

  /** The first one from `index` on that is neither `first` nor to be avoided. */
  #from(index: number, avoid: readonly T[] | null, first: T | null): T {
    const targets = this.#targets;
    for (let step = 0; step < targets.length; step += 1) {
      const target = targets[(index + step) % targets.length]!;
      if (target !== first && avoid?.includes(target) !== true) return target;
    }
    return first ?? targets[index]!;
  }
}
