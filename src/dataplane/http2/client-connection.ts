import type { HttpSettings } from '../../model/http-settings.ts';
import type { ResponseReason } from '../../model/response-reason.ts';
import type { SocketStream } from '../../os/socket-stream.ts';
import { Http2Connection } from '../../wire/h2/connection.ts';
import type { Http2Local, Http2Owner } from '../../wire/h2/connection-owner.ts';
import { ERROR_CODE } from '../../wire/h2/error-code.ts';
import type { HeaderBlock } from '../../wire/h2/header-block.ts';
import type { Http2Fault } from '../../wire/h2/http2-fault.ts';
import type { Http2Stream } from '../../wire/h2/stream.ts';
import type { HpackEncoder } from '../../wire/hpack/encoder.ts';
import type { ProxiedConnection } from '../../wire/proxy-protocol/header.ts';
import type { ClientOrigin } from '../client-address/client-origin.ts';
import type { Context } from '../context.ts';
import type { AcceptedConnection } from '../port-connection.ts';
import type { ServedPort } from '../served-port.ts';
import type { TimerOwner } from '../timer-wheel.ts';
import { Timer } from '../timer-wheel.ts';
import type { Http2ClientStream } from './client-stream.ts';
import { FrameBuffer } from './frame-buffer.ts';
import { logMalformed } from './malformed-request.ts';

/** How often a connection with requests under way is looked at, in ms: whether the client still takes anything. */
const LOOK_MS = 5000;

/**
 * A client's HTTP/2 connection: each of its streams is a request of its own.
 *
 *     open ──drain──> going away ──last answer──> closing ──flushed──> closed
 *       └──────── fault, client's end ──────────────┘
 */
export class Http2ClientConnection implements AcceptedConnection, TimerOwner, Http2Owner {
  readonly stream: SocketStream;
  readonly port: ServedPort;
  readonly origin: ClientOrigin;
  readonly #context: Context;
  readonly #frames: FrameBuffer;
  readonly #engine: Http2Connection;
  readonly #timer = new Timer(this);
  readonly #streams = new Set<Http2ClientStream>();
  /** Requests with a body whose first bytes this read may have brought. */
  readonly #begun: Http2ClientStream[] = [];
  /** When a request ended last, or the connection began; ms of the monotonic clock. */
  #idleSince: number;
  #isClosing = false;
  #isClosed = false;

  constructor(context: Context, port: ServedPort, stream: SocketStream, origin: ClientOrigin) {
    this.#context = context;
    this.port = port;
    this.stream = stream;
    this.origin = origin;
    this.#frames = new FrameBuffer(stream, context.frameBlocks, context.turnEnd);
    this.#engine = new Http2Connection(
      'server',
      localOf(port.settings.http),
      this,
      this.#frames,
      context.time,
    );
    this.#idleSince = context.time;
    stream.owner = this;
    this.#engine.begin();
    context.wheel.set(this.#timer, this.#settings.timeouts.headerMs || LOOK_MS);
  }

  announce(connection: ProxiedConnection | null): void {
    this.origin.announce(connection);
  }

  get encoder(): HpackEncoder {
    return this.#engine.encoder;
  }

