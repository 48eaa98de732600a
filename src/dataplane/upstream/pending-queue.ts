import type { Cluster } from '../../model/cluster.ts';
import { LIMIT_PENDING } from '../../model/limits.ts';
import type { ResponseReason } from '../../model/response-reason.ts';
import type { Context } from '../context.ts';
import type { ClusterCounters } from './cluster-counters.ts';
import type { LimitWatch } from './limit-watch.ts';
import type { UpstreamUser } from './upstream-user.ts';

interface Waiting {
  readonly user: UpstreamUser;
  /** In the shared limits, where it counts; -1: it does not. */
  readonly slot: number;
}

/** Requests that wait for a connection, first come first served. Its length is bounded by the cluster's limit. */
export class PendingQueue {
  readonly #context: Context;
  readonly #counters: ClusterCounters;
  readonly #limits: LimitWatch;
  readonly #waiting: Waiting[] = [];

  constructor(context: Context, counters: ClusterCounters, limits: LimitWatch) {
    this.#context = context;
    this.#counters = counters;
    this.#limits = limits;
  }

  get length(): number {
    return this.#waiting.length;
  }

  get first(): UpstreamUser | null {
    return this.#waiting[0]?.user ?? null;
  }

  /** Why it may not wait, or null. `slot` -1: the cluster is committed, but its actor has not opened it yet. */
  wait(user: UpstreamUser, slot: number, { maxPendingRequests }: Cluster): ResponseReason | null {
    if (slot === -1) {
      if (this.#waiting.length >= maxPendingRequests) return 'pending_limit';
    } else if (!this.#context.limits.take(slot, LIMIT_PENDING, maxPendingRequests)) {
      // Where nobody may wait, it is the connections that have run out.
      if (maxPendingRequests === 0) return 'connection_limit';
      this.#limits.reach('maxPendingRequests');
      return 'pending_limit';
    }
    this.#waiting.push({ user, slot });
    this.#counters.pending(this.#waiting.length);
    return null;
  }

  shift(): UpstreamUser | null {
    const first = this.#waiting.shift();
    if (first === undefined) return null;
    this.#left(first);
    return first.user;
  }

  remove(user: UpstreamUser): void {
    const at = this.#waiting.findIndex((waiting) => waiting.user === user);
    if (at === -1) return;
    const [left] = this.#waiting.splice(at, 1);
    this.#left(left!);
  }

  #left({ slot }: Waiting): void {
    if (slot !== -1) this.#context.limits.give(slot, LIMIT_PENDING);
    this.#counters.pending(this.#waiting.length);
  }
}
