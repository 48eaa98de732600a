import type { SocketStream } from '../../os/socket-stream.ts';
import type { TlsHandle, TlsOwner, TlsSettings } from '../../os/tls/tls-stream.ts';
import type { ProxiedConnection } from '../../wire/proxy-protocol/header.ts';
import type { ClientHello } from '../../wire/tls/client-hello.ts';
import { ClientHelloReader } from '../../wire/tls/client-hello-reader.ts';
import { ClientOrigin } from '../client-address/client-origin.ts';
import type { Context } from '../context.ts';
import type { AcceptedConnection, PortConnection } from '../port-connection.ts';
import type { ServedListener } from '../served-listener.ts';
import type { ServedPort } from '../served-port.ts';
import type { TimerOwner } from '../timer-wheel.ts';
import { Timer } from '../timer-wheel.ts';
import type { HandshakeFailure } from './handshake-failure.ts';
import {
  ALERT_DECODE_ERROR,
  ALERT_UNRECOGNIZED_NAME,
  alertRecord,
  handshakeFailure,
} from './handshake-failure.ts';
import type { HandshakeUnderWay } from './handshakes-under-way.ts';
import type { Secured } from './secured.ts';
import { identify } from './secured.ts';

const PLAIN_HTTP = Buffer.from(
  'HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: 56\r\nConnection: close\r\n\r\n' +
    '400: a plain HTTP request was sent to a port with HTTPS\n',
  'latin1',
);

/** Makes what speaks on a connection whose handshake is done. */
export type ServeSecured = (port: ServedPort, stream: SocketStream, origin: ClientOrigin) => PortConnection;

/**
 * Has a connection to an HTTPS port until TLS is on it.
 *
 *     reading ClientHello ──listener, certificate──> handshaking ──secured──> handed on
 *           └── no TLS, unknown name ──┬──────────────────┘ failed, too long
 *                                      └──> said so, ended ──peer's end, or a moment──> closed
 */
export class TlsHandshake implements AcceptedConnection, HandshakeUnderWay, TlsOwner, TimerOwner {
  readonly isBusy = false;
  readonly #context: Context;
  readonly #port: ServedPort;
  readonly #stream: SocketStream;
  readonly #serve: ServeSecured;
  readonly #timer = new Timer(this);
  readonly #startedAt: number;
  #reader: ClientHelloReader | null = new ClientHelloReader();
  #listener: ServedListener | null;
  #serverName = '';
  #announced: ProxiedConnection | null = null;
  #isDone = false;
  /** Until it starts. */
  #settings: TlsSettings | null = null;
  #received: Buffer | null = null;

  constructor(context: Context, port: ServedPort, stream: SocketStream, serve: ServeSecured) {
    this.#context = context;
    this.#port = port;
    this.#stream = stream;
    this.#serve = serve;
    this.#listener = port.firstListener;
    this.#startedAt = context.wheel.now;
    stream.owner = this;
    this.#limit(this.#listener);
  }

  announce(connection: ProxiedConnection | null): void {
    this.#announced = connection;
  }

  onConnect(): void {}

