import { monotonicNow } from './clock.ts';
import { connectPlain, listenPlain } from './plain-handle.ts';
import { randomBits } from './random.ts';
import type { StreamHandle } from './stream-handle.ts';
import { connectTcp, hasTcpHandles, listenTcp } from './tcp.ts';

/** A connection that is being made. */
export interface ConnectAttempt {
  /** Gives up; `closed` is called in a later turn, and nothing else after this. */
  close(closed: () => void): void;
}

/** One of both is called, never within the call that began the attempt. */
export interface ConnectOwner {
  /** The attempt is over: the connection is the handle's. */
  onConnected(handle: StreamHandle): void;
  /** The attempt is still to be closed. */
  onConnectFailed(code: string): void;
}

export interface BindOptions {
  /** 0: any that is free. */
  readonly port: number;
  /** Undefined: all addresses. */
  readonly address: string | undefined;
  /** With other sockets that say so too, of any thread of the process (SO_REUSEPORT). */
  readonly reusePort: boolean;
  readonly backlog: number;
}

/** A TCP socket that listens. */
export interface Listening {
  readonly port: number;
  /** As many more connections at most wait in the kernel's queue. */
  limit(backlog: number): void;
  /** What waits in the kernel's queue is reset. */
  close(): void;
}

/**
 * All that the data plane asks of what is beneath it. There is one real system; a simulation passes another, whose
 * sockets, clock and chance are its own, and everything above runs unchanged.
 */
export interface System {
  /** Milliseconds from an arbitrary start, with fractions; never goes back. */
  readonly now: () => number;
  readonly randomBits: (target: Uint32Array<ArrayBuffer>) => void;
  /** Calls back again and again, without keeping the process alive. Returns how to end it. */
  every(milliseconds: number, callback: () => void): () => void;
  /** Calls back in the next turn of the event loop, after what is ready by then has been read. */
  nextTurn(callback: () => void): void;
  /** Begins to connect without delay of small writes (TCP_NODELAY); `address` is an IP address or a name. */
  connect(address: string, port: number, owner: ConnectOwner): ConnectAttempt;
  /**
   * Each connection is given to `take`, unread, with TCP_NODELAY. Rejects with the system's error (`code` EADDRINUSE,
   * EACCES). Where there are no descriptors left (EMFILE) what waits is closed, and nobody hears of it.
   */
  listen(options: BindOptions, take: (handle: StreamHandle) => void): Promise<Listening>;
}

export const SYSTEM: System = {
  now: monotonicNow,
  randomBits,
  every(milliseconds, callback) {
    const timer = setInterval(callback, milliseconds);
    timer.unref();
    return () => clearInterval(timer);
  },
  nextTurn: (callback) => void setImmediate(callback),
  connect: hasTcpHandles ? connectTcp : connectPlain,
  listen: hasTcpHandles ? listenTcp : listenPlain,
};
