import type { EndpointState } from '../upstream/endpoint-state.ts';

const MOST_ATTEMPTS = 3;

/** What has been tried for one request. */
export class Attempts {
  /** Endpoints that have failed for it. */
  tried: EndpointState[] | null = null;
  #made = 0;
  #stale = 0;

  reset(): void {
    this.tried = null;
    this.#made = 0;
    this.#stale = 0;
  }

  begin(): void {
    this.#made += 1;
  }

  avoid(endpoint: EndpointState): void {
    this.tried = this.tried === null ? [endpoint] : [...this.tried, endpoint];
  }

  /** No connection came about: nothing can have been processed. */
  get mayConnectAgain(): boolean {
    return this.#made < MOST_ATTEMPTS;
  }

  /** A kept connection turned out to be dead. Counts it. */
  mayLeaveStale(): boolean {
    if (this.#stale >= MOST_ATTEMPTS) return false;
    this.#stale += 1;
    return true;
  }
}
