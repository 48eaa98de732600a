import type { ResponseReason } from '../../model/response-reason.ts';
import type { SocketStream, StreamOwner } from '../../os/socket-stream.ts';
import { Http2Connection } from '../../wire/h2/connection.ts';
import type { Http2Local, Http2Owner } from '../../wire/h2/connection-owner.ts';
import { ERROR_CODE } from '../../wire/h2/error-code.ts';
import type { Http2Fault } from '../../wire/h2/http2-fault.ts';
import { RESPONSE_HEADS } from '../../wire/http1/head-parser.ts';
import { isWebSocket } from '../../wire/websocket/opening-handshake.ts';
import type { Context } from '../context.ts';
import { FrameBuffer } from '../http2/frame-buffer.ts';
import type { TimerOwner } from '../timer-wheel.ts';
import { Timer } from '../timer-wheel.ts';
import type { Dial } from './dial.ts';
import type { EndpointState } from './endpoint-state.ts';
import { Http2UpstreamStream } from './http2-stream.ts';
import type { SharedConnections } from './shared-connections.ts';
import type { UpstreamUser } from './upstream-user.ts';
import type { ClosedConnection } from './warm-connections.ts';

/** What a backend may send of one answer before its client has taken any: a quarter of a millisecond at 10 Gbit/s. */
const STREAM_WINDOW_BYTES = 256 * 1024;

const LOCAL: Http2Local = {
  maxConcurrentStreams: 0,
  streamWindowBytes: STREAM_WINDOW_BYTES,
  // So large that no stream is held up by another whose client is slow: the windows of streams bound what is kept.
  connectionWindowBytes: 2 ** 31 - 1,
  connectProtocol: false,
  heads: RESPONSE_HEADS,
};

/** Why the streams of a connection are told that they have ended, where no frame of the backend says it. */
export type LineEnd = Extract<ResponseReason, 'upstream_reset' | 'upstream_protocol_error' | 'draining'>;

/**
 * An HTTP/2 connection to a backend, with many requests under way at once.
 *
 *     SETTINGS awaited (its dial) ──> open ──retire──> no new streams ──last one ends──> closed
 *                                      └── reset, fault, no sign of life ─────────────────┘
 */
export class Http2UpstreamConnection implements ClosedConnection, StreamOwner, TimerOwner, Http2Owner {
  readonly endpoint: EndpointState;
  readonly shared: SharedConnections;
  readonly context: Context;
  readonly slot: number;
  readonly openedAt: number;
  readonly stream: SocketStream;
  /** The one host that the backend has shown to be, or empty: any. */
  readonly hostname: string;
  readonly engine: Http2Connection;
  requests = 0;
  /** Requests under way. */
  active = 0;
  /** Takes no more requests. */
  isRetired = false;
  isClosed = false;
  /** Reads so far, so that a stream knows whether the backend has been heard of since it began. */
  reads = 0;
  ending: LineEnd | null = null;
  readonly #output: FrameBuffer;
  readonly #timer: Timer;
  /** Those under way: whatever goes wrong in between, each hears of the end. */
  readonly #streams = new Set<Http2UpstreamStream>();
  /** Streams whose users the read at hand has told something. */
  readonly #told: Http2UpstreamStream[] = [];
  #dial: Dial | null;
  #readAt = 0;
  /** `reads` when a sign of life was asked for; -1: none is awaited. */
  #pingedAt = -1;

