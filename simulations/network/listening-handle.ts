import type { StreamHandle } from '../../src/os/stream-handle.ts';
import type { Listening } from '../../src/os/system.ts';
import type { Side } from './side.ts';
import { SocketHandle, type SocketHost } from './socket-handle.ts';

export interface ListeningHost extends SocketHost {
  /** Until the event loop takes connections from the queue again, in ms. */
  acceptDelay(): number;
  stopped(listening: ListeningHandle): void;
}

export interface ListeningOptions {
  readonly port: number;
  readonly backlog: number;
  /** With other sockets that do so too. */
  readonly sharesPort: boolean;
}

/**
 * A socket that listens. What has connected waits in the kernel's queue until the event loop takes it; when the socket
 * is closed, what is still there is reset.
 */
export class ListeningHandle implements Listening {
  readonly port: number;
  readonly sharesPort: boolean;
  readonly #host: ListeningHost;
  readonly #taken: (handle: StreamHandle) => void;
  readonly #queue: Side[] = [];
  #backlog: number;
  #closed = false;

  constructor(host: ListeningHost, options: ListeningOptions, taken: (handle: StreamHandle) => void) {
    this.port = options.port;
    this.sharesPort = options.sharesPort;
    this.#host = host;
    this.#backlog = options.backlog;
    this.#taken = taken;
    host.network.listen(host.name, this.port, this);
  }

  offer(side: Side): boolean {
    if (this.#queue.length > this.#backlog) return false;
    this.#queue.push(side);
    this.#host.network.clock.after(this.#host.acceptDelay(), () => this.#host.soon(() => this.#take()));
    return true;
  }

  limit(backlog: number): void {
    this.#backlog = backlog;
  }

  /** Also when the thread is dead. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#host.network.unlisten(this.#host.name, this.port, this);
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
    else this.#taken(SocketHandle.accepted(this.#host, side));
  }
}
