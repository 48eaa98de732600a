import type { RetryBudget as Settings } from '../../model/cluster.ts';

const SLICES = 10;

/**
 * How many requests to one cluster may be sent again, in one worker: of a window that slides in tenths, at most
 * `percent` of its requests and `minPerSecond` besides. So a backend that fails all requests gets little more than it
 * would without retries. As in Finagle (`com.twitter.finagle.service.RetryBudget`), but over a window instead of a
 * leaky bucket.
 *
 *     | 3 | 5 | 0 | 4 | …  requests and retries of each tenth; the oldest tenth is forgotten as time goes on
 */
export class RetryBudget {
  #percent = 0;
  #always = 0;
  #sliceMs = 1;
  #slice = -1;
  #requestSum = 0;
  #retrySum = 0;
  readonly #requests = new Int32Array(SLICES);
  readonly #retries = new Int32Array(SLICES);

  configure({ percent, intervalMs, minPerSecond }: Settings): void {
    this.#percent = percent;
    this.#always = (minPerSecond * intervalMs) / 1000;
    const sliceMs = Math.max(1, intervalMs / SLICES);
    if (sliceMs === this.#sliceMs) return;
    this.#sliceMs = sliceMs;
    this.#clear();
  }

  /** A request that may have to be sent again; `now` in ms of the monotonic clock. */
  request(now: number): void {
    this.#advance(now);
    this.#requests[this.#slice % SLICES]! += 1;
    this.#requestSum += 1;
  }

  /** Takes one retry; false where there is none left. */
  take(now: number): boolean {
    this.#advance(now);
    if (this.#retrySum + 1 > (this.#requestSum * this.#percent) / 100 + this.#always) return false;
    this.#retries[this.#slice % SLICES]! += 1;
    this.#retrySum += 1;
    return true;
  }

  #advance(now: number): void {
    const slice = Math.floor(now / this.#sliceMs);
    if (slice === this.#slice) return;
    if (slice - this.#slice >= SLICES || this.#slice === -1) this.#clear();
    else
      for (let passed = this.#slice + 1; passed <= slice; passed += 1) {
        const at = passed % SLICES;
        this.#requestSum -= this.#requests[at]!;
        this.#retrySum -= this.#retries[at]!;
        this.#requests[at] = 0;
        this.#retries[at] = 0;
      }
    this.#slice = slice;
  }

  #clear(): void {
    this.#requests.fill(0);
    this.#retries.fill(0);
    this.#requestSum = 0;
    this.#retrySum = 0;
    this.#slice = -1;
  }
}
