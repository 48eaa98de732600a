import type { ClusterTls } from '../../model/tls.ts';
import { SocketStream } from '../../os/socket-stream.ts';
import type { Context } from '../context.ts';
import type { TimerOwner } from '../timer-wheel.ts';
import { Timer } from '../timer-wheel.ts';
import type { BackendHandshakeOwner } from '../tls/backend-handshake.ts';
import { BackendHandshake, OFFER_BOTH, OFFER_HTTP1, OFFER_HTTP2 } from '../tls/backend-handshake.ts';
import type { EndpointState } from './endpoint-state.ts';
import type { Http2UpstreamConnection } from './http2-connection.ts';
import type { SharedConnections } from './shared-connections.ts';
import type { Connecting, UpstreamUser } from './upstream-user.ts';
import type { ClosedConnection } from './warm-connections.ts';

/** Who the backend of a request has to show that it is, where its cluster does not say: its host, or else its address. */
export function hostOf(user: UpstreamUser, endpoint: EndpointState): string {
  return user.hostname() || endpoint.config.address;
}

/**
 * A connection that is being made, and the requests that wait for it. Which version of HTTP it speaks is known in the
 * end; one of HTTP/2 is there when the backend's SETTINGS have come, so that its limits hold for the first request and
 * a backend that speaks something else has processed nothing.
 *
 *     TCP ──> (TLS, ALPN) ──┬── HTTP/1.1 ──> UpstreamConnection
 *                           └── preface, SETTINGS ──> Http2UpstreamConnection
 */
export class Dial implements Connecting, ClosedConnection, BackendHandshakeOwner, TimerOwner {
  readonly endpoint: EndpointState;
  readonly slot: number;
  readonly openedAt: number;
  readonly requests = 0;
  readonly riders: UpstreamUser[] = [];
  /** Where the backend has to show that it is the one its request is for: that host, or empty. */
  hostname = '';
  /** Begun when the backend was spoken to in another way: it finishes what it has, and takes no more. */
  isOutdated = false;
  /** For a request that HTTP/2 cannot carry. */
  readonly isHttp1: boolean;
  readonly #context: Context;
  readonly #shared: SharedConnections;
  readonly #timer: Timer;
  readonly #stream: SocketStream;
  /** Once it is connected and the backend's SETTINGS are waited for. */
  #line: Http2UpstreamConnection | null = null;
  #isOver = false;
  #timedOut = false;

  constructor(
    context: Context,
    shared: SharedConnections,
    endpoint: EndpointState,
    slot: number,
    isHttp1: boolean,
  ) {
    this.#context = context;
    this.#shared = shared;
    this.endpoint = endpoint;
    this.slot = slot;
    this.isHttp1 = isHttp1;
    this.openedAt = context.time;
    this.#timer = new Timer(this);
    const { address, port } = endpoint.config;
    this.#stream = SocketStream.connecting(context.system, address, port, this);
    context.wheel.set(this.#timer, shared.pool.connectTimeoutMs);
  }

  carry(user: UpstreamUser): void {
    if (this.riders.length === 0 && this.#shared.pool.settings.tls?.serverName === '')
      this.hostname = hostOf(user, this.endpoint);
    this.riders.push(user);
    this.endpoint.shared += 1;
    user.connecting = this;
  }

  leave(user: UpstreamUser): void {
    const at = this.riders.indexOf(user);
    if (at === -1) return;
    this.riders.splice(at, 1);
    this.endpoint.shared -= 1;
  }

  /** It has come about, or not: who waited for it waits no longer. */
  unload(): UpstreamUser[] {
    const riders = this.riders.splice(0);
    this.endpoint.shared -= riders.length;
    for (const user of riders) user.connecting = null;
    return riders;
  }

  /** The backend's SETTINGS have come. */
  ready(): void {
    if (this.#isOver) return;
    const line = this.#line!;
    this.#end();
    try {
      this.#shared.established(this, line);
    } catch (error) {
      this.#context.faults.report(error);
      // Whoever still waits for it must hear that it is in vain.
      const isLine = this.endpoint.lines.includes(line);
      if (isLine) line.retire();
      else line.drop();
      this.#shared.failed(this, 'internal_error', false, !isLine);
    }
  }

  /** `reason` is the system's code, or a word of ours. */
  fail(reason: string): void {
    if (this.#isOver) return;
    this.#end();
    if (this.#line === null) this.#stream.destroy();
    this.#shared.failed(this, reason, this.#timedOut);
  }

  /** Its cluster goes at once. */
  shut(): void {
    if (this.#isOver) return;
    this.#end();
    const line = this.#line;
    if (line === null) this.#stream.destroy();
    else line.drop();
    this.#shared.abandoned(this);
  }

  onConnect(): void {
    if (this.#isOver) return;
    const { tls } = this.#shared.pool.settings;
    if (tls === null) this.#agreed('');
    else this.#secure(tls);
  }

  onSecured(alpn: string): void {
    if (!this.#isOver) this.#agreed(alpn);
  }

  #secure(tls: ClusterTls): void {
    const { id, config } = this.endpoint;
    const { pool } = this.#shared;
    const security = this.#context.tls.backends.of(pool.name, tls);
    if (security === null) {
      this.fail('certificate_missing');
      return;
    }
    const name = tls.serverName || this.hostname || config.address;
    const offer = this.isHttp1 ? OFFER_HTTP1 : pool.settings.protocol === 'HTTP2' ? OFFER_HTTP2 : OFFER_BOTH;
    new BackendHandshake(security, this.#stream, this, id, name).begin(offer);
  }

  onBytes(): void {}

  onEnd(): void {
    this.fail('closed');
  }

  onWritable(): void {}

  onClosed(code: string): void {
    if (code === 'ETIMEDOUT') this.#timedOut = true;
    this.fail(this.#timedOut ? 'timeout' : code === '' ? 'closed' : code);
  }

  onTimer(): void {
    this.#timedOut = true;
    if (this.#line === null) this.#stream.destroy();
    else this.#line.drop();
    this.fail('timeout');
  }

  onFault(error: unknown): void {
    this.#context.faults.report(error);
    try {
      this.fail('internal_error');
    } catch (second) {
      this.#context.faults.report(second);
    }
  }

  /** `protocol`: what ALPN has given, or '' where nobody asked. */
  #agreed(protocol: string): void {
    const isHttp2 =
      protocol === 'h2' ||
      (protocol === '' && !this.isHttp1 && this.#shared.pool.settings.protocol === 'HTTP2');
    if (isHttp2) {
      this.#line = this.#shared.begin(this, this.#stream);
      return;
    }
    this.#end();
    this.#shared.agreedOnHttp1(this, this.#stream);
  }

  #end(): void {
    this.#isOver = true;
    this.#context.wheel.remove(this.#timer);
    const { dials } = this.endpoint;
    dials.splice(dials.indexOf(this), 1);
  }
}
