import { EventEmitter } from 'node:events';
import type { Network } from './network.ts';
import type { Side } from './side.ts';
import type { HandleHost } from './socket-handle.ts';
import { SocketHandle } from './socket-handle.ts';

export interface ServerHost extends HandleHost {
  readonly name: string;
  readonly network: Network;
  readonly hasDescriptors: boolean;
  /** Until the event loop takes connections from the queue again, in ms. */
  acceptDelay(): number;
  /** Another program has the port, or there are no descriptors left; null: it can be bound. */
  refusal(port: number): string | null;
  listening(server: NodeServer): void;
  stopped(server: NodeServer): void;
}

interface ListenOptions {
  /** 0: any that is free. */
  readonly port: number;
  readonly backlog: number;
  readonly reusePort: boolean;
}

/**
 * As much of `net.Server` as `src/os/listen-socket.ts` uses. What has connected waits in the kernel's queue until the
 * event loop takes it; when the socket is closed, what is still there is reset.
 */
export class NodeServer extends EventEmitter {
  port = 0;
  sharesPort = false;
  readonly _handle: {
    onconnection: (error: number, handle: SocketHandle) => void;
    listen: (backlog: number) => number;
  };
  readonly #host: ServerHost;
  readonly #queue: Side[] = [];
  #backlog = 0;
  #closed = false;

  constructor(host: ServerHost) {
    super();
    this.#host = host;
    this._handle = {
      onconnection: () => {},
      listen: (backlog) => {
        this.#backlog = backlog;
        return 0;
      },
    };
  }

  listen({ port: asked, backlog, reusePort }: ListenOptions, done: () => void): this {
    this.#host.soon(() => {
      if (this.#closed) return;
      const { network, name } = this.#host;
      const port = asked === 0 ? network.freePort() : asked;
      const code = this.#host.refusal(port) ?? network.refusal(name, port, reusePort);
      if (code !== null) {
        this.emit('error', Object.assign(new Error(`listen ${code}`), { code }));
        return;
      }
      this.port = port;
      this.sharesPort = reusePort;
      this.#backlog = backlog;
      network.listen(name, port, this);
      this.#host.listening(this);
      done();
    });
    return this;
  }

  address(): { readonly port: number } {
    return { port: this.port };
  }

  offer(side: Side): boolean {
    if (this.#queue.length > this.#backlog) return false;
    this.#queue.push(side);
    this.#host.network.clock.after(this.#host.acceptDelay(), () => this.#host.soon(() => this.#take()));
    return true;
  }

  close(): this {
    if (this.#closed) return this;
    this.abandon();
    return this;
  }

  /** Also when the thread is dead. */
  abandon(): void {
    this.#closed = true;
    if (this.port !== 0) this.#host.network.unlisten(this.#host.name, this.port, this);
    for (const side of this.#queue.splice(0)) side.reset();
    this.#host.stopped(this);
  }

  /** A turn of the event loop: what has come is taken before anything that was put off to the next turn. */
  takeAll(): void {
    while (this.#queue.length > 0 && !this.#closed) this.#take();
  }

  #take(): void {
    const side = this.#queue.shift();
    if (side === undefined || this.#closed) return;
    // libuv keeps a descriptor in reserve, takes what waits with it, closes it and says nothing (uv__emfile_trick).
    if (!this.#host.hasDescriptors) side.close();
    else this._handle.onconnection(0, new SocketHandle(this.#host, side));
  }
}
