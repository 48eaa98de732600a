import type { Server, Socket } from 'node:net';
import type { System } from '../../src/os/system.ts';
import type { Prng } from '../prng.ts';
import type { MemoryWatch } from './memory-watch.ts';
import type { Network } from './network.ts';
import { NodeServer, type ServerHost } from './node-server.ts';
import { NodeSocket, type SocketHost, type SocketOptions } from './node-socket.ts';
import { noShortage, type Shortage } from './shortage.ts';

export type SocketWatch = (socket: NodeSocket, change: 'opened' | 'closed' | 'gone') => void;

const TURN_MS = [0.005, 0.12] as const;

/** What is beneath one worker thread: its clock, its chance, its sockets. Ends with the thread. */
export class ThreadSystem implements System, SocketHost, ServerHost {
  readonly name: string;
  readonly memory: MemoryWatch;
  readonly network: Network;
  readonly sockets = new Set<NodeSocket>();
  readonly servers = new Set<NodeServer>();
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
      for (const server of this.servers) server.takeAll();
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

  socket(options: object): Socket {
    return new NodeSocket(this, options as SocketOptions) as unknown as Socket;
  }

  server(): Server {
    return new NodeServer(this) as unknown as Server;
  }

  acceptDelay(): number {
    return this.#prng.chance(0.8) ? 0 : this.#prng.between(0, 2);
  }

  refusal(port: number): string | null {
    if (!this.hasDescriptors) return 'EMFILE';
    return this.#shortage.ports.has(port) ? 'EADDRINUSE' : null;
  }

  opened(socket: NodeSocket): void {
    this.sockets.add(socket);
    this.#onSocket(socket, 'opened');
  }

  closed(socket: NodeSocket): void {
    if (this.sockets.delete(socket)) this.#onSocket(socket, 'closed');
  }

  gone(socket: NodeSocket): void {
    this.#onSocket(socket, 'gone');
  }

  listening(server: NodeServer): void {
    this.servers.add(server);
  }

  stopped(server: NodeServer): void {
    this.servers.delete(server);
  }

  /** The thread dies: nothing of it runs any more, and the kernel closes what it had. */
  end(): void {
    this.#alive = false;
    for (const server of [...this.servers]) server.abandon();
    for (const socket of [...this.sockets]) {
      socket.abandon();
      this.closed(socket);
      this.gone(socket);
    }
  }
}
