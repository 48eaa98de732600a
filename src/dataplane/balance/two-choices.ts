import type { Xoshiro128 } from '../xoshiro128.ts';
import type { Balancer, BusyTarget } from './balancer.ts';
import { busyness } from './least-request.ts';
import { WeightedDraw } from './weighted-draw.ts';

/**
 * The less busy of two targets drawn by weight (Mitzenmacher, "The power of two choices in randomized load balancing",
 * 2001): nearly as even as LeastRequest at a cost that does not grow with the cluster, and without the rush of all
 * workers to the same idle target. Between equals the first one drawn has it, so that an idle cluster is shared by
 * weight.
 */
export class TwoChoices<T extends BusyTarget> implements Balancer<T> {
  readonly isTimed = false;
  readonly #draw: WeightedDraw<T>;

  constructor(random: Xoshiro128) {
    this.#draw = new WeightedDraw(random);
  }

  update(targets: readonly T[]): void {
    this.#draw.update(targets);
  }

  pick(avoid: readonly T[] | null): T | null {
    const first = this.#draw.one(avoid);
    if (first === null || this.#draw.count === 1) return first;
    const second = this.#draw.other(first, avoid);
    return busyness(second) < busyness(first) ? second : first;
  }

  observe(): void {}
}
