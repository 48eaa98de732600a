import { EventEmitter } from 'node:events';
import type { Network } from './network.ts';
import type { Side } from './side.ts';
import type { HandleHost } from './socket-handle.ts';
import { SocketHandle } from './socket-handle.ts';

export interface ServerHost extends HandleHost {
  readonly name: string;
  readonly network: Network;
  /** Until the event loop takes connections from the queue again, in ms. */
  acceptDelay(): number;
  /** Another program has the port, or there are no descriptors left; null: it can be bound. */
  refusal(port: number): string | null;
  listening(server: NodeServer): void;
  stopped(server: NodeServer): void;
}

/**
 * As much of `net.Server` as `src/os/listen-socket.ts` uses. What has connected waits in the kernel's queue until the
 * event loop takes it; when the socket is closed, what is still there is reset.
 */
export class NodeServer extends EventEmitter {
  port = 0;
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

  listen({ port, backlog }: { readonly port: number; readonly backlog: number }, done: () => void): this {
    this.#host.soon(() => {
      if (this.#closed) return;
      const code = this.#host.refusal(port);
      if (code !== null) {
        this.emit('error', Object.assign(new Error(`listen ${code}`), { code }));
        return;
      }
      this.port = port;
      this.#backlog = backlog;
      this.#host.network.listen(this.#host.name, port, this);
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

  #take(): void {
    const side = this.#queue.shift();
    if (side === undefined || this.#closed) return;
    this._handle.onconnection(0, new SocketHandle(this.#host, side));
  }
}
