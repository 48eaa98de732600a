import type { ClusterTls } from '../../model/tls.ts';
import type { StreamOwner } from '../../os/socket-stream.ts';
import { SocketStream } from '../../os/socket-stream.ts';
import {
  CHUNK_DATA,
  CHUNK_END,
  CHUNK_FAILED,
  ChunkedDecoder,
  RESPONSE_CHUNKS,
} from '../../wire/http1/chunked-decoder.ts';
import type { Fault } from '../../wire/http1/fault.ts';
import { NO_LENGTH } from '../../wire/http1/framing.ts';
import { HEAD_FAILED, HEAD_MORE, RESPONSE_HEADS } from '../../wire/http1/head-parser.ts';
import { CRLF, chunkLine, LAST_CHUNK } from '../../wire/http1/writer.ts';
import type { MessageHead } from '../../wire/message/message-head.ts';
import { encodeProxyHeader } from '../../wire/proxy-protocol/header-reader.ts';
import type { Context } from '../context.ts';
import { HeadReader } from '../head-reader.ts';
import type { TimerOwner } from '../timer-wheel.ts';
import { Timer } from '../timer-wheel.ts';
import { BackendHandshake, OFFER_HTTP1 } from '../tls/backend-handshake.ts';
import { writeTrailer } from '../trailer.ts';
import type { ClusterPool } from './cluster-pool.ts';
import type { EndpointState } from './endpoint-state.ts';
import type { RequestParts } from './request-parts.ts';
import type { Upstream } from './upstream.ts';
import type { BodyKind, Connecting, UpstreamUser } from './upstream-user.ts';
import { BODY_CHUNKED, BODY_CLOSE, BODY_LENGTH, BODY_NONE } from './upstream-user.ts';

const CONNECTING = 0;
const IDLE = 1;
const HEAD = 2;
const BODY = 3;
const TUNNEL = 4;
const CLOSED = 5;
const MOST_INTERIM = 16;

/** One connection to a backend; it works for one request at a time and waits in the pool between them. */
export class UpstreamConnection implements Upstream, Connecting, StreamOwner, TimerOwner {
  readonly endpoint: EndpointState;
  readonly pool: ClusterPool;
  readonly stream: SocketStream;
  user: UpstreamUser | null;
  /** Has served a request before: it may have been closed by the backend without our knowing. */
  reused = false;
  /** Counted as working for a request. */
  busy = false;
  /** In the shared limits. */
  readonly slot: number;
  sentAt = 0;
  /** What was wrong with the answer, where it was refused. */
  fault: Fault | '' = '';
  /** It goes with its request: it began with its client's address, or may be answered once more than it was asked. */
  isPersonal = false;
  readonly isUnprocessed = false;
  /** Requests it has been used for. */
  requests = 0;
  readonly openedAt: number;
  readonly #context: Context;
  readonly #timer: Timer;
  readonly #reader: HeadReader;
  #state = CONNECTING;
  #connectTimedOut = false;
  #body: BodyKind = BODY_NONE;
  #left = 0;
  #keepAlive = false;
  /** The request at hand has a body in chunks. */
  #isChunked = false;
  #interim = 0;
  #answered = false;
  #chunked: ChunkedDecoder | null = null;
  /** Whom the event at hand is told; it may have let go of the connection by the time something throws. */
  #told: UpstreamUser | null = null;

