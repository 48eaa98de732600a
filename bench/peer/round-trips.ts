import { createHistogram } from 'node:perf_hooks';

/** Counts messages that came back and how long each took. */
export class RoundTrips {
  count = 0;
  errors = 0;
  readonly #micros = createHistogram({ lowest: 1, highest: 60_000_000, figures: 3 });

  /** `sent`: of performance.now(). */
  returned(sent: number, now: number): void {
    this.count += 1;
    this.#micros.record(Math.max(1, Math.round((now - sent) * 1000)));
  }

  result(seconds: number) {
    const percentile = (share: number) => (this.count === 0 ? 0 : this.#micros.percentile(share));
    return {
      units: this.count,
      seconds,
      latency: { p50: percentile(50), p99: percentile(99), p999: percentile(99.9) },
      errors: this.errors,
    };
  }
}
