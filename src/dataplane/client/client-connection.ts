import type { HttpSettings } from '../../model/http-settings.ts';
import type { ResponseReason } from '../../model/response-reason.ts';
import type { SocketStream } from '../../os/socket-stream.ts';
import { beginsPreface } from '../../wire/h2/preface.ts';
import { CHUNK_DATA, CHUNK_END, CHUNK_FAILED, ChunkedDecoder } from '../../wire/http1/chunked-decoder.ts';
import { HEAD_FAILED, HEAD_MORE } from '../../wire/http1/head-parser.ts';
import type { MessageHead } from '../../wire/message/message-head.ts';
import type { ProxiedConnection } from '../../wire/proxy-protocol/header.ts';
import type { ClientOrigin } from '../client-address/client-origin.ts';
import type { Context } from '../context.ts';
import { Http2ClientConnection } from '../http2/client-connection.ts';
import type { AcceptedConnection } from '../port-connection.ts';
import type { ServedPort } from '../served-port.ts';
import type { TimerOwner } from '../timer-wheel.ts';
import { Timer } from '../timer-wheel.ts';
import { AnsweringConnection } from './answering-connection.ts';
import { BODY_CHUNKED, BODY_LENGTH, CLOSED, HEAD, LINGER, TUNNEL, WAIT } from './client-state.ts';
import type { ClientWork } from './client-work.ts';
import type { AnswerAdditions, Downstream } from './downstream.ts';
import type { Exchange } from './exchange.ts';
import type { Output } from './output.ts';
import { soonest } from './pace.ts';
import { writeUpgradeHead } from './response-head.ts';

/**
 * A client's HTTP/1.1 connection: bytes to requests, answers to bytes, in order. One request is worked on at a time;
 * its life is the Exchange's.
 */
