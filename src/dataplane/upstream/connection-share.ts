import { LIMIT_CONNECTIONS } from '../../model/limits.ts';
import type { Context } from '../context.ts';
import { TICK_MS } from '../timer-wheel.ts';
import type { LimitWatch } from './limit-watch.ts';

/** How often a worker whose requests wait gives up a connection to workers whose requests wait too. */
const YIELD_EVERY_MS = 250;
/** For how long it then leaves it to them; they look with each tick. */
const YIELD_MS = 2 * TICK_MS;

/** One worker's share of the connections to a cluster, of which all workers together may have so many. */
export class ConnectionShare {
  /** In the shared limits; -1: there is none now. */
  slot = -1;
  most = 0;
  readonly #context: Context;
  readonly #limits: LimitWatch;
  #yieldedAt = Number.NEGATIVE_INFINITY;

  constructor(context: Context, limits: LimitWatch) {
    this.#context = context;
    this.#limits = limits;
  }

  /** Room for one more, for a request that needs it. */
  take(): boolean {
    const { limits, time } = this.#context;
    if (time < this.#yieldedAt + YIELD_MS && limits.othersWait(this.slot)) return false;
    if (limits.take(this.slot, LIMIT_CONNECTIONS, this.most)) return true;
    this.#limits.reach('maxConnections');
    return false;
  }

  /** Room for one more of `most` that can be done without. */
  takeSpare(most: number): boolean {
    const { limits } = this.#context;
    return !limits.othersWait(this.slot) && limits.take(this.slot, LIMIT_CONNECTIONS, most);
  }

  /** `slot`: where it was taken. */
  give(slot: number): void {
    this.#context.limits.give(slot, LIMIT_CONNECTIONS);
  }

  /** Requests of other workers wait, and there is no room for another connection. */
  get othersWait(): boolean {
    const { limits } = this.#context;
    return this.slot !== -1 && limits.othersWait(this.slot) && !limits.connectionsLeft(this.slot, this.most);
  }

  /** Whether a free connection is given up for them: at once, or now and then where requests wait here too. */
  yields(oursWait: boolean): boolean {
    if (!this.othersWait) return false;
    if (!oursWait) return true;
    const { time } = this.#context;
    if (time < this.#yieldedAt + YIELD_EVERY_MS) return false;
    this.#yieldedAt = time;
    return true;
  }
}
