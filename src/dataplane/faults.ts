import type { DataplaneNotification } from './control.ts';

const QUIET_MS = 1000;

/**
 * Exceptions that nobody foresaw, caught where the runtime calls into the data plane: each socket event, each timer,
 * each accepted connection, and where one request hands a connection to another. Only the connection that was being
 * worked on is lost. At most one notification a second, with the number of those between.
 */
export class Faults {
  readonly #now: () => number;
  readonly #notify: (notification: DataplaneNotification) => void;
  #saidAt = Number.NEGATIVE_INFINITY;
  #unsaid = 0;
  #last: unknown = null;

  constructor(now: () => number, notify: (notification: DataplaneNotification) => void) {
    this.#now = now;
    this.#notify = notify;
  }

  /** Never throws. */
  report(error: unknown): void {
    this.#unsaid += 1;
    this.#last = error;
    this.flush();
  }

  /** Says what was held back, once enough time has passed. */
  flush(): void {
    if (this.#unsaid === 0) return;
    const now = this.#now();
    if (now - this.#saidAt < QUIET_MS) return;
    this.#saidAt = now;
    const count = this.#unsaid;
    const error = this.#last;
    this.#unsaid = 0;
    this.#last = null;
    const message = error instanceof Error ? error.message : String(error);
    const stack = error instanceof Error ? (error.stack ?? '') : '';
    try {
      this.#notify({ type: 'fault', message, stack, count });
    } catch {
      // Whoever should hear of it is out of order itself; the traffic goes on.
    }
  }
}
