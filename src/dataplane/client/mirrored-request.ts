import type { Context } from '../context.ts';
import type { MirrorPool } from '../served-rule.ts';
import { AnswerSink } from '../upstream/answer-sink.ts';
import type { ClusterPool } from '../upstream/cluster-pool.ts';
import type { Upstream } from '../upstream/upstream.ts';
import type { OutgoingRequest } from './outgoing-request.ts';

/**
 * A copy of a request on its way to another cluster. It takes a connection that is free or none, waits for nobody, is
 * not sent again, and its answer is thrown away: whatever becomes of it, the original does not notice.
 */
class MirroredRequest extends AnswerSink {
  readonly #pool: ClusterPool;
  readonly #request: OutgoingRequest;
  #isSent = true;

  constructor(context: Context, pool: ClusterPool, request: OutgoingRequest, isHead: boolean) {
    super(context, { isHead, mostBytes: Number.POSITIVE_INFINITY, mostMs: context.timeouts.backend });
    this.#pool = pool;
    this.#request = request;
  }

  send(): void {
    const result = this.#pool.acquireNow(this);
    if (result === false) {
      this.#isSent = false;
      this.end(false);
    } else if (result !== null) this.onUpstream(result);
  }

  override onUpstream(upstream: Upstream): void {
    super.onUpstream(upstream);
    upstream.sentAt = this.context.time;
    if (this.#request.mayBeTwo) upstream.isPersonal = true;
    this.#request.send(upstream);
  }

  /** It waits for nobody. */
  override onWaiting(): void {
    this.#pool.forget(this);
    this.#isSent = false;
    this.end(false);
  }

  protected override cut(): void {
    if (this.connecting !== null) this.#pool.forget(this);
    super.cut();
  }

  protected override ended(isWhole: boolean): void {
    this.#pool.counters.mirrored(isWhole ? 'answered' : this.#isSent ? 'failed' : 'no_connection');
  }
}

/** The copies of one request, drawn by the shares of its rule's mirrors. */
export class Mirrors {
  readonly #context: Context;
  readonly #pools: ClusterPool[] = [];
  #copy: OutgoingRequest | null = null;

  private constructor(context: Context) {
    this.#context = context;
  }

  /** Draws, and copies the request where something is drawn. Null: nothing is. */
  static draw(context: Context, mirrors: readonly MirrorPool[], request: OutgoingRequest): Mirrors | null {
    let drawn: Mirrors | null = null;
    for (const { pool, share } of mirrors) {
      if (share < 1 && context.random.fraction() >= share) continue;
      drawn ??= new Mirrors(context);
      drawn.#pools.push(pool);
    }
    if (drawn !== null) drawn.#copy = request.copy();
    return drawn;
  }

  /** After the original has been sent. */
  send(isHead: boolean): void {
    const context = this.#context;
    for (const pool of this.#pools) {
      if (this.#copy === null) {
        pool.counters.mirrored('too_large');
        continue;
      }
      const copy = new MirroredRequest(context, pool, this.#copy, isHead);
      try {
        copy.send();
      } catch (error) {
        copy.onFault(error);
      }
    }
  }
}
