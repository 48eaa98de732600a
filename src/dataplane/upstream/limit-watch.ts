import type { Cluster } from '../../model/cluster.ts';
import { LIMIT_CONNECTIONS, LIMIT_PENDING } from '../../model/limits.ts';
import type { Context } from '../context.ts';
import type { UpstreamLimit } from '../control.ts';

/**
 * Which limits of a cluster a worker has met, for its circuit breaker's actor. That one has been met is told at once;
 * that there is room again when the worker looks, with each tick. So a limit that is met and left with every request
 * makes at most two events a tick.
 */
export class LimitWatch {
  readonly #context: Context;
  readonly #cluster: string;
  readonly #reached = new Set<UpstreamLimit>();

  constructor(context: Context, cluster: string) {
    this.#context = context;
    this.#cluster = cluster;
  }

  get isReached(): boolean {
    return this.#reached.size > 0;
  }

  reach(limit: UpstreamLimit): void {
    if (this.#reached.has(limit)) return;
    this.#reached.add(limit);
    this.#context.notify({ type: 'limit.reached', cluster: this.#cluster, limit });
  }

  /** While nobody waits. `slot` in the shared limits; -1: there is none now. */
  look(slot: number, settings: Cluster): void {
    if (slot === -1) return;
    for (const limit of this.#reached) {
      const field = limit === 'maxConnections' ? LIMIT_CONNECTIONS : LIMIT_PENDING;
      const most = settings[limit];
      if (most > 0 && this.#context.limits.total(slot, field) >= most) continue;
      this.#reached.delete(limit);
      this.#context.notify({ type: 'limit.cleared', cluster: this.#cluster, limit });
    }
  }

  /** Whoever was told is gone. */
  forget(): void {
    this.#reached.clear();
  }
}
