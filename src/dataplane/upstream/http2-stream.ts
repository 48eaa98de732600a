import type { SocketStream } from '../../os/socket-stream.ts';
import { ERROR_CODE } from '../../wire/h2/error-code.ts';
import type { HeaderBlock } from '../../wire/h2/header-block.ts';
import type { Http2Fault } from '../../wire/h2/http2-fault.ts';
import type { Http2Stream, Http2StreamOwner } from '../../wire/h2/stream.ts';
import type { Fault } from '../../wire/http1/fault.ts';
import { NO_LENGTH } from '../../wire/http1/framing.ts';
import type { MessageHead } from '../../wire/message/message-head.ts';
import type { TimerOwner } from '../timer-wheel.ts';
import { Timer } from '../timer-wheel.ts';
import type { ClusterPool } from './cluster-pool.ts';
import type { EndpointState } from './endpoint-state.ts';
import type { Http2UpstreamConnection } from './http2-connection.ts';
import { encodeRequest } from './http2-request.ts';
import { RequestBody } from './request-body.ts';
import type { RequestParts } from './request-parts.ts';
import type { Upstream } from './upstream.ts';
import type { UpstreamUser } from './upstream-user.ts';
import { BODY_CHUNKED, BODY_LENGTH, BODY_NONE } from './upstream-user.ts';

const HEAD = 0;
const BODY = 1;
const TUNNEL = 2;
const OVER = 3;

type Failure = 'upstream_reset' | 'upstream_protocol_error' | 'upstream_timeout' | 'draining';

/** One request and its answer on an HTTP/2 connection to a backend. What throws on its way costs this request alone. */
export class Http2UpstreamStream implements Upstream, Http2StreamOwner, TimerOwner {
  readonly endpoint: EndpointState;
  readonly pool: ClusterPool;
  user: UpstreamUser | null;
  isPersonal = false;
  busy = false;
  sentAt = 0;
  fault: Fault | Http2Fault | '' = '';
  isUnprocessed = false;
  /** Bytes are copied into frames. */
  readonly isWriting = false;
  hasAnswer = false;
  readonly #line: Http2UpstreamConnection;
  readonly #stream: Http2Stream;
  readonly #timer: Timer;
  /** Reads of the connection when it began; -1 where it is the connection's first. */
  readonly #readsBefore: number;
  #body: RequestBody | null = null;
  #state = HEAD;
  /** An extended CONNECT (RFC 8441). */
  #isUpgrade = false;
  #isPaused = false;
  /** Received while it was paused: the backend may send as much again when it goes on. */
  #held = 0;
  /** Who hears of it when the read at hand has been told. */
  #told: UpstreamUser | null = null;

  constructor(line: Http2UpstreamConnection, user: UpstreamUser) {
    this.#line = line;
    this.endpoint = line.endpoint;
    this.pool = line.shared.pool;
    this.user = user;
    this.#timer = new Timer(this);
    this.#readsBefore = line.requests === 0 ? -1 : line.reads;
    const stream = line.engine.open(this, user.isHead);
    if (stream === null) throw new Error('a stream was asked of a connection without room');
    this.#stream = stream;
  }

  /** Nothing has been heard of the backend since it began on a connection that others had used before. */
  get reused(): boolean {
    return this.#readsBefore === this.#line.reads;
  }

  get source(): SocketStream {
    return this.#line.stream;
  }

  sendRequest(request: RequestParts): boolean {
    const { block, headLength, isChunked, ended, last } = request;
    const held = request.takeHeld();
    const isUpgrade = this.user!.askedUpgrade !== '';
    this.#isUpgrade = isUpgrade;
    const isEmpty = ended && block.length === headLength && held.length === 0 && last === null;
    // An extended CONNECT is not ended by its request.
    const endsWithHead = isEmpty && !isUpgrade;
    const announced = encodeRequest(this.#line.engine, this.#stream, request, {
      isSecure: this.pool.settings.tls !== null,
      isWebSocket: isUpgrade,
      endsWithHead,
    });
    if (endsWithHead) return true;
    const body = new RequestBody(this.#stream, this.#line.engine.encoder, isChunked ? NO_LENGTH : announced);
    this.#body = body;
    if (isUpgrade) return true;
    if (block.length > headLength) {
      if (isChunked) body.putChunks(block.block, headLength, block.length);
      else body.put(block.block, headLength, block.length, ended && held.length === 0);
    }
    for (const piece of held) body.put(piece, 0, piece.length, false);
    if (last !== null) body.putChunks(last, 0, last.length);
    else if (ended) body.end(null);
    return body.isThrough;
  }

  sendBody(bytes: Buffer, start: number, end: number): boolean {
    return this.#body === null || this.#body.put(bytes, start, end, false);
  }

  sendEnd(trailer: MessageHead | null): void {
    this.#body?.end(trailer);
  }

  endTunnel(): void {
    this.#body?.end(null);
    this.#checkTunnel();
  }

