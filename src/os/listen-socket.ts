import { SocketStream } from './socket-stream.ts';
import type { StreamHandle } from './stream-handle.ts';
import type { Listening, System } from './system.ts';

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

function ignore(): void {}

/**
 * A listening TCP socket that several threads can have on one port. What connects before `activate` waits, unread.
 */
export class ListenSocket {
  readonly options: ListenOptions;
  readonly #system: System;
  readonly #accept: (stream: SocketStream) => void;
  readonly #fault: (error: unknown) => void;
  #listening: Listening | null = null;
  #active = false;
  #waiting: StreamHandle[] = [];
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
  }

  /** Resolves with the port. Rejects with the system's error (`code` EADDRINUSE, EACCES). */
  async open(): Promise<number> {
    const listening = await this.#system.listen({ ...this.options, backlog: BACKLOG }, (handle) =>
      this.#take(handle),
    );
    if (this.#closed) listening.close();
    else this.#listening = listening;
    return listening.port;
  }

  activate(): void {
    this.#active = true;
    for (const handle of this.#waiting.splice(0)) this.#begin(handle);
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
    // Linux: with a backlog of 0 the kernel queues one connection at a time and lets the others' SYN be sent again.
    if (process.platform === 'linux') this.#listening?.limit(0);
    system.nextTurn(look);
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#listening?.close();
    for (const handle of this.#waiting.splice(0)) handle.close(ignore);
  }

  #take(handle: StreamHandle): void {
    this.#accepted += 1;
    if (this.#active) this.#begin(handle);
    else if (this.#closed) handle.close(ignore);
    else this.#waiting.push(handle);
  }

  #begin(handle: StreamHandle): void {
    const stream = SocketStream.accepted(handle);
    try {
      this.#accept(stream);
    } catch (error) {
      stream.destroy();
      this.#fault(error);
    }
  }
}
