import type { Xoshiro128 } from '../xoshiro128.ts';
import type { Balancer, Target } from './balancer.ts';
import { WeightedDraw } from './weighted-draw.ts';

/** Each request for itself, by weight; see AliasTable. */
export class RandomChoice<T extends Target> implements Balancer<T> {
  readonly isTimed = false;
  readonly #draw: WeightedDraw<T>;

  constructor(random: Xoshiro128) {
    this.#draw = new WeightedDraw(random);
  }

  update(targets: readonly T[]): void {
    this.#draw.update(targets);
  }

  pick(avoid: readonly T[] | null): T | null {
    return this.#draw.one(avoid);
  }

  observe(): void {}
}
