import { NO_KEY } from '../balance/balancer.ts';
import type { Context } from '../context.ts';
import type { TimerOwner } from '../timer-wheel.ts';
import { Timer } from '../timer-wheel.ts';
import type { EndpointState } from './endpoint-state.ts';
import type { Upstream } from './upstream.ts';
import type { Connecting, UpstreamUser } from './upstream-user.ts';

/**
 * Reads an answer that nobody wants to its end, so that its connection can serve again; one that is too long, or takes
 * too long, is cut off with its connection.
 */
export class AnswerSink implements UpstreamUser, TimerOwner {
  readonly isHead: boolean;
  readonly mayBeQuiet = false;
  readonly askedUpgrade = '';
  readonly hashKey = NO_KEY;
  readonly requestSent = true;
  readonly tried: EndpointState[] | null = null;
  connecting: Connecting | null = null;
  protected upstream: Upstream | null = null;
  protected readonly context: Context;
  readonly #timer: Timer;
  #bytesLeft: number;
  #isOver = false;

  constructor(
    context: Context,
    { isHead, mostBytes, mostMs }: { isHead: boolean; mostBytes: number; mostMs: number },
  ) {
    this.context = context;
    this.isHead = isHead;
    this.#bytesLeft = mostBytes;
    this.#timer = new Timer(this);
    context.wheel.set(this.#timer, mostMs);
  }

  /** The head of the answer has been read; its body comes here. */
  take(upstream: Upstream): void {
    this.upstream = upstream;
    upstream.handOver(this);
  }

  /** It is for no client. */
  hostname(): string {
    return '';
  }

  proxied(): null {
    return null;
  }

  onUpstream(upstream: Upstream): void {
    this.upstream = upstream;
  }

  onConnectFailed(): void {
    this.end(false);
  }

  onWaiting(): void {}

  onUnavailable(): void {
    this.end(false);
  }

  onInterim(): void {}

  onResponseHead(): void {}

  onUpgrade(): void {}

  onResponseBytes(_bytes: Buffer, start: number, end: number): void {
    this.#bytesLeft -= end - start;
    if (this.#bytesLeft < 0) this.cut();
  }

  onResponseEnd(): void {
    this.end(true);
  }

  onUpstreamFailed(): void {
    this.end(false);
  }

  onUpstreamWritable(): void {}

  onUpstreamEnd(): void {}

  onReadDone(): void {}

  onTimer(): void {
    this.cut();
  }

  onFault(error: unknown): void {
    this.context.faults.report(error);
    this.cut();
  }

  protected cut(): void {
    const { upstream } = this;
    if (upstream?.user === this) upstream.close();
    this.end(false);
  }

  /** `isWhole`: the answer has been read to its end. */
  protected end(isWhole: boolean): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.upstream = null;
    this.context.wheel.remove(this.#timer);
    this.ended(isWhole);
  }

  protected ended(_isWhole: boolean): void {}
}

/** What is read of an answer that is not passed on, before its connection is rather closed. */
const DROPPED_BYTES = 65_536;
const DROPPED_MS = 1_000;

/** The rest of the answer whose head `upstream` has just read is thrown away. */
export function dropAnswer(context: Context, upstream: Upstream, isHead: boolean): void {
  new AnswerSink(context, { isHead, mostBytes: DROPPED_BYTES, mostMs: DROPPED_MS }).take(upstream);
}
