import type { Socket } from 'node:net';
import { connect } from 'node:net';
import { Duplex } from 'node:stream';
import type { ConnectionOptions, TLSSocket } from 'node:tls';
import { connect as connectTls } from 'node:tls';

/**
 * A client in the middle of its handshake: it has sent its ClientHello, and what the server answers to that is kept
 * from it until `release`.
 */
export class HeldClient {
  readonly socket: TLSSocket;
  /** The handshake is done, or the connection has ended before. */
  readonly done: Promise<'secured' | 'closed'>;
  /** The server's first bytes have come. */
  readonly held: Promise<void>;
  readonly #raw: Socket;
  readonly #wire: Duplex;
  #pieces: Buffer[] | null = [];

  constructor(port: number, options: ConnectionOptions) {
    const raw = connect({ port, host: '127.0.0.1', noDelay: true });
    this.#raw = raw;
    raw.on('error', () => {});
    const wire = new Duplex({
      read() {},
      write(bytes: Buffer, _encoding, done) {
        raw.write(bytes, () => done());
      },
      final(done) {
        raw.end(() => done());
      },
    });
    this.#wire = wire;
    this.held = new Promise((resolve) => raw.once('data', () => resolve()));
    raw.on('data', (bytes: Buffer) => {
      if (this.#pieces === null) wire.push(bytes);
      else this.#pieces.push(bytes);
    });
    raw.once('close', () => wire.push(null));
    this.socket = connectTls({ socket: wire, rejectUnauthorized: false, ...options });
    this.socket.on('error', () => {});
    this.done = new Promise((resolve) => {
      this.socket.once('secureConnect', () => resolve('secured'));
      for (const event of ['close', 'end']) this.socket.once(event, () => resolve('closed'));
    });
  }

  release(): this {
    const pieces = this.#pieces ?? [];
    this.#pieces = null;
    for (const bytes of pieces) this.#wire.push(bytes);
    return this;
  }

  /** The connection itself has ended. */
  get closed(): Promise<void> {
    return new Promise((resolve) => {
      if (this.#raw.closed) resolve();
      else this.#raw.once('close', () => resolve());
    });
  }

  destroy(): void {
    this.#raw.destroy();
    this.socket.destroy();
  }
}