  awaitAnswer(milliseconds: number): void {
    if (this.#state !== HEAD || milliseconds === 0) return;
    this.#line.context.wheel.set(this.#timer, milliseconds);
  }

  pause(): void {
    this.#isPaused = true;
  }

  resume(): void {
    if (!this.#isPaused) return;
    this.#isPaused = false;
    const held = this.#held;
    this.#held = 0;
    if (held > 0 && this.#state !== OVER) this.#stream.consumed(held);
  }

  handOver(user: UpstreamUser): void {
    this.user = user;
  }

  close(): void {
    this.#leave();
  }

  onInterim(head: HeaderBlock): void {
    const user = this.#hears();
    if (user === null) return;
    try {
      user.onInterim(head);
    } catch (error) {
      this.#failed(user, error);
    }
  }

  onHead(head: HeaderBlock, ended: boolean): void {
    const user = this.#hears();
    if (user === null) return;
    try {
      this.#begin(user, head, ended);
    } catch (error) {
      this.#failed(user, error);
    }
  }

  onData(bytes: Buffer, start: number, end: number): void {
    const user = this.#hears();
    if (user === null) return;
    try {
      user.onResponseBytes(bytes, start, end);
    } catch (error) {
      this.#failed(user, error);
      return;
    }
    if (this.#state === OVER) return;
    if (this.#isPaused) this.#held += end - start;
    else this.#stream.consumed(end - start);
    if (this.#state === BODY && !user.mayBeQuiet)
      this.#line.context.wheel.set(this.#timer, this.#line.context.timeouts.backendBody);
  }

  onEnd(trailers: HeaderBlock | null): void {
    const user = this.#hears();
    if (user === null) return;
    try {
      if (this.#state === TUNNEL) {
        user.onUpstreamEnd();
        this.#checkTunnel();
      } else this.#finish(user, trailers);
    } catch (error) {
      this.#failed(user, error);
    }
  }

  onReset(code: number, fault: Fault | Http2Fault | null): void {
    const user = this.#hears();
    if (user === null) return;
    const { ending } = this.#line;
    if (ending === null && fault === null && code === ERROR_CODE.REFUSED_STREAM && !this.hasAnswer)
      this.isUnprocessed = true;
    if (fault !== null && this.fault === '') this.fault = fault;
    this.#fail(user, fault !== null ? 'upstream_protocol_error' : (ending ?? 'upstream_reset'));
  }

  onWritable(): void {
    const { user } = this;
    if (user === null || this.#body === null || !this.#body.pump()) return;
    try {
      user.onUpstreamWritable();
      this.#checkTunnel();
    } catch (error) {
      this.#failed(user, error);
    }
  }

  /** All that one read brought has been told. */
  readDone(): void {
    const told = this.#told;
    this.#told = null;
    if (told === null) return;
    try {
      told.onReadDone();
    } catch (error) {
      told.onFault(error);
    }
  }

  onTimer(): void {
    const { user } = this;
    if (user === null) return;
    if (this.#isPaused) {
      this.#line.context.wheel.set(this.#timer, this.#line.context.timeouts.backendBody);
      return;
    }
    this.#fail(user, 'upstream_timeout');
    user.onReadDone();
  }

  onFault(error: unknown): void {
    const { user } = this;
    this.#leave();
    if (user === null) this.#line.context.faults.report(error);
    else user.onFault(error);
  }

  #begin(user: UpstreamUser, head: HeaderBlock, ended: boolean): void {
    this.hasAnswer = true;
    const { context } = this.#line;
    context.wheel.clear(this.#timer);
    if (head.fault !== null) {
      this.fault = head.fault;
      this.#fail(user, 'upstream_protocol_error');
      return;
    }
    if (this.#isUpgrade && head.status >= 200 && head.status < 300) {
      if (ended) this.#fail(user, 'upstream_reset');
      else {
        this.#state = TUNNEL;
        user.onUpgrade(head);
      }
      return;
    }
    this.#state = BODY;
    this.pool.answered(this, head.status);
    const hasNone = ended || user.isHead || head.status === 204 || head.status === 304;
    const { contentLength } = head.framing;
    const isEmpty = hasNone || contentLength === 0;
    user.onResponseHead(head, isEmpty ? BODY_NONE : contentLength === NO_LENGTH ? BODY_CHUNKED : BODY_LENGTH);
    if (ended && this.user !== null) this.#finish(this.user, null);
    else if (this.user?.mayBeQuiet === false) context.wheel.set(this.#timer, context.timeouts.backendBody);
  }

  #finish(user: UpstreamUser, trailers: MessageHead | null): void {
    // The trailers stay as they are until another head is read, and that is after this.
    this.#leave();
    user.onResponseEnd(trailers);
  }

  /** An upgraded stream that both sides have ended. */
  #checkTunnel(): void {
    const { user } = this;
    if (this.#state !== TUNNEL || user === null) return;
    if (this.#body!.isEnded && this.#stream.isRemotelyEnded) this.#fail(user, 'upstream_reset');
  }

  #fail(user: UpstreamUser, reason: Failure): void {
    if (this.#state !== TUNNEL && reason !== 'draining' && !this.isUnprocessed) {
      this.endpoint.failures += 1;
      this.pool.failed(this);
    }
    const { hasAnswer } = this;
    this.#leave();
    try {
      user.onUpstreamFailed(this, reason, hasAnswer);
    } catch (error) {
      user.onFault(error);
    }
  }

  /** Something threw on behalf of its user. */
  #failed(user: UpstreamUser, error: unknown): void {
    // Where it already works for somebody else, that one is not concerned.
    if (this.user === null || this.user === user) this.#leave();
    user.onFault(error);
  }

  #hears(): UpstreamUser | null {
    const { user } = this;
    if (user !== null && this.#told === null) {
      this.#told = user;
      this.#line.tells(this);
    }
    return user;
  }

  #leave(): void {
    if (this.#state === OVER) return;
    this.#state = OVER;
    this.user = null;
    this.#line.context.wheel.remove(this.#timer);
    this.#body?.drop();
    try {
      this.#stream.release();
    } finally {
      this.#line.ended(this);
    }
  }
}
