import type { Balancer, Target } from './balancer.ts';
import { eligible, haveEqualWeights } from './balancer.ts';

/**
 * Smooth weighted round robin, as in nginx (`ngx_http_upstream_get_peer`, Sysoev/Dunn 2012): each pick adds every
 * weight to its target's credit, takes the target with the most and charges it the sum. With equal weights that is
 * plain rotation, which is done without the scan.
 */
export class RoundRobin<T extends Target> implements Balancer<T> {
  readonly isTimed = false;
  #targets: T[] = [];
  #credits = new Float64Array(0);
  #sum = 0;
  #equal = true;
  #next = 0;

  update(targets: readonly T[]): void {
    const before = new Map<T, number>();
    for (let index = 0; index < this.#targets.length; index += 1) {
      before.set(this.#targets[index]!, this.#credits[index]!);
    }
    this.#targets = eligible(targets);
    this.#credits = Float64Array.from(this.#targets, (target) => before.get(target) ?? 0);
    this.#sum = this.#targets.reduce((sum, target) => sum + target.weight, 0);
    this.#equal = haveEqualWeights(this.#targets);
    if (this.#next >= this.#targets.length) this.#next = 0;
  }

  pick(avoid: readonly T[] | null): T | null {
    const picked = this.#equal ? this.#rotate() : this.#smooth();
    if (picked === null || avoid === null || !avoid.includes(picked)) return picked;
    for (let turn = 0; turn < this.#targets.length; turn += 1) {
      const other = this.#rotate()!;
      if (!avoid.includes(other)) return other;
    }
    return picked;
  }

  observe(): void {}

  #rotate(): T | null {
    const count = this.#targets.length;
    if (count === 0) return null;
    const index = this.#next;
    this.#next = index + 1 === count ? 0 : index + 1;
    return this.#targets[index]!;
  }

  #smooth(): T | null {
    const targets = this.#targets;
    const credits = this.#credits;
    let best = -1;
    let most = Number.NEGATIVE_INFINITY;
    for (let index = 0; index < targets.length; index += 1) {
      const credit = credits[index]! + targets[index]!.weight;
      credits[index] = credit;
      if (credit > most) {
        most = credit;
        best = index;
      }
    }
    if (best === -1) return null;
    credits[best]! -= this.#sum;
    return targets[best]!;
  }
}
