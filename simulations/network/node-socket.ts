import { EventEmitter } from 'node:events';
import type { Network } from './network.ts';
import type { Side, SideOwner } from './side.ts';
import type { HandleHost } from './socket-handle.ts';
import { SocketHandle } from './socket-handle.ts';

const MOST_READS = 32;

interface OnRead {
  readonly buffer: () => Uint8Array;
  readonly callback: (this: unknown, end: number, bytes: Uint8Array) => boolean;
}

export interface SocketOptions {
  readonly handle?: SocketHandle;
  readonly onread: OnRead;
}

/** What the sockets of one thread have in common. */
export interface SocketHost extends HandleHost {
  readonly name: string;
  readonly network: Network;
  readonly hasDescriptors: boolean;
  opened(socket: NodeSocket): void;
  /** The descriptor is closed; the owner may not know yet. */
  closed(socket: NodeSocket): void;
  /** The owner has been told. */
  gone(socket: NodeSocket): void;
}

/**
 * As much of `net.Socket` (Node 26, with `onread` and `allowHalfOpen`) as `src/os/socket-stream.ts` uses, over a side
 * of the simulated network. The rules that matter:
 *
 * - a read goes into the buffer that `onread.buffer` named after the read before;
 * - a paused socket reads nothing, so it sees neither the end nor a reset;
 * - it destroys itself when both directions have ended;
 * - `close` comes in a later turn than what caused it.
 */
export class NodeSocket extends EventEmitter implements SideOwner {
  connecting = false;
  destroyed = false;
  /** Writes go to the handle. */
  readonly writableLength = 0;
  _handle: SocketHandle | null = null;
  /** Where it was told to connect to; empty for an accepted one. */
  target = '';
  readonly #host: SocketHost;
  readonly #onread: OnRead;
  #buffer: Uint8Array;
  #side: Side | null = null;
  #paused = false;
  #ended = false;
  #finished = false;
  #ending = false;

  constructor(host: SocketHost, { handle, onread }: SocketOptions) {
    super();
    this.#host = host;
    this.#onread = onread;
    this.#buffer = onread.buffer();
    if (handle === undefined) return;
    this._handle = handle;
    this.#side = handle.side;
    this.#side.owner = this;
    host.opened(this);
    host.soon(() => this.onReadable());
  }

  get remoteAddress(): string | undefined {
    return this.#side?.peer;
  }

  address(): { readonly port?: number } {
    return this.#side === null ? {} : { port: this.#side.localPort };
  }

  setNoDelay(): this {
    return this;
  }

  connect({ host, port }: { readonly host: string; readonly port: number }): this {
    this.connecting = true;
    this.target = `${host}:${port}`;
    this.#host.opened(this);
    this.#host.soon(() => {
      if (this.destroyed) return;
      if (!this.#host.hasDescriptors) {
        this.#fail('EMFILE');
        return;
      }
      const side = this.#host.network.connect(this.#host.name, host, port);
      this.#side = side;
      this._handle = new SocketHandle(this.#host, side);
      side.owner = this;
    });
    return this;
  }

  onConnect(): void {
    if (this.destroyed) return;
    this.connecting = false;
    this.emit('connect');
  }

  onRoom(): void {
    this._handle?.pump();
  }

  onReadable(): void {
    const side = this.#side;
    if (side === null || this.destroyed) return;
    if (this.connecting) {
      if (side.failure !== '') this.#fail(side.failure);
      return;
    }
    // Where nothing is read, a failure is noticed by what waits to be written alone.
    for (let reads = 0; reads < MOST_READS && !this.#paused && !this.destroyed && !this.#ended; reads += 1) {
      const length = side.read(this.#buffer);
      if (length > 0) {
        this.#host.memory.reading(this.#buffer);
        this.#onread.callback.call(this, length, this.#buffer);
        this.#buffer = this.#onread.buffer();
        continue;
      }
      if (side.isBroken) this.#fail(side.failure);
      else if (side.atEnd) {
        this.#ended = true;
        this.emit('end');
        this.#destroyWhenDone();
      }
      break;
    }
    if (side.failure !== '' && !this.destroyed) this._handle?.pump();
    else if (side.incoming.available > 0 && !this.#paused && !this.destroyed)
      this.#host.soon(() => this.onReadable());
  }

  pause(): this {
    this.#paused = true;
    return this;
  }

  resume(): this {
    if (!this.#paused) return this;
    this.#paused = false;
    this.#host.soon(() => this.onReadable());
    return this;
  }

  cork(): void {}
  uncork(): void {}

  write(bytes: Uint8Array, done: (error?: Error | null) => void): boolean {
    this._handle?.writeLater(bytes, (status) => done(status < 0 ? new Error('write failed') : null));
    return false;
  }

  end(): this {
    if (this.#ending || this.destroyed) return this;
    this.#ending = true;
    this._handle?.shutdown(() => {
      if (this.destroyed) return;
      this.#finished = true;
      this.#destroyWhenDone();
    });
    return this;
  }

  destroy(): this {
    if (this.destroyed) return this;
    this.destroyed = true;
    this.connecting = false;
    this._handle?.close();
    this._handle = null;
    this.#closeLater();
    return this;
  }

  resetAndDestroy(): this {
    if (this.destroyed) return this;
    if (this.connecting) {
      this.once('connect', () => this.resetAndDestroy());
      return this;
    }
    this.destroyed = true;
    this._handle?.reset();
    this._handle = null;
    this.#closeLater();
    return this;
  }

  /** The thread is dead: the kernel closes what it had, and nobody is told. */
  abandon(): void {
    this.destroyed = true;
    if (this.#side !== null) this.#side.outgoing.isAbandoned = true;
    this.#side?.close();
    this.#side?.incoming.discard();
  }

  #destroyWhenDone(): void {
    if (this.#ended && this.#finished) this.destroy();
  }

  #fail(code: string): void {
    this.emit('error', Object.assign(new Error(code), { code }));
    this.destroy();
  }

  #closeLater(): void {
    this.#host.closed(this);
    this.#host.soon(() => {
      this.#host.gone(this);
      this.emit('close');
    });
  }
}
