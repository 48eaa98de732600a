import type { Balancer, BusyTarget } from './balancer.ts';
import { eligible, haveEqualWeights } from './balancer.ts';

/**
 * The target with the fewest requests under way for its weight, over all of them: nginx's least_conn
 * (`ngx_http_upstream_get_least_conn_peer`), with the measure of HAProxy's leastconn (`fwlc_get_key`), see `busyness`.
 * Among equals it goes round by weight, as RoundRobin does.
 */
export class LeastRequest<T extends BusyTarget> implements Balancer<T> {
  readonly isTimed = false;
  #targets: T[] = [];
  #scores = new Float64Array(0);
  #credits = new Float64Array(0);
  #equal = true;
  /** Where the next search begins, with equal weights. */
  #next = 0;

  update(targets: readonly T[]): void {
    const before = new Map(this.#targets.map((target, index) => [target, this.#credits[index]!]));
    this.#targets = eligible(targets);
    this.#scores = new Float64Array(this.#targets.length);
    this.#credits = Float64Array.from(this.#targets, (target) => before.get(target) ?? 0);
    this.#equal = haveEqualWeights(this.#targets);
    if (this.#next >= this.#targets.length) this.#next = 0;
  }

  pick(avoid: readonly T[] | null): T | null {
    if (this.#targets.length === 0) return null;
    let least = this.#score(avoid);
    // All have been tried.
    if (least === Number.POSITIVE_INFINITY) least = this.#score(null);
    return this.#equal ? this.#rotate(least) : this.#smooth(least);
  }

  observe(): void {}

  #score(avoid: readonly T[] | null): number {
    const targets = this.#targets;
    const scores = this.#scores;
    let least = Number.POSITIVE_INFINITY;
    for (let index = 0; index < targets.length; index += 1) {
      const target = targets[index]!;
      const score = avoid?.includes(target) === true ? Number.POSITIVE_INFINITY : busyness(target);
      scores[index] = score;
      if (score < least) least = score;
    }
    return least;
  }

  #rotate(least: number): T {
    const scores = this.#scores;
    let index = this.#next;
    while (scores[index] !== least) index = index + 1 === scores.length ? 0 : index + 1;
    this.#next = index + 1 === scores.length ? 0 : index + 1;
    return this.#targets[index]!;
  }

  #smooth(least: number): T {
    const targets = this.#targets;
    const credits = this.#credits;
    let best = -1;
    let most = Number.NEGATIVE_INFINITY;
    let sum = 0;
    for (let index = 0; index < targets.length; index += 1) {
      if (this.#scores[index] !== least) continue;
      const { weight } = targets[index]!;
      const credit = credits[index]! + weight;
      credits[index] = credit;
      sum += weight;
      if (credit > most) {
        most = credit;
        best = index;
      }
    }
    credits[best]! -= sum;
    return targets[best]!;
  }
}

/**
 * How busy a target would be with one more request, for its weight. One that has nothing to do is not busy, whatever
 * its weight: without that, light ones would get nothing as long as requests come one at a time.
 */
export function busyness(target: BusyTarget): number {
  const { load } = target;
  return load === 0 ? 0 : (load + 1) / target.weight;
}
