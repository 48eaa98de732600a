import type { Xoshiro128 } from '../xoshiro128.ts';
import type { Balancer, Outcome, TimedTarget } from './balancer.ts';
import { WeightedDraw } from './weighted-draw.ts';

/** Time after which a sample counts a third (1/e); Finagle's and Linkerd's default. */
export const DECAY_MS = 10_000;
/** Of a target that is being asked for the first time: more than any latency. */
const UNKNOWN_MS = 1e9;
/** What the clock, which is read once a batch, cannot tell from nothing; at nothing the load would not count. */
const LEAST_MS = 0.01;
const LEAST_FAILURE_MS = 10;
const MOST_FAILURE_MS = 10_000;

/**
 * Peak EWMA (Finagle's `com.twitter.finagle.loadbalancer.PeakEwma`; Linkerd's `balancer-p2c`): the cheaper of two
 * targets drawn by weight, where the cost is
 *
 *     latency × (1 + requests under way ÷ relative weight)
 *
 * The latency, from the request to the head of its answer, jumps to a slower sample at once and follows faster ones as
 * an exponentially weighted average over the time between them. While nothing is under way it decays, so that a target
 * that was slow is asked again some time; while that one request is under way the old figure counts in full, so that it
 * stays one. A target that has never answered costs nothing until it is asked, and then more than all others: each is
 * probed once and none is flooded.
 *
 * With few targets and little load it is the latency that decides and not the weight: both drawn are compared as equals
 * until requests are under way.
 */
export class PeakEwma<T extends TimedTarget> implements Balancer<T> {
  readonly isTimed = true;
  readonly #draw: WeightedDraw<T>;
  readonly #clock: { readonly time: number };

  /** `clock`: ms of the monotonic clock, as of now. */
  constructor(random: Xoshiro128, clock: { readonly time: number }) {
    this.#draw = new WeightedDraw(random);
    this.#clock = clock;
  }

  update(targets: readonly T[]): void {
    this.#draw.update(targets);
  }

  pick(avoid: readonly T[] | null): T | null {
    const first = this.#draw.one(avoid);
    if (first === null || this.#draw.count === 1) return first;
    const second = this.#draw.other(first, avoid);
    return this.#cost(second) < this.#cost(first) ? second : first;
  }

  observe(target: T, milliseconds: number, outcome: Outcome): void {
    const now = this.#clock.time;
    const before = target.latencyMs;
    const sample = Math.max(outcome === 'failed' ? failureMs(before) : LEAST_MS, milliseconds);
    // It would have taken at least that long.
    if (outcome === 'given-up' && sample <= before) return;
    if (before >= 0 && sample <= before) {
      const kept = Math.exp((target.latencyAt - now) / DECAY_MS);
      target.latencyMs = before * kept + sample * (1 - kept);
    } else target.latencyMs = sample;
    target.latencyAt = now;
  }

  #cost(target: T): number {
    const { load, latencyMs } = target;
    if (latencyMs < 0) return load === 0 ? 0 : UNKNOWN_MS * (1 + load);
    if (load === 0) return latencyMs * Math.exp((target.latencyAt - this.#clock.time) / DECAY_MS);
    return latencyMs * (1 + (load * this.#draw.meanWeight) / target.weight);
  }
}

/** To fail fast is no virtue: each failure in a row counts double, from the first one on. */
function failureMs(before: number): number {
  return Math.min(MOST_FAILURE_MS, Math.max(LEAST_FAILURE_MS, 2 * before));
}
