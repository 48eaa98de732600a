import type { ResponseReason } from '../../model/response-reason.ts';
import { SocketStream } from '../../os/socket-stream.ts';
import type { MessageHead } from '../../wire/message/message-head.ts';
import { encodeClose, GOING_AWAY } from '../../wire/websocket/close-frame.ts';
import { FrameBoundary } from '../../wire/websocket/frame-boundary.ts';
import { isWebSocket } from '../../wire/websocket/opening-handshake.ts';
import type { Context } from '../context.ts';
import type { TimerOwner } from '../timer-wheel.ts';
import { Timer } from '../timer-wheel.ts';
import type { Upstream } from '../upstream/upstream.ts';
import type { Downstream } from './downstream.ts';

/** For which we end a WebSocket, and say so in its Close frame. */
export type Farewell = Extract<ResponseReason, 'draining' | 'tunnel_idle'>;

/** Of two ends that have said goodbye, or were waited for long enough. */
export interface TunnelOwner {
  tunnelOver(reason: Farewell): void;
}

const OPEN = 0;
/** A Close frame of ours goes at the next frame boundary. */
const DUE = 1;
/** It has gone: nothing may follow it (RFC 6455 section 5.5.1). */
const SAID = 2;

/** One way: what has gone through, up to our own Close frame. */
class Way {
  readonly boundary = new FrameBoundary();
  state: typeof OPEN | typeof DUE | typeof SAID = OPEN;
}

/** Source of frames that are no read's: writes may keep their memory for as long as they like. */
const OURS = new SocketStream();

const TO_CLIENT: Readonly<Record<Farewell, Buffer>> = {
  draining: encodeClose(GOING_AWAY, 'draining', null),
  tunnel_idle: encodeClose(GOING_AWAY, 'tunnel_idle', null),
};

/**
 * A WebSocket that goes through: its bytes unharmed, and a goodbye (RFC 6455 section 7) where it has to end before
 * its endpoints want it to. What the client has sent by then still reaches the backend, and its Close too.
 *
 *     drain ──> Close to the client, at a frame boundary      from here on the backend's frames are dropped
 *           ──> the client's Close goes on to the backend     or, after a moment without it, one of our own does
 *           ──> the backend's Close                           or a moment without it
 *           ──> over
 */
export class WebSocketTunnel implements TimerOwner {
  readonly #context: Context;
  readonly #client: Downstream;
  readonly #backend: Upstream;
  readonly #owner: TunnelOwner;
  readonly #timer = new Timer(this);
  readonly #toClient = new Way();
  readonly #toBackend = new Way();
  /** Why it is to end, once it is. */
  #reason: Farewell | null = null;
  #begun = false;
  #waited = false;

  constructor(context: Context, client: Downstream, backend: Upstream, owner: TunnelOwner) {
    this.#context = context;
    this.#client = client;
    this.#backend = backend;
    this.#owner = owner;
  }

  /** Of an upgrade that the backend has agreed to; null where it is to another protocol. */
  static of(
    context: Context,
    answer: MessageHead,
    client: Downstream,
    backend: Upstream,
    owner: TunnelOwner,
  ): WebSocketTunnel | null {
    // Over HTTP/2 nothing else is asked for (RFC 8441).
    if (answer.version !== 20 && !isWebSocket(answer.combined('upgrade') ?? '')) return null;
    return new WebSocketTunnel(context, client, backend, owner);
  }

  get reason(): Farewell | null {
    return this.#begun ? this.#reason : null;
  }

  /** Both sides have said goodbye, to each other or because of us. */
  get isOver(): boolean {
    return this.#toBackend.boundary.hasClosed && this.#toClient.boundary.hasClosed;
  }

