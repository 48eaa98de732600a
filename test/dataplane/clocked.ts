import type { System } from '../../src/os/system.ts';
import { SYSTEM } from '../../src/os/system.ts';

export interface Clocked {
  readonly system: System;
  readonly now: () => number;
  /** Lets time pass in steps of 50 ms; what it makes due happens before this returns. */
  advance(milliseconds: number): void;
}

/** Real sockets, and a clock that only the test moves. */
export function clocked(): Clocked {
  let now = 1000;
  const tickers = new Set<() => void>();
  return {
    system: {
      ...SYSTEM,
      now: () => now,
      every(_milliseconds, callback) {
        tickers.add(callback);
        return () => tickers.delete(callback);
      },
    },
    now: () => now,
    advance(milliseconds) {
      for (const end = now + milliseconds; now < end; ) {
        now = Math.min(end, now + 50);
        for (const tick of tickers) tick();
      }
    },
  };
}

/** A turn of the event loop, again and again until it holds; the test's own timeout ends it where it never does. */
export async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setImmediate(resolve));
}