export class ClientConnection
  extends AnsweringConnection
  implements Downstream, AcceptedConnection, TimerOwner
{
  readonly port: ServedPort;
  readonly origin: ClientOrigin;
  readonly #context: Context;
  readonly #timer: Timer;
  #work: ClientWork | null = null;
  #requests = 0;
  #state = HEAD;
  #left = 0;
  #feeding = false;
  #peerEnded = false;
  #passOver = false;
  /** The client said that this request is its last, and has sent nothing after it. */
  #isLast = false;

  constructor(
    context: Context,
    output: Output,
    port: ServedPort,
    stream: SocketStream,
    origin: ClientOrigin,
  ) {
    super(output, stream);
    this.#context = context;
    this.port = port;
    this.origin = origin;
    this.#timer = new Timer(this);
    stream.owner = this;
    this.#arm(this.#settings.timeouts.idleMs);
  }

  announce(connection: ProxiedConnection | null): void {
    this.origin.announce(connection);
  }

  get exchange(): Exchange {
    return this.begun().exchange;
  }

  get #settings(): HttpSettings {
    return this.port.settings.http;
  }

  protected begun(): ClientWork {
    let work = this.#work;
    if (work === null) {
      work = this.#context.clientWork.take();
      work.begin(this);
      this.#work = work;
    }
    return work;
  }

  rest(): void {
    const work = this.#work;
    if (work === null || this.isBlocked || !this.isIdle || work.exchange.isActive) return;
    this.#work = null;
    this.#context.clientWork.give(work);
  }

  /** No request has begun, nor any byte of one. */
  get isIdle(): boolean {
    return this.#state === HEAD && !this.#headBegun && !this.#hasStash;
  }

  /** A request or a tunnel is under way, or its answer is still going out. */
  get isBusy(): boolean {
    return this.isBlocked || this.#work?.exchange.isActive === true;
  }

  get protocol(): string {
    return this.#work?.framing.is11 === false ? 'HTTP/1.0' : 'HTTP/1.1';
  }

  protected get isClosed(): boolean {
    return this.#state === CLOSED;
  }

  get #hasStash(): boolean {
    return this.#work !== null && this.#work.stash !== null;
  }

  get #headBegun(): boolean {
    return this.#work !== null && this.#work.reader.head !== null;
  }

  onConnect(): void {}

  onBytes(bytes: Buffer, end: number, from = 0): void {
    this.#context.time = this.#context.system.now();
    switch (this.#state) {
      case LINGER:
      case CLOSED:
        return;
      case TUNNEL:
        this.tunnelMoved();
        this.stream.ownIfLarge(end);
        this.exchange.tunnelBytes(bytes, 0, end, this.stream);
        return;
      case WAIT:
        this.#keep(bytes, 0, end);
        return;
      default:
        this.#feed(bytes, from, end);
        this.flush();
        this.rest();
    }
  }

  onEnd(): void {
    this.#peerEnded = true;
    this.#context.time = this.#context.system.now();
    switch (this.#state) {
      case HEAD:
      case LINGER:
        if (this.#hasStash) break;
        // Half a head, or nothing: there is nobody to answer, but perhaps somebody who still takes an answer.
        this.flush();
        if (this.isBlocked) this.#linger();
        else this.close();
        break;
      case BODY_LENGTH:
      case BODY_CHUNKED:
        this.exchange.abort('client_reset');
        break;
      case TUNNEL:
        this.exchange.tunnelEnd();
        break;
      default:
        // The request is whole; a client may close its half and still wait for answers, also to what it sent ahead.
        if (!this.#hasStash) this.keepAlive = false;
    }
  }

  onWritable(): void {
    if (!this.isBlocked) return;
    this.isBlocked = false;
    if (this.#state === CLOSED) return;
    const now = this.#context.system.now();
    this.#context.time = now;
    this.begun().taking.pause(now);
    if (this.#state === LINGER) {
      this.#linger();
      return;
    }
    this.#watch();
    this.exchange.onClientWritable();
    if (this.#hasStash && this.#state === HEAD) {
      this.#proceed();
      this.flush();
    }
    this.rest();
  }

  onClosed(): void {
    if (this.#state !== CLOSED) {
      this.#context.time = this.#context.system.now();
      this.#free();
      this.#work?.exchange.clientGone('client_reset');
    }
    // Nobody calls this connection any more.
    const work = this.#work;
    this.#work = null;
    if (work !== null && !work.exchange.isActive) this.#context.clientWork.give(work);
  }

  onTimer(): void {
    const now = this.#context.time;
    const settings = this.#settings;
    const isTunnel = this.#state === TUNNEL;
    if (this.isBlocked && this.begun().isStalled(now, settings, this.stream.unsent, isTunnel)) {
      this.exchange.abort('client_stalled');
      return;
    }
    switch (this.#state) {
      case HEAD:
        if (!this.#headBegun && !this.isBlocked) {
          this.close();
          return;
        }
        if (!this.#headBegun || !this.begun().headFailed(now, settings)) break;
        // An empty line alone is no request, and nobody waits for an answer to it.
        if (this.begun().reader.head!.untouched) this.close();
        else this.exchange.refuse('request_timeout');
        this.flush();
        return;
      case BODY_LENGTH:
      case BODY_CHUNKED: {
        const reason = this.begun().bodyFailure(now, settings, this.#context.timeouts.backendBody);
        if (reason === null) break;
        this.exchange.bodyTimeout(reason);
        this.flush();
        return;
      }
      case TUNNEL:
      case LINGER:
        if (this.isBlocked) break;
        if (!isTunnel) this.close();
        else if (this.exchange.webSocket === null) this.exchange.abort('tunnel_idle');
        else this.exchange.webSocket.drain('tunnel_idle');
        return;
    }
    this.#watch();
  }

  /** Sets the timer to when something may next be overdue. */
  #watch(): void {
    const now = this.#context.time;
    const settings = this.#settings;
    const { backendBody, drainIdle } = this.#context.timeouts;
    let wait = this.isBlocked ? this.begun().nextTakingLook(now, settings) : 0;
    switch (this.#state) {
      case HEAD:
        if (this.#headBegun) wait = soonest(wait, this.begun().headLeft(now, settings));
        else if (!this.isBlocked) wait = this.port.isDraining ? drainIdle : settings.timeouts.idleMs;
        break;
      case BODY_LENGTH:
      case BODY_CHUNKED:
        wait = soonest(wait, this.begun().nextBodyLook(now, settings, backendBody));
        break;
      case TUNNEL:
        if (!this.isBlocked) wait = settings.timeouts.tunnelIdleMs;
        break;
    }
    this.#arm(wait);
  }

  #arm(milliseconds: number): void {
    if (milliseconds > 0) this.#context.wheel.set(this.#timer, milliseconds);
    else this.#context.wheel.clear(this.#timer);
  }

  /** Something threw while this connection was worked on, wherever that began. */
  onFault(error: unknown): void {
    this.#context.faults.report(error);
    this.#feeding = false;
    this.#passOver = false;
    if (this.#state === CLOSED && this.#work?.exchange.isActive !== true) return;
    try {
      if (this.#state === HEAD && this.#headBegun) {
        this.exchange.refuse('internal_error');
        this.flush();
      } else this.exchange.fault();
    } catch (second) {
      this.#context.faults.report(second);
      this.#letGo();
    }
  }

  /** The thread ends: a request that waits for its answer is told so. Never throws. */
  abort(): void {
    this.#feeding = false;
    this.#passOver = false;
    try {
      if (this.#state === HEAD && this.#headBegun) this.exchange.refuse('worker_failed');
      else if (this.#work?.exchange.isActive === true) this.exchange.fail('worker_failed');
      this.flush();
    } catch {
      // There is nobody left to tell.
    }
  }

  /** Without asking anybody who might throw again. */
  #letGo(): void {
    this.#state = CLOSED;
    if (this.output.owner === this) this.output.writer.length = 0;
    this.#context.wheel.remove(this.#timer);
    try {
      this.port.closed(this);
    } catch (error) {
      this.#context.faults.report(error);
    }
    this.stream.reset();
  }

  /** While draining: an idle connection goes when no request has come for a moment, a WebSocket is asked to go. */
  drain(): void {
    this.#work?.exchange.webSocket?.drainSoon();
    if (this.isIdle) this.#context.wheel.set(this.#timer, this.#context.timeouts.drainIdle);
  }

  /** It may stay no longer. */
  cutOff(reason: ResponseReason): void {
    if (this.#work === null) this.close();
    else this.#work.exchange.abort(reason);
  }

  close(): void {
    this.cut(false);
  }

  /** Cuts the connection; `visibly` where a plain end could be taken for the end of the message. */
  cut(visibly: boolean): void {
    if (this.#state === CLOSED) return;
    if (this.output.owner === this) this.output.writer.length = 0;
    this.#free();
    if (visibly) this.stream.reset();
    else this.stream.destroy();
  }

  cutAnswer(): void {
    this.leave(true);
  }

  leave(isUnderWay: boolean): void {
    // What nothing but the end of the connection ends would be taken for whole (RFC 9112 section 8).
    this.cut(isUnderWay && this.#work?.framing.toClose === true);
  }

  pauseRequest(): void {
    this.stream.pause();
    this.awaitBody();
  }

  resumeRequest(): void {
    if (this.begun().stashLength > this.#settings.limits.pipelinedBytes) return;
    this.stream.resume();
    this.awaitBody();
  }

  awaitBody(): void {
    if (this.#state !== BODY_LENGTH && this.#state !== BODY_CHUNKED) return;
    const work = this.begun();
    work.awaitBody(this.#context.time, this.stream.paused || work.exchange.awaitsContinue);
    this.#watch();
  }

  sendUpgrade(head: MessageHead, additions: AnswerAdditions): void {
    writeUpgradeHead(this.writer(additions.headers?.added.length), head, additions);
    this.flush();
    this.#state = TUNNEL;
    this.#watch();
    // First: the backend may not take all that is kept, and then no more is read.
    this.stream.resume();
    const stash = this.begun().takeStash();
    if (stash !== null) this.exchange.tunnelBytes(stash, 0, stash.length, this.stream);
    if (this.#peerEnded) this.exchange.tunnelEnd();
  }

  endTunnel(): void {
    this.flush();
    this.stream.end();
  }

  endAfterWrites(): void {
    if (this.#state === CLOSED) return;
    this.flush();
    this.#linger();
  }

  answered(): void {
    if (this.#state === CLOSED) return;
    if (this.#feeding && this.#state === BODY_LENGTH && this.keepAlive) {
      // The body of a request that needed none of it: it is here whole, and passed over.
      this.#passOver = true;
      return;
    }
    const requestComplete = this.#state === WAIT || this.#state === HEAD;
    this.stream.share();
    if (!requestComplete || !this.keepAlive || (this.#peerEnded && !this.#feeding && !this.#hasStash)) {
      this.flush();
      // Nothing more comes that a close would answer by a reset, which could overtake the answer.
      if (requestComplete && this.#isLast && !this.#feeding && !this.isBlocked) this.close();
      else this.#linger();
      return;
    }
    this.#state = HEAD;
    this.#watch();
    if (!this.#feeding) this.#proceed();
  }

  /** What has been sent ahead is worked off, as far as the client takes the answers. */
  #proceed(): void {
    if (this.#hasStash && this.isBlocked) return;
    const stash = this.begun().takeStash();
    if (stash !== null) this.#feed(stash, 0, stash.length, true);
    if (this.#hasStash) return;
    // As if it came only now.
    if (this.#peerEnded) this.onEnd();
    else if (this.#state === HEAD) this.stream.resume();
  }

  /** The next message's start is in doubt, or unwanted: say no more, hear a little more, go. */
  #linger(): void {
    this.#state = LINGER;
    this.#work?.dropStash();
    this.#work?.reader.drop();
    // An end that waits for writes could not be turned into a reset any more.
    if (!this.isBlocked) this.stream.end();
    this.stream.resume();
    if (this.#peerEnded && !this.stream.writing) {
      this.close();
      return;
    }
    if (this.isBlocked) this.#watch();
    else this.#context.wheel.set(this.#timer, this.#context.timeouts.linger);
  }

  /** `isOurs`: memory of its own, of which what is kept can be kept as it is. */
  #feed(bytes: Buffer, from: number, end: number, isOurs = false): void {
    this.#feeding = true;
    let at = from;
    while (at < end) {
      // Whoever does not take answers has no more made, or they would be kept here.
      if (this.#state === HEAD && (!this.isBlocked || this.#headBegun)) at = this.#readHead(bytes, at, end);
      else if (this.#state === BODY_LENGTH) {
        const take = Math.min(this.#left, end - at);
        this.#left -= take;
        this.exchange.requestBytes(bytes, at, at + take, this.stream);
        at += take;
        if (this.#left === 0 && this.#state === BODY_LENGTH) this.#requestComplete(null);
      } else if (this.#state === BODY_CHUNKED) at = this.#readChunks(bytes, at, end);
      else if (this.#state === WAIT || this.#state === HEAD) {
        this.#keep(bytes, at, end, isOurs);
        at = end;
      } else at = end;
    }
    this.#feeding = false;
    if (this.#state === BODY_LENGTH || this.#state === BODY_CHUNKED) {
      this.exchange.dispatch();
      // dispatch can answer, and so end, the exchange.
      const state: number = this.#state;
      if (state !== BODY_LENGTH && state !== BODY_CHUNKED) return;
      this.stream.own();
      const work = this.begun();
      work.received += end;
      if (work.sending.runs) work.sending.moved(this.#context.time, work.received);
      if (!work.sending.runs || this.stream.paused) this.awaitBody();
    }
  }

  #readHead(bytes: Buffer, from: number, end: number): number {
    const work = this.begun();
    const { reader } = work;
    const isFirst = reader.head === null;
    if (isFirst) {
      work.startedAt = this.#context.time;
      this.origin.forget();
      work.framing.reset(true);
    }
    const result = reader.read(bytes, from, end, this.#settings);
    if (result === HEAD_MORE) {
      if (isFirst) this.#watch();
      return end;
    }
    const head = reader.head!;
    if (result === HEAD_FAILED) {
      if (head.fault === 'version_not_supported' && this.#becomesHttp2(end)) return end;
      this.exchange.refuseFault(head.fault!);
      return end;
    }
    if (this.origin.peer === '') {
      // It was reset before anybody asked whose it is: nobody is there to answer, and nobody to forward for.
      this.close();
      return end;
    }
    if (!this.origin.identify(this.port.addressing, head)) {
      this.exchange.refuseFault('invalid_field_value');
      return end;
    }
    const at = reader.next;
    const framing = head.framing;
    work.framing.reset(head.version === 11);
    this.#requests += 1;
    const most = this.#settings.limits.requestsPerConnection;
    this.keepAlive = framing.keepAlive && (most === 0 || this.#requests < most);
    this.#isLast = !framing.keepAlive;
    if (!this.isBlocked) this.#context.wheel.clear(this.#timer);
    if (framing.chunked) {
      this.#state = BODY_CHUNKED;
      work.chunked ??= new ChunkedDecoder();
      work.chunked.reset(this.#settings.limits, !framing.namedFields);
    } else if (framing.contentLength > 0) {
      this.#state = BODY_LENGTH;
      this.#left = framing.contentLength;
    } else this.#state = WAIT;
    const hasBody = this.#state !== WAIT;
    if (hasBody) work.beginBody();
    const wholeBody = !hasBody || (framing.contentLength > 0 && framing.contentLength <= end - at);
    this.exchange.begin(head, hasBody, wholeBody);
    reader.drop();
    if (!hasBody && this.#state === WAIT) this.exchange.requestEnd(null);
    return at;
  }

  /** The client speaks HTTP/2 by prior knowledge (RFC 9113 section 3.3). */
  #becomesHttp2(end: number): boolean {
    const { reader } = this.#work!;
    const { bytes, base } = reader.head!;
    const last = reader.kept === 0 ? end : reader.kept;
    const isFirst = this.#requests === 0 && this.#settings.http2.enabled && !this.#peerEnded;
    if (!isFirst || !beginsPreface(bytes, base, last)) return false;
    const successor = new Http2ClientConnection(this.#context, this.port, this.stream, this.origin);
    this.#context.wheel.remove(this.#timer);
    this.#state = CLOSED;
    this.port.becomes(this, successor);
    successor.onBytes(bytes, last, base);
    this.#work!.reader.drop();
    return true;
  }

  #readChunks(bytes: Buffer, from: number, end: number): number {
    const decoder = this.#work!.chunked!;
    let at = from;
    while (this.#state === BODY_CHUNKED) {
      const result = decoder.next(bytes, at, end);
      at = decoder.position;
      if (result === CHUNK_DATA)
        this.exchange.requestBytes(bytes, decoder.dataStart, decoder.dataEnd, this.stream);
      else if (result === CHUNK_END) this.#requestComplete(decoder.trailer);
      else if (result === CHUNK_FAILED) {
        this.exchange.requestFault(decoder.fault!);
        return end;
      } else return end;
    }
    return at;
  }

  #requestComplete(trailer: MessageHead | null): void {
    this.stream.share();
    this.#state = WAIT;
    if (!this.isBlocked) this.#context.wheel.clear(this.#timer);
    if (this.#passOver) {
      this.#passOver = false;
      this.answered();
    } else this.exchange.requestEnd(trailer);
  }

  #keep(bytes: Buffer, from: number, end: number, isOurs = false): void {
    if (from === end) return;
    this.#isLast = false;
    const work = this.begun();
    // Behind a request to upgrade comes the new protocol, or nothing that is read.
    if (!this.keepAlive && !work.exchange.wantsUpgrade) return;
    work.keep(bytes, from, end, isOurs);
    if (this.#state === HEAD || work.stashLength > this.#settings.limits.pipelinedBytes) this.stream.pause();
  }

  protected block(): void {
    if (this.isBlocked) return;
    this.isBlocked = true;
    const work = this.begun();
    work.taking.run(this.#context.time, work.written - this.stream.unsent);
    this.#watch();
    this.exchange.onClientBlocked();
  }

  protected tunnelMoved(): void {
    if (!this.isBlocked) this.#arm(this.#settings.timeouts.tunnelIdleMs);
  }

  #free(): void {
    this.#state = CLOSED;
    this.#work?.dropStash();
    this.#work?.reader.drop();
    this.#context.wheel.remove(this.#timer);
    this.port.closed(this);
  }
}
