import type { Logger } from 'pino';
import type { ActorNotification } from './worker/notified-actor.ts';

/**
 * Logs what operators want to know of backends: once when the first worker sees it and once when the last one no
 * longer does, not once a worker and attempt.
 */
export class BackendLog {
  readonly #logger: Logger;
  /** Workers that see it, by what is seen. */
  readonly #seen = new Map<string, Set<number>>();

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  note(worker: number, notification: ActorNotification): void {
    switch (notification.type) {
      case 'endpoint.failing': {
        const { cluster, endpoint, reason } = notification;
        if (this.#first(`${cluster} ${endpoint}`, worker))
          this.#logger.warn(
            { cluster, endpoint, reason },
            `endpoint ${endpoint} of ${cluster} fails: ${reason}`,
          );
        break;
      }
      case 'endpoint.recovered': {
        const { cluster, endpoint } = notification;
        if (this.#last(`${cluster} ${endpoint}`, worker))
          this.#logger.info({ cluster, endpoint }, `endpoint ${endpoint} of ${cluster} answers again`);
        break;
      }
      case 'limit.reached': {
        const { cluster, limit } = notification;
        if (this.#first(`${cluster} ${limit}`, worker))
          this.#logger.warn(
            { cluster, limit },
            `${limit} of ${cluster} is reached: requests ${limit === 'maxConnections' ? 'wait for a connection' : 'are refused with 503'}`,
          );
        break;
      }
      case 'limit.cleared': {
        const { cluster, limit } = notification;
        if (this.#last(`${cluster} ${limit}`, worker))
          this.#logger.info({ cluster, limit }, `${cluster} is below its ${limit} again`);
        break;
      }
    }
  }

  /** A worker that is gone sees nothing any more. */
  forget(worker: number): void {
    for (const key of this.#seen.keys()) this.#last(key, worker);
  }

  #first(key: string, worker: number): boolean {
    const workers = this.#seen.get(key);
    if (workers === undefined) this.#seen.set(key, new Set([worker]));
    else workers.add(worker);
    return workers === undefined;
  }

  #last(key: string, worker: number): boolean {
    const workers = this.#seen.get(key);
    if (workers?.delete(worker) !== true || workers.size > 0) return false;
    return this.#seen.delete(key);
  }
}
