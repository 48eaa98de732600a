import type { RetryReason } from '../../model/retry-reason.ts';
import type { RetryCondition, RetryPolicy } from '../../model/route.ts';
import { grpcStatusOf } from '../../wire/grpc/head-fields.ts';
import type { MessageHead } from '../../wire/message/message-head.ts';
import type { Context } from '../context.ts';
import type { TimerOwner } from '../timer-wheel.ts';
import { Timer } from '../timer-wheel.ts';
import { dropAnswer } from '../upstream/answer-sink.ts';
import type { ClusterPool } from '../upstream/cluster-pool.ts';
import type { EndpointState } from '../upstream/endpoint-state.ts';
import type { Upstream } from '../upstream/upstream.ts';
import { isIdempotent } from './method.ts';

/** A request that certainly was not processed is sent again without being asked to, this many times. */
const MOST_UNPROCESSED = 2;
const NEVER = -1;
/** More than any longest pause needs, and a finite factor. */
const MOST_DOUBLINGS = 40;

/** Whose request it is. */
export interface Resender {
  readonly isHead: boolean;
  /** Sends the request to a backend again. */
  sendAgain(): void;
  onFault(error: unknown): void;
}

/**
 * What has been tried for one request, and whether and when it is tried again.
 *
 *     sent ──fails──> (policy, method, budget, time left?) ──yes──> pause ──> sent …
 *                                    └──no──> the failure, or the answer at hand, is what the client gets
 *
 * Nothing of an answer may have gone to the client, and the request must be there whole; who calls sees to that.
 */
export class Attempts implements TimerOwner {
  /** Endpoints that have failed for it. */
  tried: EndpointState[] | null = null;
  readonly #context: Context;
  readonly #owner: Resender;
  /** Made when a pause first comes up. */
  #timer: Timer | null = null;
  /** Held while the request waits to be sent again: it is wanted until then, even if it goes. */
  #held: ClusterPool | null = null;
  #policy: RetryPolicy | null = null;
  #method = '';
  #unprocessed = 0;
  #again = 0;

  constructor(context: Context, owner: Resender) {
    this.#context = context;
    this.#owner = owner;
  }

  reset(): void {
    this.tried = null;
    this.#policy = null;
    this.#unprocessed = 0;
    this.#again = 0;
  }

  /** A request with a policy, to be sent to `pool`. */
  begin(policy: RetryPolicy, method: string, pool: ClusterPool): void {
    this.#policy = policy;
    this.#method = method;
    pool.retryBudget.request(this.#context.time);
  }

  /** No more of it. */
  stop(): void {
    if (this.#held === null) return;
    this.#context.wheel.remove(this.#timer!);
    this.#letGo();
  }

  avoid(endpoint: EndpointState): void {
    if (this.tried === null) this.tried = [endpoint];
    else if (!this.tried.includes(endpoint)) this.tried = [...this.tried, endpoint];
  }

  /** Nothing of the request can have been processed. Counts where it may be sent again at once. */
  unprocessed(): boolean {
    if (this.#unprocessed >= MOST_UNPROCESSED) return false;
    this.#unprocessed += 1;
    return true;
  }

  /** No connection came about: whatever the method, it does no harm. `latest`: ms of the monotonic clock. */
  afterNoConnection(pool: ClusterPool, endpoint: EndpointState, latest: number): boolean {
    const wait = this.pauseBefore('Reset', pool, latest);
    return wait !== NEVER && this.#sendAgain(wait, 'connect_failed', pool, endpoint);
  }

  afterFailure(
    condition: 'Reset' | 'Timeout',
    pool: ClusterPool,
    endpoint: EndpointState,
    latest: number,
  ): boolean {
    if (this.#policy === null || !this.mayRepeat(this.#policy, this.#method)) return false;
    const wait = this.pauseBefore(condition, pool, latest);
    return (
      wait !== NEVER && this.#sendAgain(wait, condition === 'Reset' ? 'reset' : 'timeout', pool, endpoint)
    );
  }

  /** An answer that is asked for again: this one is read and thrown away. */
  insteadOf(head: MessageHead, upstream: Upstream, latest: number): boolean {
    const policy = this.#policy;
    if (policy === null) return false;
    const condition = askedAgain(policy, head);
    if (condition === null || !this.mayRepeat(policy, this.#method)) return false;
    const { pool, endpoint } = upstream;
    // RFC 9110 section 10.2.3: that is the word of one endpoint. It is not asked again before; another one may be.
    if (!pool.hasOther(this.tried, endpoint) && head.combined('retry-after') !== null) return false;
    const wait = this.pauseBefore(condition, pool, latest);
    if (wait === NEVER) return false;
    // The memory of a write that is still under way goes on to the next attempt.
    if (upstream.isWriting) upstream.close();
    else dropAnswer(this.#context, upstream, this.#owner.isHead);
    return this.#sendAgain(wait, condition === 'Status' ? 'status' : 'grpc_status', pool, endpoint);
  }

  /** RFC 9110 section 9.2.2, where the user has not said that it does no harm. */
  mayRepeat(policy: RetryPolicy, method: string): boolean {
    return policy.methods === 'All' || isIdempotent(method);
  }

  /**
   * In how many milliseconds the policy has it sent again, or NEVER: also where `latest` would have passed by then, or
   * the cluster's budget is used up. Counts.
   */
  pauseBefore(condition: RetryCondition, pool: ClusterPool, latest: number): number {
    const context = this.#context;
    const policy = this.#policy;
    if (policy === null || this.#again >= policy.attempts || !policy.conditions.includes(condition))
      return NEVER;
    const wait = backoffMs(policy, this.#again, context.random.fraction());
    if (context.time + wait >= latest) return NEVER;
    if (!pool.retryBudget.take(context.time)) {
      pool.counters.retryRefused();
      return NEVER;
    }
    this.#again += 1;
    return wait;
  }

  onTimer(): void {
    const held = this.#held;
    if (held === null) return;
    this.#held = null;
    try {
      this.#owner.sendAgain();
    } finally {
      held.letGo();
    }
  }

  onFault(error: unknown): void {
    this.#owner.onFault(error);
  }

  #sendAgain(wait: number, reason: RetryReason, pool: ClusterPool, endpoint: EndpointState): true {
    this.avoid(endpoint);
    pool.counters.retried(reason);
    if (wait === 0) {
      this.#owner.sendAgain();
      return true;
    }
    this.#timer ??= new Timer(this);
    this.#held = pool;
    pool.hold();
    this.#context.wheel.setAt(this.#timer, this.#context.time + wait);
    return true;
  }

  #letGo(): void {
    const held = this.#held;
    this.#held = null;
    held?.letGo();
  }
}

/** For which condition an answer with this head is asked for again, or null. */
function askedAgain(policy: RetryPolicy, head: MessageHead): 'Status' | 'GRPCStatus' | null {
  if (policy.codes.includes(head.status)) return 'Status';
  return policy.grpcCodes.length > 0 && policy.grpcCodes.includes(grpcStatusOf(head)) ? 'GRPCStatus' : null;
}

/** Doubled for each retry before this one, and drawn between half and whole. `chance`: 0 to 1. */
export function backoffMs(
  { backoffMs, maxBackoffMs }: Pick<RetryPolicy, 'backoffMs' | 'maxBackoffMs'>,
  before: number,
  chance: number,
): number {
  const whole = Math.min(backoffMs * 2 ** Math.min(before, MOST_DOUBLINGS), maxBackoffMs);
  return (whole * (1 + chance)) / 2;
}