  constructor(context: Context, shared: SharedConnections, dial: Dial, stream: SocketStream) {
    this.context = context;
    this.shared = shared;
    this.endpoint = dial.endpoint;
    this.hostname = dial.hostname;
    this.slot = dial.slot;
    this.openedAt = dial.openedAt;
    this.#dial = dial;
    this.stream = stream;
    this.#timer = new Timer(this);
    stream.owner = this;
    this.#output = new FrameBuffer(stream, context.frameBlocks, context.turnEnd);
    this.engine = new Http2Connection('client', LOCAL, this, this.#output, context.time);
    this.engine.begin();
    this.#output.flush();
  }

  get hasRoom(): boolean {
    return (
      !this.isRetired && this.active < this.shared.pool.settings.maxConcurrentStreams && this.engine.canOpen
    );
  }

  /** As many requests as one connection may have. */
  get isWorn(): boolean {
    const most = this.shared.pool.settings.maxRequestsPerConnection;
    return most > 0 && this.requests >= most;
  }

  get takesConnect(): boolean {
    return this.engine.peer.connectProtocol;
  }

  takesUpgrade(asked: string): boolean {
    return this.takesConnect && isWebSocket(asked);
  }

  /** There must be room. */
  open(user: UpstreamUser): Http2UpstreamStream {
    const stream = new Http2UpstreamStream(this, user);
    if (this.active === 0) {
      this.#readAt = this.context.time;
      this.context.wheel.set(this.#timer, this.context.timeouts.backendSilence);
    }
    this.#streams.add(stream);
    this.active += 1;
    this.requests += 1;
    this.endpoint.shared += 1;
    this.shared.pool.began(stream);
    if (this.isWorn) this.isRetired = true;
    return stream;
  }

  /** A stream has ended, once for each. */
  ended(stream: Http2UpstreamStream): void {
    if (!this.#streams.delete(stream)) return;
    this.active -= 1;
    this.endpoint.shared -= 1;
    this.shared.pool.ended(stream);
    this.shared.ended(this);
  }

  /** Nothing is under way on it. */
  rest(): void {
    this.#pingedAt = -1;
    this.context.wheel.set(this.#timer, this.shared.pool.idleTimeoutMs);
  }

  /** No new requests; it closes when those that are under way have ended. */
  retire(): void {
    this.isRetired = true;
    if (this.active === 0) this.close();
  }

  /** The backend is told so; nothing may be under way. */
  close(): void {
    this.#lose('upstream_reset', true);
  }

  /** Its cluster goes at once. */
  shut(): void {
    this.#lose('draining', true);
    this.#readDone();
  }

  /** Before it has been used. */
  drop(): void {
    this.#dial = null;
    this.#lose('upstream_reset', true);
  }

  /** The user of `stream` is told something, and hears when all that is told with it has been. */
  tells(stream: Http2UpstreamStream): void {
    this.#told.push(stream);
  }

  onConnect(): void {}

  onBytes(bytes: Buffer, end: number): void {
    const { context } = this;
    context.time = context.system.now();
    this.reads += 1;
    this.#readAt = context.time;
    this.engine.receive(bytes, 0, end, context.time);
    this.#readDone();
  }

  onEnd(): void {
    this.onClosed('');
  }

  onWritable(): void {
    this.#output.written();
    this.engine.writable();
  }

  onClosed(code: string): void {
    if (this.isClosed) return;
    this.context.time = this.context.system.now();
    const dial = this.#dial;
    this.#dial = null;
    this.#lose('upstream_reset', false);
    // TLS 1.3 tells only now that our certificate is not what it should be.
    dial?.fail(this.stream.tls?.failure || code || 'closed');
    this.#readDone();
  }

  onTimer(): void {
    const { context } = this;
    if (this.active === 0) {
      if (this.shared.pool.keeps(this)) this.rest();
      else this.close();
      return;
    }
    const { backendSilence, backendPong } = context.timeouts;
    if (this.#pingedAt !== -1 && this.#pingedAt === this.reads) {
      this.#lose('upstream_reset', false);
      this.#readDone();
      return;
    }
    this.#pingedAt = -1;
    const silence = context.time - this.#readAt;
    if (silence < backendSilence) {
      context.wheel.set(this.#timer, backendSilence - silence);
      return;
    }
    this.#pingedAt = this.reads;
    this.engine.ping();
    context.wheel.set(this.#timer, backendPong);
  }

  /** Requests answer for their own faults (Http2UpstreamStream); this is one of the connection itself. */
  onFault(error: unknown): void {
    this.context.faults.report(error);
    try {
      this.onClosed('');
    } catch (second) {
      this.context.faults.report(second);
    }
  }

  onRequest(): void {}

  onSettings(): void {
    const dial = this.#dial;
    if (dial === null) {
      this.#guarded(() => this.shared.pool.roomier());
      return;
    }
    this.#dial = null;
    this.#guarded(() => dial.ready());
  }

  onGoAway(): void {
    const dial = this.#dial;
    this.#dial = null;
    if (dial !== null) {
      this.#lose('upstream_reset', false);
      this.#guarded(() => dial.fail('going_away'));
    } else this.#guarded(() => this.retire());
  }

  onPong(): void {}

  onStreamFault(): void {}

  onConnectionFault(fault: Http2Fault): void {
    const dial = this.#dial;
    this.#dial = null;
    this.#lose('upstream_protocol_error', true);
    if (dial !== null) this.#guarded(() => dial.fail(fault));
  }

  /** `politely`: what has been put together still goes out. */
  #lose(reason: LineEnd, politely: boolean): void {
    if (this.isClosed) return;
    this.isClosed = true;
    this.isRetired = true;
    this.ending = reason;
    const { engine } = this;
    this.context.wheel.remove(this.#timer);
    // Its descriptor goes before its place in the limits does, and that before anybody tries again.
    if (politely && engine.isEstablished) engine.drain();
    if (politely) this.#output.flush();
    this.#output.drop();
    this.stream.destroy();
    this.#guarded(() => this.shared.closed(this));
    engine.end(ERROR_CODE.CANCEL);
    for (const stream of this.#streams) stream.onReset(ERROR_CODE.CANCEL, null);
  }

  #readDone(): void {
    const told = this.#told;
    for (let index = 0; index < told.length; index += 1) told[index]!.readDone();
    told.length = 0;
  }

  #guarded(run: () => void): void {
    try {
      run();
    } catch (error) {
      this.context.faults.report(error);
    }
  }
}
