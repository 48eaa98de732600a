import type { RetryCondition, RetryPolicy } from '../../model/route.ts';
import type { Context } from '../context.ts';
import type { ClusterPool } from '../upstream/cluster-pool.ts';
import type { EndpointState } from '../upstream/endpoint-state.ts';
import { isIdempotent } from './method.ts';

/** A request that certainly was not processed is sent again without being asked to, this many times. */
const MOST_UNPROCESSED = 2;

export const NEVER = -1;

/** What has been tried for one request, and whether it is tried again. */
export class Attempts {
  /** Endpoints that have failed for it. */
  tried: EndpointState[] | null = null;
  #unprocessed = 0;
  #again = 0;

  reset(): void {
    this.tried = null;
    this.#unprocessed = 0;
    this.#again = 0;
  }

  avoid(endpoint: EndpointState): void {
    if (this.tried === null) this.tried = [endpoint];
    else if (!this.tried.includes(endpoint)) this.tried = [...this.tried, endpoint];
  }

  /** Nothing of the request can have been processed. Counts where it may be sent again. */
  unprocessed(): boolean {
    if (this.#unprocessed >= MOST_UNPROCESSED) return false;
    this.#unprocessed += 1;
    return true;
  }

  /** RFC 9110 section 9.2.2, where the user has not said that it does no harm. */
  mayRepeat(policy: RetryPolicy, method: string): boolean {
    return policy.methods === 'All' || isIdempotent(method);
  }

  /**
   * Whether the policy has the request sent again, which its method allows: after so many milliseconds, or NEVER. Not
   * where `latest` (ms of the monotonic clock) would have passed by then, or the cluster's budget is used up.
   */
  again(
    context: Context,
    policy: RetryPolicy,
    condition: RetryCondition,
    pool: ClusterPool,
    latest: number,
  ): number {
    if (this.#again >= policy.attempts || !policy.conditions.includes(condition)) return NEVER;
    const wait = backoffMs(policy, this.#again, context.chance.next());
    if (context.time + wait >= latest) return NEVER;
    if (!pool.retryBudget.take(context.time)) {
      pool.counters.retryRefused();
      return NEVER;
    }
    this.#again += 1;
    return wait;
  }
}

/** Doubled for each retry before this one, and drawn between half and whole. `chance`: 0 to 1. */
export function backoffMs(
  { backoffMs, maxBackoffMs }: Pick<RetryPolicy, 'backoffMs' | 'maxBackoffMs'>,
  before: number,
  chance: number,
): number {
  const whole = Math.min(backoffMs * 2 ** before, maxBackoffMs);
  return (whole * (1 + chance)) / 2;
}
