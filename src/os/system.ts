import type { Server, Socket } from 'node:net';
import { createServer, Socket as NetSocket } from 'node:net';
import { monotonicNow } from './clock.ts';
import { randomBits } from './random.ts';

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
  /** As `new net.Socket(options)`. */
  socket(options: object): Socket;
  /** As `net.createServer(options)`. */
  server(options: object): Server;
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
  socket: (options) => new NetSocket(options),
  server: (options) => createServer(options),
};