  onBytes(bytes: Buffer, end: number, from = 0): void {
    const reader = this.#reader;
    if (this.#isDone || reader === null) return;
    this.#context.time = this.#context.system.now();
    const read = reader.read(bytes, from, end);
    if (read.outcome === 'more') return;
    this.#reader = null;
    if (read.outcome === 'hello') this.#begin(read.hello, reader.received);
    else if (read.fault === 'http') this.#refuse('http', PLAIN_HTTP);
    else if (read.fault === 'malformed') this.#refuse('malformed', alertRecord(ALERT_DECODE_ERROR));
    else this.#fail(read.fault);
  }

  onSecured(tls: TlsHandle): void {
    if (this.#isDone) return;
    try {
      this.#handOn(tls);
    } catch (error) {
      this.onFault(error);
    }
  }

  onSession(): void {}

  onWritable(): void {}

  onEnd(): void {
    // A look whether the port is open is no failure.
    if (this.#isDone || this.#reader?.untouched === true) this.close();
    else this.#fail('closed');
  }

  onClosed(): void {
    const { tls } = this.#stream;
    if (!this.#isDone && this.#reader?.untouched !== true)
      this.#count(tls === null || tls.failure === '' ? 'closed' : handshakeFailure(tls.failure));
    this.#free();
  }

  onTimer(): void {
    if (this.#isDone) this.close();
    else this.#fail('timeout');
  }

  onFault(error: unknown): void {
    this.#context.faults.report(error);
    if (!this.#isDone) this.#count('internal_error');
    this.#free();
    this.#stream.reset();
  }

  /** Nobody has asked for anything yet, but whoever has begun shall be able to; the time for that is limited. */
  drain(): void {
    if (this.#reader?.untouched === true)
      this.#context.wheel.set(this.#timer, this.#context.timeouts.drainIdle);
  }

  cutOff(): void {
    this.#fail('draining');
  }

  abort(): void {}

  start(): void {
    const settings = this.#settings;
    const received = this.#received;
    this.#settings = null;
    this.#received = null;
    if (this.#isDone || settings === null) {
      this.#context.tls.handshakes.end(this);
      return;
    }
    this.#stream.resume();
    try {
      this.#stream.secure(settings, this, received);
    } catch (error) {
      this.onFault(error);
    }
  }

  crowdedOut(): void {
    this.#fail('crowded_out');
  }

  close(): void {
    this.#free();
    this.#stream.destroy();
  }

  #begin(hello: ClientHello, received: Buffer): void {
    this.#serverName = hello.serverName;
    const listener = this.#port.listenerFor(hello.serverName);
    let settings: TlsSettings | null = null;
    if (listener !== null) {
      this.#listener = listener;
      this.#limit(listener);
      settings = listener.termination?.settingsFor(hello) ?? null;
    }
    if (settings === null) this.#refuse('unknown_name', alertRecord(ALERT_UNRECOGNIZED_NAME));
    else {
      this.#settings = settings;
      this.#received = received;
      if (this.#context.tls.handshakes.begin(this)) return;
      // What has been read is overwritten by the next read, and nothing more is read until then.
      this.#received = Buffer.from(received);
      this.#stream.pause();
    }
  }

  #handOn(tls: TlsHandle): void {
    const secured = this.#secured(tls);
    if (secured === null) return;
    this.#free(false);
    const origin = new ClientOrigin(this.#stream, secured);
    origin.announce(this.#announced);
    this.#port.becomes(this, this.#serve(this.#port, this.#stream, origin));
  }

  /** Null where the client is not let in. */
  #secured(tls: TlsHandle): Secured | null {
    const listener = this.#listener!;
    const asked = listener.termination?.tls.clientCertificates ?? null;
    const certificate = asked === null ? null : tls.peerCertificate();
    if (asked !== null && certificate === null && asked.mode === 'Required') {
      this.#fail('client_certificate_missing');
      return null;
    }
    // A session that is resumed may be older than what it stands on.
    if (certificate !== null && (tls.verifyError !== '' || Date.parse(certificate.valid_to) < Date.now())) {
      this.#fail('client_certificate_invalid');
      return null;
    }
    const isLogged = this.#context.accessLog !== null;
    return {
      listener: listener.name,
      serverName: this.#serverName,
      alpn: tls.alpn,
      protocol: isLogged ? tls.protocol : '',
      cipher: isLogged ? tls.cipher : '',
      clientCertificateHeader: asked?.header ?? '',
      client: certificate === null ? null : identify(certificate),
    };
  }

  /** From the first byte on. */
  #limit(listener: ServedListener | null): void {
    const limit = listener?.config.tls?.handshakeTimeoutMs ?? 0;
    if (limit > 0) this.#context.wheel.set(this.#timer, this.#startedAt + limit - this.#context.wheel.now);
  }

  #count(reason: HandshakeFailure): void {
    this.#isDone = true;
    this.#listener?.counters.handshakeFailures.add(reason);
  }

  #fail(reason: HandshakeFailure): void {
    if (!this.#isDone) this.#count(reason);
    this.close();
  }

  /** Says why, and waits until the client has heard it: a close at once could be a reset that overtakes it. */
  #refuse(reason: HandshakeFailure, words: Buffer): void {
    this.#count(reason);
    this.#stream.write(words);
    this.#stream.end();
    this.#context.wheel.set(this.#timer, this.#context.timeouts.linger);
  }

  #free(leavesPort = true): void {
    this.#isDone = true;
    this.#reader = null;
    this.#context.wheel.remove(this.#timer);
    this.#context.tls.handshakes.end(this);
    if (leavesPort) this.#port.closed(this);
  }
}
