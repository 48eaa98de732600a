import type { HttpSettings } from '../../model/http-settings.ts';
import type { ResponseReason } from '../../model/response-reason.ts';
import { ERROR_CODE } from '../../wire/h2/error-code.ts';
import type { HeaderBlock } from '../../wire/h2/header-block.ts';
import type { Http2Fault } from '../../wire/h2/http2-fault.ts';
import type { Http2Stream, Http2StreamOwner } from '../../wire/h2/stream.ts';
import type { Fault } from '../../wire/http1/fault.ts';
import type { MessageHead } from '../../wire/message/message-head.ts';
import { ClientPace } from '../client/client-pace.ts';
import type { AnswerAdditions, Downstream, LocalAnswer } from '../client/downstream.ts';
import { Exchange } from '../client/exchange.ts';
import { localBody } from '../client/local-answer.ts';
import { soonest } from '../client/pace.ts';
import type { ClientOrigin } from '../client-address/client-origin.ts';
import type { Context } from '../context.ts';
import type { ServedPort } from '../served-port.ts';
import type { TimerOwner } from '../timer-wheel.ts';
import { Timer } from '../timer-wheel.ts';
import type { BodyKind } from '../upstream/upstream-user.ts';
import { BODY_LENGTH, BODY_NONE } from '../upstream/upstream-user.ts';
import {
  sendAnswerHead,
  sendInterimHead,
  sendLocalHead,
  sendTrailer,
  sendTrailerLines,
  sendTunnelHead,
  trailerLines,
} from './answer-head.ts';
import type { Http2ClientConnection } from './client-connection.ts';
import { GatheredBytes } from './gathered-bytes.ts';

const NOTHING = Buffer.alloc(0);
const NO_LENGTH = -1;
/** Pieces of a body below this wait for the end of the read they came with. */
const SMALL_BYTES = 1024;

/**
 * A request on a client's HTTP/2 connection, and its answer; its life is the Exchange's. Used again for other
 * requests, of one connection after the other.
 */
export class Http2ClientStream implements Downstream, Http2StreamOwner, TimerOwner {
  /** Whether the connection goes on is not up to one request. */
  keepAlive = true;
  readonly protocol = 'HTTP/2';
  isBlocked = false;
  origin!: ClientOrigin;
  readonly exchange: Exchange;
  readonly #context: Context;
  readonly #timer = new Timer(this);
  readonly #pace = new ClientPace();
  #connection!: Http2ClientConnection;
  /** Null between two requests. */
  #stream: Http2Stream | null = null;
  /** The exchange has given the answer whole, or given up. */
  #isAnswered = false;
  #isTunnel = false;
  /** It asks for a WebSocket: what comes before the answer is gathered, up to the window. */
  #asksTunnel = false;
  /** Bytes of the body that have come while the backend took none; they are credited when it does. */
  #held = 0;
  #isHeld = false;
  /** Pieces that are passed on when the read is over, when the backend takes bytes again, or as a tunnel's first. */
  readonly #gathered = new GatheredBytes();
  #hasBody = false;
  /** The connection dispatches it when the read is over. */
  #isDue = false;
  #isDispatched = false;
  /** Of the answer's body what its length announces and has not been written; NO_LENGTH: not known. */
  #left = NO_LENGTH;
  /** Bytes of the answer that the client does not take yet. */
  #rest: Buffer = NOTHING;
  /** Bytes both ways when a call that may be quiet was looked at last. */
  #movedBefore = -1;
  #isEnding = false;
  #trailer: Buffer | null = null;

  constructor(context: Context) {
    this.#context = context;
    this.exchange = new Exchange(context);
    this.exchange.serve(this);
  }

  get port(): ServedPort {
    return this.#connection.port;
  }