  get #settings(): HttpSettings {
    return this.port.settings.http;
  }

  /** A request is under way, or its answer is still going out. */
  get isBusy(): boolean {
    return this.#streams.size > 0;
  }

  onConnect(): void {}

  onBytes(bytes: Buffer, end: number, from = 0): void {
    if (this.#isClosed || this.#isClosing) return;
    this.#context.time = this.#context.system.now();
    this.#engine.receive(bytes, from, end, this.#context.time);
    this.#dispatch();
  }

  onEnd(): void {
    // Nothing more can be asked, and whoever has asked is gone: a client closes its half with the whole.
    if (this.#isClosed) return;
    this.#context.time = this.#context.system.now();
    this.#engine.end(ERROR_CODE.CANCEL);
    this.#frames.flush();
    this.close();
  }

  onWritable(): void {
    this.#frames.written();
    if (this.#isClosing) this.#closeWhenFlushed();
    else if (!this.#frames.isBlocked) {
      this.#context.time = this.#context.system.now();
      this.#engine.writable();
    }
  }

  onClosed(): void {
    if (this.#isClosed) return;
    this.#context.time = this.#context.system.now();
    this.#engine.end(ERROR_CODE.CANCEL);
    this.#free();
  }

  onFault(error: unknown): void {
    this.#context.faults.report(error);
    if (this.#isClosed) return;
    try {
      this.#engine.close(ERROR_CODE.INTERNAL_ERROR);
      this.#frames.flush();
    } catch (second) {
      this.#context.faults.report(second);
    }
    for (const stream of [...this.#streams]) stream.onReset(ERROR_CODE.INTERNAL_ERROR, null);
    this.#free();
    this.stream.reset();
  }

  onRequest(stream: Http2Stream, head: HeaderBlock, ended: boolean): void {
    const served = this.#context.clientStreams.take();
    this.#streams.add(served);
    try {
      served.begin(this, stream, head, ended);
    } catch (error) {
      served.onFault(error);
    }
  }

  onSettings(): void {}

  onGoAway(): void {
    this.#closeIfDone();
  }

  onPong(): void {}

  onStreamFault(fault: Http2Fault, head: HeaderBlock | null): void {
    this.port.firstListener?.counters.http2Faults.add(fault);
    if (head !== null) logMalformed(this.#context, this.port, this.origin, fault, head);
  }

  onConnectionFault(fault: Http2Fault): void {
    this.port.firstListener?.counters.http2Faults.add(fault);
    this.#isClosing = true;
    this.#closeWhenFlushed();
  }

  onTimer(): void {
    const now = this.#context.time;
    const { idleMs, headerMs } = this.#settings.timeouts;
    if (this.#isClosing) {
      this.stream.reset();
      this.#free();
      return;
    }
    if (!this.#engine.isSettingsAcknowledged && now - this.#idleSince >= headerMs && headerMs > 0) {
      this.#leave(ERROR_CODE.SETTINGS_TIMEOUT);
      return;
    }
    if (this.#streams.size > 0) {
      this.#context.wheel.set(this.#timer, LOOK_MS);
      return;
    }
    const most = this.port.isDraining ? this.#context.timeouts.drainIdle : idleMs;
    const left = most - (now - this.#idleSince);
    if (left > 0) this.#context.wheel.set(this.#timer, Math.min(left, LOOK_MS));
    else this.#leave(ERROR_CODE.NO_ERROR);
  }

  /** First bytes of its body may come with this read: it is dispatched after that. */
  dispatchLater(stream: Http2ClientStream): void {
    this.#begun.push(stream);
  }

  /** The stream has nothing left to do. */
  finished(stream: Http2ClientStream): void {
    if (!this.#streams.delete(stream)) return;
    this.#context.clientStreams.give(stream);
    this.#idleSince = this.#context.time;
    this.#closeIfDone();
  }

  /** While draining: no new requests, and the connection goes with its last answer. */
  drain(): void {
    this.#engine.drain();
    for (const stream of this.#streams) stream.drain();
    this.#context.wheel.set(this.#timer, this.#context.timeouts.drainIdle);
  }

  /** It may stay no longer. */
  cutOff(reason: ResponseReason): void {
    for (const stream of [...this.#streams]) stream.abort(reason);
    this.#leave(ERROR_CODE.NO_ERROR);
  }

  /** The thread ends: requests that wait for their answers are told so. Never throws. */
  abort(): void {
    for (const stream of [...this.#streams]) {
      try {
        stream.fail();
      } catch {
        // There is nobody left to tell.
      }
    }
    try {
      this.#engine.close(ERROR_CODE.INTERNAL_ERROR);
      this.#frames.flush();
    } catch {
      // As above.
    }
  }

  close(): void {
    if (this.#isClosed) return;
    this.#free();
    this.stream.destroy();
  }

  #dispatch(): void {
    const begun = this.#begun;
    if (begun.length === 0) return;
    for (const stream of begun) {
      try {
        stream.dispatch();
      } catch (error) {
        stream.onFault(error);
      }
    }
    begun.length = 0;
  }

  #closeIfDone(): void {
    if (!this.#engine.isGoingAway || this.#streams.size > 0 || this.#isClosing || this.#isClosed) return;
    // What is on its way meanwhile is refused by the second GOAWAY, or has drainIdle to come.
    if (this.port.isDraining) this.#context.wheel.set(this.#timer, this.#context.timeouts.drainIdle);
    else this.#leave(ERROR_CODE.NO_ERROR);
  }

  #leave(code: number): void {
    if (this.#isClosed || this.#isClosing) return;
    this.#isClosing = true;
    this.#engine.close(code);
    this.#closeWhenFlushed();
  }

  #closeWhenFlushed(): void {
    if (this.#isClosed) return;
    this.#frames.flush();
    if (!this.#frames.isEmpty) {
      this.#context.wheel.set(this.#timer, this.#context.timeouts.linger);
      return;
    }
    // What the client still sends must not turn the end into a reset that overtakes the last frames.
    this.stream.end();
    this.#context.wheel.set(this.#timer, this.#context.timeouts.linger);
  }

  #free(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#context.wheel.remove(this.#timer);
    this.#frames.drop();
    this.port.closed(this);
  }
}

function localOf(settings: HttpSettings): Http2Local {
  const { maxConcurrentStreams, streamWindowBytes, connectionWindowBytes } = settings.http2;
  return {
    maxConcurrentStreams,
    streamWindowBytes,
    connectionWindowBytes,
    connectProtocol: true,
    heads: settings,
  };
}