  constructor(
    context: Context,
    pool: ClusterPool,
    endpoint: EndpointState,
    user: UpstreamUser | null,
    slot: number,
    stream: SocketStream | null,
  ) {
    this.slot = slot;
    this.openedAt = context.time;
    this.#context = context;
    this.pool = pool;
    this.endpoint = endpoint;
    this.user = user;
    this.#timer = new Timer(this);
    this.#reader = new HeadReader(context.responseHeads);
    if (stream !== null) {
      this.stream = stream;
      stream.owner = this;
      this.#state = IDLE;
      return;
    }
    const { address, port } = endpoint.config;
    this.stream = SocketStream.connecting(context.system, address, port, this);
    context.wheel.set(this.#timer, pool.connectTimeoutMs);
  }

  /** Nobody waits for it any more. */
  leave(): void {
    this.user = null;
  }

  get isIdle(): boolean {
    return this.#state === IDLE;
  }

  /** Bytes of an answer to the request at hand have come. */
  get hasAnswer(): boolean {
    return this.#answered;
  }

  get isClosed(): boolean {
    return this.#state === CLOSED;
  }

  get isTunnel(): boolean {
    return this.#state === TUNNEL;
  }

  /** Takes it out of the pool for a request. */
  assign(user: UpstreamUser): void {
    this.user = user;
    this.#state = HEAD;
    this.#answered = false;
    this.#interim = 0;
    this.requests += 1;
    this.#context.wheel.clear(this.#timer);
    // It may come straight from a request whose client took its answer more slowly than it came.
    if (this.stream.paused) this.stream.resume();
  }

  get source(): SocketStream {
    return this.stream;
  }

  get isWriting(): boolean {
    return this.stream.writing;
  }

  sendRequest(request: RequestParts): boolean {
    const { isChunked, last } = request;
    this.#isChunked = isChunked;
    const done = this.stream.write(request.block.written);
    const held = request.takeHeld();
    if (held.length === 0 && last === null) return done;
    const pieces: Buffer[] = [];
    for (const piece of held) {
      if (isChunked) pieces.push(chunkLine(piece.length), piece, CRLF);
      else pieces.push(piece);
    }
    if (last !== null) pieces.push(last);
    return this.stream.writeAll(pieces);
  }

  sendBody(bytes: Buffer, start: number, end: number, source: SocketStream): boolean {
    const piece = source.lasting(bytes, start, end);
    const done = this.#isChunked
      ? this.stream.writeAll([chunkLine(end - start), piece, CRLF])
      : this.stream.write(piece);
    if (!done && this.stream.keepsMemory) source.give(bytes);
    return done;
  }

  sendEnd(trailer: MessageHead | null): void {
    if (this.#isChunked) this.stream.write(trailer === null ? LAST_CHUNK : writeTrailer(trailer));
  }

  endTunnel(): void {
    this.stream.end();
  }

  pause(): void {
    this.stream.pause();
  }

  resume(): void {
    this.stream.resume();
  }

  /** The answer whose head is being told goes to somebody else. */
  handOver(user: UpstreamUser): void {
    this.user = user;
  }

  /** The request has been sent whole: from now on the backend's time counts. 0 is for ever. */
  awaitAnswer(milliseconds: number): void {
    if (this.#state !== HEAD || milliseconds === 0) return;
    this.#context.wheel.set(this.#timer, milliseconds);
  }

  /** Back in the pool. */
  rest(idleTimeoutMs: number): void {
    this.#state = IDLE;
    this.user = null;
    this.reused = true;
    this.stream.share();
    if (this.stream.paused) this.stream.resume();
    this.#context.wheel.set(this.#timer, idleTimeoutMs);
  }

  close(): void {
    if (this.#state === CLOSED) return;
    this.#state = CLOSED;
    this.user = null;
    this.#context.wheel.remove(this.#timer);
    this.#reader.drop();
    // Its descriptor goes before its place in the limits does: the backend never has more connections than that.
    try {
      this.stream.destroy();
    } finally {
      this.pool.closed(this);
    }
  }

  onConnect(): void {
    this.#told = this.user;
    if (this.#state !== CONNECTING) return;
    const { proxyProtocol, tls } = this.pool.settings;
    if (proxyProtocol !== null) this.#announce(proxyProtocol);
    if (tls === null) this.#opened();
    else this.#secure(tls);
  }

  onSecured(): void {
    this.#told = this.user;
    if (this.#state === CONNECTING) this.#opened();
  }

  #opened(): void {
    this.#context.wheel.clear(this.#timer);
    this.#state = IDLE;
    this.pool.connected(this);
  }

  #secure(tls: ClusterTls): void {
    const { id, config } = this.endpoint;
    const security = this.#context.tls.backends.of(this.pool.name, tls);
    if (security === null) {
      this.stream.code = 'certificate_missing';
      this.stream.destroy();
      return;
    }
    // Shown to be the one that this request is for, and perhaps no other's.
    if (tls.serverName === '') this.isPersonal = true;
    const name = tls.serverName || this.user?.hostname() || config.address;
    new BackendHandshake(security, this.stream, this, id, name).begin(OFFER_HTTP1);
  }

  #announce(version: 'V1' | 'V2'): void {
    this.isPersonal = true;
    if (this.user !== null) this.stream.write(encodeProxyHeader(version, this.user.proxied()));
  }

  onBytes(bytes: Buffer, end: number): void {
    const user = this.user;
    this.#told = user;
    if (user === null) {
      // Nobody asked: an answer to no request must not become the next request's answer.
      this.close();
      return;
    }
    this.#context.time = this.#context.system.now();
    this.#read(user, bytes, end);
    user.onReadDone();
  }

  onEnd(): void {
    const user = this.user;
    this.#told = user;
    if (user === null) {
      this.close();
      return;
    }
    if (this.#state === TUNNEL) {
      user.onUpstreamEnd();
      return;
    }
    this.#context.time = this.#context.system.now();
    if (this.#state === BODY && this.#body === BODY_CLOSE) {
      this.close();
      user.onResponseEnd(null);
    } else this.#fail(user, 'upstream_reset');
    user.onReadDone();
  }

  onWritable(): void {
    this.#told = this.user;
    this.user?.onUpstreamWritable();
  }

  onClosed(code: string): void {
    if (this.#state === CLOSED) {
      // Otherwise done by then; not where something threw on the way.
      if (this.endpoint.connections.has(this)) this.pool.closed(this);
      return;
    }
    const user = this.user;
    this.#told = user;
    if (this.#state === CONNECTING) {
      const timedOut = this.#connectTimedOut || code === 'ETIMEDOUT';
      this.close();
      this.pool.connectFailed(
        this.endpoint,
        [user],
        timedOut ? 'timeout' : code === '' ? 'closed' : code,
        timedOut,
      );
      return;
    }
    if (user === null) {
      this.close();
      return;
    }
    // TLS 1.3 tells only now that our certificate is not what it should be.
    const failure = this.stream.tls?.failure ?? '';
    if (failure !== '' && !this.#answered) this.pool.counters.connectFailed(failure);
    this.#fail(user, 'upstream_reset');
    user.onReadDone();
  }

  onTimer(): void {
    const user = this.user;
    this.#told = user;
    if (this.#state === CONNECTING) {
      this.#connectTimedOut = true;
      this.stream.destroy();
    } else if (this.#state === IDLE && this.pool.keeps(this))
      this.#context.wheel.set(this.#timer, this.pool.idleTimeoutMs);
    else if (this.#state === IDLE || user === null) this.close();
    else if (this.stream.paused) this.#context.wheel.set(this.#timer, this.#context.timeouts.backendBody);
    else {
      this.#fail(user, 'upstream_timeout');
      user.onReadDone();
    }
  }

  onFault(error: unknown): void {
    const told = this.#told;
    this.#told = null;
    // Where it already works for somebody else, that one is not concerned.
    if (this.user === null || this.user === told) {
      try {
        this.close();
        // Where counting it as gone is what threw, it may be that nobody is told of its end again.
        if (this.endpoint.connections.has(this)) this.pool.closed(this);
      } catch (second) {
        this.#context.faults.report(second);
      }
    }
    if (told === null) this.#context.faults.report(error);
    else told.onFault(error);
  }

  #read(asker: UpstreamUser, bytes: Buffer, end: number): void {
    let user = asker;
    let at = 0;
    if (this.#state === HEAD) {
      at = this.#readHead(user, bytes, end);
      if (at === -1) return;
      user = this.user!;
    }
    if (this.#state === TUNNEL) {
      if (at < end) user.onResponseBytes(bytes, at, end);
      return;
    }
    if (this.#state !== BODY) return;
    switch (this.#body) {
      case BODY_LENGTH: {
        const take = Math.min(this.#left, end - at);
        this.#left -= take;
        if (take > 0) user.onResponseBytes(bytes, at, at + take);
        at += take;
        if (this.#left > 0) break;
        // Who got the last piece may have closed it all the same.
        if (this.user !== user) return;
        this.#finish(user, at === end, null);
        return;
      }
      case BODY_CHUNKED: {
        const decoder = this.#chunked!;
        for (;;) {
          const result = decoder.next(bytes, at, end);
          at = decoder.position;
          if (result === CHUNK_DATA) user.onResponseBytes(bytes, decoder.dataStart, decoder.dataEnd);
          else if (result === CHUNK_END) {
            this.#finish(user, at === end, decoder.trailer);
            return;
          } else if (result === CHUNK_FAILED) {
            this.fault = decoder.fault!;
            this.#fail(user, 'upstream_protocol_error');
            return;
          } else break;
          if (this.user !== user) return;
        }
        break;
      }
      case BODY_CLOSE:
        if (at < end) user.onResponseBytes(bytes, at, end);
        break;
      default:
        this.#finish(user, at === end, null);
        return;
    }
    if (this.user !== user) return;
    // While a client takes nothing, memory for the next read is not kept for it.
    if (this.stream.paused) this.stream.share();
    else this.stream.own();
    this.#context.wheel.set(this.#timer, this.#context.timeouts.backendBody);
  }

  /** Position after the head, or -1: more is needed, or it has failed. */
  #readHead(user: UpstreamUser, bytes: Buffer, end: number): number {
    let at = 0;
    this.#answered = true;
    for (;;) {
      if (at === end && this.#reader.head === null) return -1;
      const result = this.#reader.read(bytes, at, end, RESPONSE_HEADS);
      if (result === HEAD_MORE) return -1;
      const head = this.#reader.head!;
      if (result === HEAD_FAILED) {
        this.fault = head.fault!;
        this.#fail(user, 'upstream_protocol_error');
        return -1;
      }
      at = this.#reader.next;
      const status = head.status;
      if (status >= 200 || status === 101) {
        const fine = this.#begin(user, head);
        this.#reader.drop();
        return fine ? at : -1;
      }
      this.#interim += 1;
      if (this.#interim > MOST_INTERIM) {
        this.#fail(user, 'upstream_protocol_error');
        return -1;
      }
      user.onInterim(head);
      this.#reader.drop();
      if (this.user !== user) return -1;
    }
  }

  #begin(user: UpstreamUser, head: MessageHead): boolean {
    const framing = head.framing;
    this.#context.wheel.clear(this.#timer);
    if (head.status === 101) {
      if (!framing.upgrade || !isAsked(user.askedUpgrade, head.combined('upgrade')!)) {
        this.#fail(user, 'upstream_protocol_error');
        return false;
      }
      this.#state = TUNNEL;
      user.onUpgrade(head);
      return this.user === user;
    }
    this.#state = BODY;
    this.#keepAlive = framing.keepAlive;
    if (user.isHead || head.status === 204 || head.status === 304) this.#body = BODY_NONE;
    else if (framing.chunked) {
      this.#body = BODY_CHUNKED;
      this.#chunked ??= new ChunkedDecoder();
      this.#chunked.reset(RESPONSE_CHUNKS, !framing.namedFields);
    } else if (framing.contentLength !== NO_LENGTH) {
      this.#body = framing.contentLength === 0 ? BODY_NONE : BODY_LENGTH;
      this.#left = framing.contentLength;
    } else this.#body = BODY_CLOSE;
    this.pool.answered(this, head.status);
    user.onResponseHead(head, this.#body);
    return this.user !== null;
  }

  #finish(user: UpstreamUser, clean: boolean, trailer: MessageHead | null): void {
    const reusable = clean && this.#keepAlive && user.requestSent && !this.stream.writing;
    if (reusable) this.pool.release(this);
    else this.close();
    user.onResponseEnd(trailer);
  }

  #fail(user: UpstreamUser, reason: 'upstream_reset' | 'upstream_protocol_error' | 'upstream_timeout'): void {
    const answered = this.#answered;
    // Upgraded connections end when either side says so: that is no failure, and how long they lasted no latency.
    if (this.#state !== TUNNEL) {
      this.endpoint.failures += 1;
      this.pool.failed(this);
    }
    this.close();
    user.onUpstreamFailed(this, reason, answered);
  }
}

/** RFC 9110 section 7.8: every protocol that a server switches to is one that it was asked for; names in any case. */
function isAsked(asked: string, given: string): boolean {
  const names = protocols(asked);
  const switched = protocols(given);
  return switched.length > 0 && switched.every((name) => names.includes(name));
}

function protocols(list: string): string[] {
  return list
    .toLowerCase()
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '');
}