  get #settings(): HttpSettings {
    return this.#connection.port.settings.http;
  }

  begin(connection: Http2ClientConnection, stream: Http2Stream, head: HeaderBlock, ended: boolean): void {
    this.#connection = connection;
    this.#stream = stream;
    stream.owner = this;
    this.keepAlive = true;
    this.isBlocked = false;
    this.#isAnswered = false;
    this.#isTunnel = false;
    this.#asksTunnel = head.protocol !== '';
    this.#held = 0;
    this.#isHeld = false;
    this.#hasBody = !ended;
    this.#isDispatched = false;
    this.#left = NO_LENGTH;
    this.#isEnding = false;
    this.#movedBefore = -1;
    this.#pace.startedAt = this.#context.time;
    this.#pace.written = 0;
    this.#pace.taking.reset(0);
    this.origin = connection.origin.forRequest();
    if (head.fault !== null) {
      this.exchange.refuseFault(head.fault);
      return;
    }
    if (!this.origin.identify(this.port.addressing, head)) {
      this.exchange.refuseFault('invalid_field_value');
      return;
    }
    const hasBody = !ended && !this.#asksTunnel;
    if (hasBody) this.#pace.beginBody();
    this.exchange.begin(head, hasBody, true);
    if (this.#stream !== stream || this.#isAnswered) return;
    // Not at once: the same read may take it back.
    this.#dispatchLater();
  }

  #dispatchLater(): void {
    if (this.#isDue) return;
    this.#isDue = true;
    this.#connection.dispatchLater(this);
  }

  /** All that one read brought of the request has been told. */
  dispatch(): void {
    this.#isDue = false;
    if (this.#stream === null || this.#isAnswered) return;
    if (this.#isDispatched) {
      if (!this.#isHeld) this.#passGathered();
      return;
    }
    this.#isDispatched = true;
    if (!this.#hasBody || this.#asksTunnel) {
      this.exchange.requestEnd(null);
      return;
    }
    this.exchange.dispatch();
    if (this.#stream !== null && !this.#isAnswered && this.#hasBody && !this.#pace.sending.runs)
      this.awaitBody();
  }

  onHead(): void {}

  onInterim(): void {}

  onData(bytes: Buffer, start: number, end: number): void {
    try {
      this.#receive(bytes, start, end);
    } catch (error) {
      this.onFault(error);
    }
  }

  #receive(bytes: Buffer, start: number, end: number): void {
    const stream = this.#stream!;
    const size = end - start;
    if (this.#isAnswered) {
      // What nobody waits for is passed over, until the client has heard that it is not needed.
      stream.consumed(size);
      return;
    }
    const pace = this.#pace;
    pace.received += size;
    if (pace.sending.runs) pace.sending.moved(this.#context.time, pace.received);
    this.#held += size;
    const isEarly = this.#asksTunnel && !this.#isTunnel;
    if (this.#isHeld || isEarly || (size < SMALL_BYTES && this.#isDispatched)) {
      this.#gathered.add(bytes, start, end);
      if (!this.#isHeld && !isEarly) this.#dispatchLater();
      return;
    }
    this.#passGathered();
    if (this.#stream === stream && !this.#isAnswered) this.#pass(bytes, start, end);
  }

  #pass(bytes: Buffer, start: number, end: number): void {
    const stream = this.#stream;
    if (this.#isTunnel) {
      if (!this.isBlocked) this.#watch();
      this.exchange.tunnelBytes(bytes, start, end, this.#connection.stream);
    } else this.exchange.requestBytes(bytes, start, end, this.#connection.stream);
    if (this.#stream === stream && !this.#isHeld) this.#credit();
  }

  #passGathered(): void {
    if (this.#gathered.length === 0) return;
    const bytes = this.#gathered.take();
    this.#pass(bytes, 0, bytes.length);
  }

  onEnd(trailers: HeaderBlock | null): void {
    try {
      this.#ended(trailers);
    } catch (error) {
      this.onFault(error);
    }
  }

  #ended(trailers: HeaderBlock | null): void {
    this.#hasBody = false;
    if (this.#isAnswered) {
      this.#complete();
      return;
    }
    if (this.#asksTunnel && !this.#isTunnel) return;
    const stream = this.#stream;
    this.#passGathered();
    if (this.#stream !== stream || this.#isAnswered) return;
    if (this.#isTunnel) {
      this.exchange.tunnelEnd();
      return;
    }
    // It came whole with the read that began it, and has been dispatched by this.
    this.#isDispatched = true;
    if (!this.isBlocked) this.#context.wheel.clear(this.#timer);
    if (trailers !== null && trailers.fault !== null) {
      this.exchange.requestFault(trailers.fault);
      return;
    }
    this.exchange.requestEnd(trailers);
  }

  /** The client is gone, or has broken the rules; the stream is over. */
  onReset(_code: number, fault: Fault | Http2Fault | null): void {
    const stream = this.#stream;
    if (stream === null) return;
    try {
      if (fault !== null) this.exchange.blame(fault);
      if (!this.#isAnswered) this.exchange.clientGone(fault === null ? 'client_reset' : 'bad_request');
    } catch (error) {
      this.#context.faults.report(error);
    }
    if (this.#stream === stream) this.#release();
  }

  onWritable(): void {
    try {
      this.#writable();
    } catch (error) {
      this.onFault(error);
    }
  }

  #writable(): void {
    const stream = this.#stream;
    if (stream === null || !this.isBlocked) return;
    this.#context.time = this.#context.system.now();
    this.#push();
    if (this.isBlocked || this.#stream !== stream) return;
    this.#pace.taking.pause(this.#context.time);
    if (this.#isAnswered) {
      this.#complete();
      return;
    }
    this.#watch();
    this.exchange.onClientWritable();
  }

  onTimer(): void {
    if (this.#stream === null) return;
    const now = this.#context.time;
    const settings = this.#settings;
    if (this.isBlocked && this.#pace.isStalled(now, settings, 0, this.#isTunnel)) {
      this.exchange.abort('client_stalled');
      return;
    }
    if (this.#isTunnel && !this.isBlocked) {
      const { webSocket } = this.exchange;
      if (webSocket === null) this.exchange.abort('tunnel_idle');
      else webSocket.drain('tunnel_idle');
      return;
    }
    if (this.exchange.mayBeQuiet) {
      const moved = this.#pace.received + this.#pace.written;
      if (moved === this.#movedBefore && !this.isBlocked) {
        this.exchange.abort('tunnel_idle');
        return;
      }
      this.#movedBefore = moved;
    } else if (this.#hasBody && !this.#isAnswered && !this.#asksTunnel) {
      const reason = this.#pace.bodyFailure(now, settings, this.#context.timeouts.backendBody);
      if (reason !== null) {
        this.exchange.bodyTimeout(reason);
        return;
      }
    }
    this.#watch();
  }

  /** Sets the timer to when something may next be overdue. */
  #watch(): void {
    const now = this.#context.time;
    const settings = this.#settings;
    let wait = this.isBlocked ? this.#pace.nextTakingLook(now, settings) : 0;
    if (this.#isTunnel || this.exchange.mayBeQuiet) {
      if (!this.isBlocked) wait = settings.timeouts.tunnelIdleMs;
    } else if (this.#hasBody && !this.#isAnswered && !this.#asksTunnel)
      wait = soonest(wait, this.#pace.nextBodyLook(now, settings, this.#context.timeouts.backendBody));
    if (wait > 0) this.#context.wheel.set(this.#timer, wait);
    else this.#context.wheel.clear(this.#timer);
  }

  sendInterim(head: MessageHead): void {
    sendInterimHead(this.#stream!, this.#connection.encoder, head);
  }

  sendHead(head: MessageHead, body: BodyKind, isHead: boolean, additions: AnswerAdditions): void {
    const ended = isHead || body === BODY_NONE;
    this.#left = body === BODY_LENGTH && !isHead ? head.framing.contentLength : NO_LENGTH;
    this.#isEnding = ended;
    sendAnswerHead(this.#stream!, this.#connection.encoder, head, { ...additions, isHead, body, ended });
  }

  sendLocal(answer: LocalAnswer): number {
    const isEmpty = answer.isHead || answer.grpc !== undefined;
    const body = isEmpty ? NOTHING : Buffer.from(localBody(answer), 'latin1');
    sendLocalHead(this.#stream!, this.#connection.encoder, answer);
    this.#isEnding = isEmpty;
    if (!isEmpty) {
      this.#isEnding = true;
      this.#put(body, 0, body.length);
    }
    return body.length;
  }

  sendBody(bytes: Buffer, start: number, end: number): void {
    if (this.#left !== NO_LENGTH) {
      this.#left -= end - start;
      // The end goes with the last byte.
      if (this.#left <= 0) this.#isEnding = true;
    }
    this.#put(bytes, start, end);
  }

  sendEnd(trailer: MessageHead | null): void {
    if (this.#isEnding) return;
    this.#isEnding = true;
    const stream = this.#stream!;
    if (this.isBlocked) this.#trailer = trailer === null ? null : trailerLines(trailer);
    else if (trailer === null) stream.sendData(NOTHING, 0, 0, true);
    else sendTrailer(stream, this.#connection.encoder, trailer);
  }

  sendUpgrade(head: MessageHead, additions: AnswerAdditions): void {
    this.#isTunnel = true;
    this.#left = NO_LENGTH;
    sendTunnelHead(this.#stream!, this.#connection.encoder, head, additions);
    this.#watch();
    this.#passGathered();
    if (!this.#hasBody) this.exchange.tunnelEnd();
  }

  sendTunnel(bytes: Buffer, start: number, end: number): void {
    if (!this.isBlocked) this.#watch();
    this.#put(bytes, start, end);
  }

  endTunnel(): void {
    this.sendEnd(null);
  }

  endAfterWrites(): void {
    if (this.#stream === null) return;
    this.sendEnd(null);
    this.answered();
  }

  answered(): void {
    this.#isAnswered = true;
    if (!this.isBlocked) this.#complete();
  }

  cutAnswer(): void {
    this.cut(true);
  }

  leave(isUnderWay: boolean): void {
    this.cut(isUnderWay);
  }

  cut(visibly: boolean): void {
    const stream = this.#stream;
    if (stream === null) return;
    stream.reset(visibly ? ERROR_CODE.INTERNAL_ERROR : ERROR_CODE.CANCEL);
    this.#release();
  }

  /** Sent away with a reason, whatever it is at. */
  abort(reason: ResponseReason): void {
    this.exchange.abort(reason);
  }

  /** Its connection is to go: a WebSocket is asked to. */
  drain(): void {
    this.exchange.webSocket?.drainSoon();
  }

  /** The thread ends: a request that waits for its answer is told so. */
  fail(): void {
    if (!this.#isAnswered) this.exchange.fail('worker_failed');
  }

  pauseRequest(): void {
    this.#isHeld = true;
    this.awaitBody();
  }

  resumeRequest(): void {
    this.#isHeld = false;
    const stream = this.#stream;
    if (stream === null) return;
    this.#passGathered();
    if (this.#stream !== stream || this.#isHeld) return;
    this.#credit();
    this.awaitBody();
  }

  awaitBody(): void {
    if (!this.#hasBody || this.#asksTunnel || this.#stream === null) return;
    this.#pace.awaitBody(this.#context.time, this.#isHeld || this.exchange.awaitsContinue);
    this.#watch();
  }

  /** Frames leave at the end of the turn. */
  flush(): void {}

  rest(): void {}

  onFault(error: unknown): void {
    this.#context.faults.report(error);
    const stream = this.#stream;
    if (stream === null) return;
    try {
      this.exchange.fault();
    } catch (second) {
      this.#context.faults.report(second);
    }
    if (this.#stream !== stream || this.#isAnswered) return;
    stream.reset(ERROR_CODE.INTERNAL_ERROR);
    this.#release();
  }

  #credit(): void {
    const bytes = this.#held;
    if (bytes === 0 || this.#stream === null) return;
    this.#held = 0;
    this.#stream.consumed(bytes);
  }

  /** Bytes of the answer; what the client does not take is kept, and no more is asked for. */
  #put(bytes: Buffer, start: number, end: number): void {
    const stream = this.#stream;
    if (stream === null) return;
    this.#pace.written += end - start;
    if (this.isBlocked) {
      this.#rest = Buffer.concat([this.#rest, bytes.subarray(start, end)]);
      return;
    }
    const taken = stream.sendData(bytes, start, end, this.#isEnding);
    if (start + taken === end) return;
    this.#rest = Buffer.from(bytes.subarray(start + taken, end));
    this.isBlocked = true;
    this.#pace.taking.run(this.#context.time, this.#pace.written - this.#rest.length);
    this.#watch();
    if (!this.#isAnswered) this.exchange.onClientBlocked();
  }

  /** What was kept goes on its way. */
  #push(): void {
    const stream = this.#stream!;
    const rest = this.#rest;
    if (rest.length > 0) {
      const isLast = this.#isEnding && this.#trailer === null;
      const taken = stream.sendData(rest, 0, rest.length, isLast);
      if (taken > 0) this.#pace.taking.moved(this.#context.time, this.#pace.written - rest.length + taken);
      this.#rest = taken === rest.length ? NOTHING : rest.subarray(taken);
      if (this.#rest.length > 0) return;
      this.isBlocked = false;
      if (isLast) return;
    }
    this.isBlocked = false;
    if (!this.#isEnding) return;
    const trailer = this.#trailer;
    this.#trailer = null;
    if (trailer === null) stream.sendData(NOTHING, 0, 0, true);
    else sendTrailerLines(stream, this.#connection.encoder, trailer);
  }

  /** The answer has gone out whole. */
  #complete(): void {
    if (this.#stream !== null) this.#release();
  }

  #release(): void {
    const stream = this.#stream!;
    this.#stream = null;
    this.#rest = NOTHING;
    this.#trailer = null;
    this.#gathered.drop();
    this.#context.wheel.clear(this.#timer);
    stream.release();
    this.#connection.finished(this);
  }
}
