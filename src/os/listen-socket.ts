import type { Server, Socket } from 'node:net';
import { SocketStream } from './socket-stream.ts';
import type { StreamHandle } from './stream-handle.ts';
import { directWrites } from './stream-handle.ts';
import type { System } from './system.ts';

export interface ListenOptions {
  readonly port: number;
  readonly address: string | undefined;
  readonly reusePort: boolean;
}

const BACKLOG = 4096;
/** Turns of the event loop without a new connection before a draining socket is closed. */
const QUIET_TURNS = 2;
const MOST_DRAIN_TURNS = 1000;
const SHORT_TURN_MS = 0.05;
const MOST_LONG_TURNS = 500;

type AcceptHandle = {
  onconnection: (error: number, handle: StreamHandle) => void;
  listen: (backlog: number) => number;
};

/**
 * A listening TCP socket that several threads can have on one port. What connects before `activate` waits, unread.
 */
export class ListenSocket {
  readonly options: ListenOptions;
  readonly #system: System;
  #server: Server;
  readonly #accept: (stream: SocketStream) => void;
  readonly #fault: (error: unknown) => void;
  #active = false;
  #waitingHandles: StreamHandle[] = [];
  #waitingSockets: Socket[] = [];
  #accepted = 0;
  #closed = false;

  /** Where `accept` throws, the connection is closed and `fault` gets the error. */
  constructor(
    system: System,
    options: ListenOptions,
    accept: (stream: SocketStream) => void,
    fault: (error: unknown) => void,
  ) {
    this.#system = system;
    this.options = options;
    this.#accept = accept;
    this.#fault = fault;
    this.#server = system.server({ allowHalfOpen: true, pauseOnConnect: true });
  }

  /** Resolves with the port. Rejects with the system's error (`code` EADDRINUSE, EACCES). */
  open(): Promise<number> {
    return new Promise((resolve, reject) => {
      const server = this.#server;
      server.once('error', reject);
      const { port, address, reusePort } = this.options;
      server.listen(
        {
          port,
          reusePort,
          exclusive: true,
          backlog: BACKLOG,
          ...(address === undefined ? {} : { host: address }),
        },
        () => {
          server.removeListener('error', reject);
          // After this only accept can fail. Without descriptors (EMFILE) libuv closes what waits, and says nothing.
          server.on('error', () => {});
          this.#intercept(server);
          const bound = server.address();
          resolve(typeof bound === 'object' && bound !== null ? bound.port : port);
        },
      );
    });
  }

  /** Connections are taken from the handle where that can be, which spares a second socket object for each. */
  #intercept(server: Server): void {
    const handle = (server as unknown as { _handle?: Partial<AcceptHandle> | null })._handle;
    if (directWrites && typeof handle?.onconnection === 'function') {
      handle.onconnection = (error, client) => {
        if (error === 0) this.#take(client);
      };
    } else server.on('connection', (socket) => this.#takeSocket(socket));
  }

  activate(): void {
    this.#active = true;
    for (const handle of this.#waitingHandles.splice(0)) this.#begin(handle);
    for (const socket of this.#waitingSockets.splice(0)) this.#start(socket);
  }

  get active(): boolean {
    return this.#active;
  }

  /**
   * Stops listening, but first takes what the kernel has already queued for this socket: with SO_REUSEPORT these
   * would be reset, though another socket on the port could have served them. What comes between the last look and
   * the close can still be lost, so the close waits for turns of the event loop in which nobody came and which were
   * short: then the last look was a moment ago. `net.ipv4.tcp_migrate_req=1` lets the kernel hand over even these.
   */
  drain(done: () => void): void {
    let quiet = 0;
    let turns = 0;
    const system = this.#system;
    let last = system.now();
    const look = (): void => {
      if (this.#closed) return;
      const now = system.now();
      turns += 1;
      if (this.#accepted > 0) quiet = 0;
      else quiet += 1;
      const wait = quiet < QUIET_TURNS || (now - last > SHORT_TURN_MS && turns < MOST_LONG_TURNS);
      this.#accepted = 0;
      last = now;
      if (wait && turns < MOST_DRAIN_TURNS) system.nextTurn(look);
      else {
        this.close();
        done();
      }
    };
    this.#accepted = 0;
    this.#narrow();
    system.nextTurn(look);
  }

  /** Linux: with a backlog of 0 the kernel queues one connection at a time and lets the others' SYN be sent again. */
  #narrow(): void {
    const handle = (this.#server as unknown as { _handle?: Partial<AcceptHandle> | null })._handle;
    if (process.platform === 'linux') handle?.listen?.(0);
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#server.close();
    for (const handle of this.#waitingHandles.splice(0)) handle.close();
    for (const socket of this.#waitingSockets.splice(0)) socket.destroy();
  }

  #take(handle: StreamHandle): void {
    this.#accepted += 1;
    if (this.#active) this.#begin(handle);
    else this.#waitingHandles.push(handle);
  }

  #takeSocket(socket: Socket): void {
    this.#accepted += 1;
    if (this.#active) this.#start(socket);
    else this.#waitingSockets.push(socket);
  }

  #begin(handle: StreamHandle): void {
    this.#hand(SocketStream.accepted(this.#system, handle));
  }

  #start(socket: Socket): void {
    this.#hand(SocketStream.wrapped(socket));
    socket.resume();
  }

  #hand(stream: SocketStream): void {
    try {
      this.#accept(stream);
    } catch (error) {
      stream.destroy();
      this.#fault(error);
    }
  }
}