  /** `bytes[start, end)` of the backend. */
  toClient(bytes: Buffer, start: number, end: number, source: SocketStream): void {
    const way = this.#toClient;
    if (way.state === OPEN) {
      way.boundary.follow(bytes, start, end);
      this.#client.sendTunnel(bytes, start, end, source);
    } else this.#passLast(way, bytes, start, end, source);
    if (this.#begun && this.isOver) this.#over();
  }

  /** `bytes[start, end)` of the client. */
  toBackend(bytes: Buffer, start: number, end: number, source: SocketStream): void {
    const way = this.#toBackend;
    if (way.state === OPEN) {
      way.boundary.follow(bytes, start, end);
      if (!this.#backend.sendBody(bytes, start, end, source)) this.#client.pauseRequest();
    } else this.#passLast(way, bytes, start, end, source);
    if (this.#begun && this.isOver) this.#over();
  }

  /** Its listener drains: when it begins to, is drawn; those of one worker are not to come again all at once. */
  drainSoon(): void {
    if (this.#reason !== null) return;
    const wait = this.#context.random.fraction() * this.#context.timeouts.webSocketSpread;
    if (wait === 0) {
      this.drain('draining');
      return;
    }
    this.#reason = 'draining';
    this.#context.wheel.set(this.#timer, wait);
  }

  drain(reason: Farewell): void {
    if (this.#begun) return;
    this.#begun = true;
    this.#reason = reason;
    // Where the client has said it already, the backend's answer to that is under way.
    if (!this.#toBackend.boundary.hasClosed) this.#farewell(this.#toClient);
    if (this.isOver) this.#over();
    else this.#context.wheel.set(this.#timer, this.#context.timeouts.webSocketClose);
  }

  /** It ends now: each side is told so, where a frame of ours can go. */
  lastWords(): void {
    this.#begun = true;
    this.#reason ??= 'draining';
    for (const way of [this.#toClient, this.#toBackend]) if (way.boundary.isAt) this.#farewell(way);
  }

  /** The client ends its half: where it was asked to go and did so without a word, the backend is told for it. */
  clientEnded(): void {
    if (this.#begun && this.#toBackend.boundary.isAt) this.#farewell(this.#toBackend);
  }

  /** It has ended, in whatever way. */
  stop(): void {
    this.#context.wheel.remove(this.#timer);
  }

  onTimer(): void {
    if (!this.#begun) {
      this.drain('draining');
      return;
    }
    if (this.#waited || this.#toBackend.boundary.isLost) {
      this.#over();
      return;
    }
    this.#waited = true;
    this.#farewell(this.#toClient);
    this.#farewell(this.#toBackend);
    if (this.isOver) this.#over();
    else this.#context.wheel.set(this.#timer, this.#context.timeouts.webSocketClose);
  }

  onFault(error: unknown): void {
    this.#context.faults.report(error);
    this.#over();
  }

  /** What may still go through a way that ends; the rest is only looked at, for the other side's Close. */
  #passLast(way: Way, bytes: Buffer, start: number, end: number, source: SocketStream): void {
    let at = start;
    if (way.state === DUE) {
      at = way.boundary.followFrame(bytes, start, end);
      this.#pass(way, bytes, start, at === -1 ? end : at, source);
      if (at === -1) return;
      this.#farewell(way);
    }
    way.boundary.follow(bytes, at, end);
    if (way.state === OPEN && at < end) this.#pass(way, bytes, at, end, source);
  }

  #farewell(way: Way): void {
    if (way.state === SAID) return;
    if (way.boundary.hasClosed) {
      // It was said by whom it is for: what else that side says is none of our business.
      way.state = OPEN;
      return;
    }
    if (!way.boundary.isAt) {
      way.state = DUE;
      return;
    }
    way.state = SAID;
    const reason = this.#reason!;
    const frame = way === this.#toClient ? TO_CLIENT[reason] : encodeClose(GOING_AWAY, reason, this.#mask());
    this.#pass(way, frame, 0, frame.length, OURS);
  }

  #pass(way: Way, bytes: Buffer, start: number, end: number, source: SocketStream): void {
    if (way === this.#toClient) this.#client.sendTunnel(bytes, start, end, source);
    else if (!this.#backend.sendBody(bytes, start, end, source)) this.#client.pauseRequest();
  }

  /** The frame's content is ours alone, so the key need not be hard to guess (RFC 6455 section 10.3). */
  #mask(): Uint8Array {
    return new Uint8Array(Uint32Array.of(this.#context.random.bits()).buffer);
  }

  #over(): void {
    this.stop();
    this.#owner.tunnelOver(this.#reason!);
  }
}
