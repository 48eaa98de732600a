import type { StreamHandle } from '../../src/os/stream-handle.ts';
import type { BindOptions, ConnectAttempt, ConnectOwner, Listening, System } from '../../src/os/system.ts';
import type { Prng } from '../prng.ts';
import { ListeningHandle, type ListeningHost } from './listening-handle.ts';
import type { MemoryWatch } from './memory-watch.ts';
import type { Network } from './network.ts';
import { noShortage, type Shortage } from './shortage.ts';
import { SocketHandle } from './socket-handle.ts';

export type SocketWatch = (socket: SocketHandle, change: 'opened' | 'closed' | 'gone') => void;

const TURN_MS = [0.005, 0.12] as const;

/** What is beneath one worker thread: its clock, its chance, its sockets. Ends with the thread. */
export class ThreadSystem implements System, ListeningHost {
  readonly name: string;
  readonly memory: MemoryWatch;
  readonly network: Network;
  readonly sockets = new Set<SocketHandle>();
  readonly listening = new Set<ListeningHandle>();
  readonly now: () => number;
  readonly #shortage: Shortage;
  readonly #prng: Prng;
  readonly #onSocket: SocketWatch;
  #alive = true;

  /** `host`: whose sockets these are. `onSocket` is told of each. */
  constructor(
    host: string,
    network: Network,
    prng: Prng,
    onSocket: SocketWatch,
    memory: MemoryWatch,
    shortage: Shortage = noShortage(),
  ) {
    this.#shortage = shortage;
    this.name = host;
    this.memory = memory;
    this.network = network;
    this.#prng = prng;
    this.#onSocket = onSocket;
    const { clock } = network;
    this.now = () => clock.now;
  }

  get hasDescriptors(): boolean {
    return !this.#shortage.descriptors;
  }

  get alive(): boolean {
    return this.#alive;
  }

  readonly randomBits = (target: Uint32Array<ArrayBuffer>): void => {
    for (let index = 0; index < target.length; index += 1) target[index] = this.#prng.bits();
  };

  every(milliseconds: number, callback: () => void): () => void {
    let ended = false;
    const again = () =>
      this.network.clock.after(milliseconds, () => {
        if (ended || !this.#alive) return;
        callback();
        again();
      });
    again();
    return () => {
      ended = true;
    };
  }

  nextTurn(callback: () => void): void {
    this.after(this.#prng.between(...TURN_MS), () => {
      for (const listening of this.listening) listening.takeAll();
      callback();
    });
  }

  soon(callback: () => void): void {
    this.after(0, callback);
  }

  /** A timer of the thread. Returns how to cancel it. */
  after(milliseconds: number, callback: () => void): () => void {
    return this.network.clock.after(milliseconds, () => this.#alive && callback());
  }

  connect(address: string, port: number, owner: ConnectOwner): ConnectAttempt {
    return SocketHandle.connecting(this, address, port, owner);
  }

  listen(options: BindOptions, take: (handle: StreamHandle) => void): Promise<Listening> {
    const { backlog, reusePort: sharesPort } = options;
    return new Promise((resolve, reject) =>
      this.soon(() => {
        const port = options.port === 0 ? this.network.freePort() : options.port;
        const code = this.#refusal(port) ?? this.network.refusal(this.name, port, sharesPort);
        if (code !== null) {
          reject(Object.assign(new Error(`listen ${code}`), { code }));
          return;
        }
        const listening = new ListeningHandle(this, { port, backlog, sharesPort }, take);
        this.listening.add(listening);
        resolve(listening);
      }),
    );
  }

  acceptDelay(): number {
    return this.#prng.chance(0.8) ? 0 : this.#prng.between(0, 2);
  }

  opened(socket: SocketHandle): void {
    this.sockets.add(socket);
    this.#onSocket(socket, 'opened');
  }

  closed(socket: SocketHandle): void {
    if (this.sockets.delete(socket)) this.#onSocket(socket, 'closed');
  }

  gone(socket: SocketHandle): void {
    this.#onSocket(socket, 'gone');
  }

  stopped(listening: ListeningHandle): void {
    this.listening.delete(listening);
  }

  /** The thread dies: nothing of it runs any more, and the kernel closes what it had. */
  end(): void {
    this.#alive = false;
    for (const listening of [...this.listening]) listening.close();
    for (const socket of [...this.sockets]) {
      socket.abandon();
      this.closed(socket);
      this.gone(socket);
    }
  }

  /** Another program has the port, or there are no descriptors left; null: it can be bound. */
  #refusal(port: number): string | null {
    if (!this.hasDescriptors) return 'EMFILE';
    return this.#shortage.ports.has(port) ? 'EADDRINUSE' : null;
  }
}
