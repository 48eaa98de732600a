import type { EndpointState } from './endpoint-state.ts';

const BACKOFF = { baseMs: 100, mostMs: 10_000 };
/** Where the limits leave no room now. */
const FULL_MS = 500;

/** What there is to know of a connection when it has gone. */
export interface ClosedConnection {
  readonly endpoint: EndpointState;
  /** In the shared limits. */
  readonly slot: number;
  /** That it has been used for. */
  readonly requests: number;
  readonly openedAt: number;
}

/** What the keeper asks of its pool. */
export interface WarmPool {
  readonly endpoints: ReadonlyMap<string, EndpointState>;
  /** A connection for no request. False: the limits leave no room for one. */
  openWarm(endpoint: EndpointState): boolean;
}

/**
 * Keeps so many connections to each endpoint that is ready and not ejected, whether they work or not: one more with
 * each tick until there are enough. One that ends without ever having had a request is made again with a back-off
 * that doubles, up to ten seconds; where it had one, at once.
 */
export class WarmConnections {
  count = 0;
  readonly #pool: WarmPool;
  #dueAt = Number.POSITIVE_INFINITY;

  constructor(pool: WarmPool) {
    this.#pool = pool;
  }

  configure(count: number): void {
    this.count = count;
    this.wake();
  }

  /** Something has changed. */
  wake(): void {
    if (this.count > 0) this.#dueAt = 0;
  }

  isDue(now: number): boolean {
    return this.#dueAt <= now;
  }

  closed(connection: ClosedConnection, now: number, chance: number): void {
    const { endpoint } = connection;
    if (connection.requests > 0) endpoint.warmFailures = 0;
    else {
      const wasSteady = now - connection.openedAt > BACKOFF.mostMs;
      endpoint.warmFailures = wasSteady ? 1 : endpoint.warmFailures + 1;
      const whole = Math.min(BACKOFF.baseMs * 2 ** (endpoint.warmFailures - 1), BACKOFF.mostMs);
      endpoint.warmNotBefore = now + (whole * (1 + chance)) / 2;
    }
    this.wake();
  }

  tick(now: number): void {
    this.#dueAt = Number.POSITIVE_INFINITY;
    if (this.count === 0) return;
    for (const endpoint of this.#pool.endpoints.values()) {
      const { config, ejected } = endpoint;
      if (!config.ready || config.weight === 0 || ejected || endpoint.open >= this.count) continue;
      if (endpoint.warmNotBefore > now) this.#dueAt = Math.min(this.#dueAt, endpoint.warmNotBefore);
      else if (!this.#pool.openWarm(endpoint)) this.#dueAt = Math.min(this.#dueAt, now + FULL_MS);
      else if (endpoint.open < this.count) this.#dueAt = 0;
    }
  }
}
