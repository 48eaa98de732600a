import type { Filter } from '../model/filter.ts';
import type { RetryPolicy, RouteRule } from '../model/route.ts';
import type { StatusCounters } from './counters.ts';
import type { FilterPlan } from './filters/filter-plan.ts';
import { planFilters } from './filters/filter-plan.ts';
import type { ServedListener } from './served-listener.ts';
import type { ClusterPool } from './upstream/cluster-pool.ts';

export interface WeightedPool {
  readonly pool: ClusterPool;
  readonly weight: number;
}

export interface MirrorPool {
  readonly pool: ClusterPool;
  /** 0 to 1. */
  readonly share: number;
}

/** Policies that hold at one moment; `generation` changes with any of them. */
export interface PolicyView {
  readonly generation: number;
  /** In order of effect: the gateway's, then the route's. */
  filters(gateway: string, route: string): readonly Filter[];
}

/** A rule of a route as one listener serves it. */
export class ServedRule {
  readonly route: string;
  readonly listener: ServedListener;
  readonly requestTimeoutMs: number;
  readonly backendTimeoutMs: number;
  readonly retry: RetryPolicy | null;
  readonly mirrors: readonly MirrorPool[];
  /** The request is kept, as far as it fits into its block, until it is known that it is not needed again. */
  readonly keepsRequest: boolean;
  /** -1: the listener's. */
  readonly bodyBytes: number;
  readonly grpcWeb: boolean;
  readonly counters: StatusCounters;
  #policies: PolicyView;
  readonly #filters: readonly Filter[];
  readonly #pools: readonly WeightedPool[];
  readonly #credits: Float64Array;
  readonly #sum: number;
  #plan: FilterPlan | null = null;
  #generation = -1;

  constructor(
    route: string,
    listener: ServedListener,
    rule: RouteRule,
    pools: readonly WeightedPool[],
    mirrors: readonly MirrorPool[],
    counters: StatusCounters,
    policies: PolicyView,
  ) {
    this.route = route;
    this.listener = listener;
    this.requestTimeoutMs = rule.requestTimeoutMs;
    this.backendTimeoutMs = rule.backendTimeoutMs;
    this.retry = rule.retry;
    this.mirrors = mirrors.filter(({ share }) => share > 0);
    this.keepsRequest = this.retry !== null || this.mirrors.length > 0;
    this.bodyBytes = rule.bodyBytes;
    this.grpcWeb = rule.grpcWeb;
    this.counters = counters;
    this.#policies = policies;
    this.#filters = rule.filters;
    this.#pools = pools.filter((weighted) => weighted.weight > 0);
    this.#credits = new Float64Array(this.#pools.length);
    this.#sum = this.#pools.reduce((sum, weighted) => sum + weighted.weight, 0);
  }

  /** Merged when a request first needs it after a policy has changed. */
  plan(): FilterPlan {
    if (this.#generation !== this.#policies.generation) {
      this.#generation = this.#policies.generation;
      this.#plan = planFilters([
        ...this.#policies.filters(this.listener.config.gateway, this.route),
        ...this.#filters,
      ]);
    }
    return this.#plan!;
  }

  /** From now on later policies do not matter. */
  freeze(): void {
    this.plan();
    this.#policies = { generation: this.#generation, filters: () => [] };
  }

  /**
   * How long a backend may take until its answer begins, in ms; 0 is for ever. The rule's limit for the whole request,
   * where it has one, takes the place of the default.
   */
  backendTimeout(byDefault: number): number {
    if (this.backendTimeoutMs > 0) return this.backendTimeoutMs;
    return this.requestTimeoutMs > 0 ? 0 : byDefault;
  }

  get pools(): readonly WeightedPool[] {
    return this.#pools;
  }

  /** The next cluster by weight, smooth as in RoundRobin; null where the rule has none with weight. */
  nextPool(): ClusterPool | null {
    const pools = this.#pools;
    if (pools.length === 1) return pools[0]!.pool;
    let best = -1;
    let most = Number.NEGATIVE_INFINITY;
    for (let index = 0; index < pools.length; index += 1) {
      const credit = this.#credits[index]! + pools[index]!.weight;
      this.#credits[index] = credit;
      if (credit > most) {
        most = credit;
        best = index;
      }
    }
    if (best === -1) return null;
    this.#credits[best]! -= this.#sum;
    return pools[best]!.pool;
  }
}
