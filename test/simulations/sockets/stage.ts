import { closeSync, openSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { SteppingClock } from '../../../simulations/clock.ts';
import type { LinkStyle } from '../../../simulations/network/link.ts';
import { MemoryWatch } from '../../../simulations/network/memory-watch.ts';
import { Network } from '../../../simulations/network/network.ts';
import { noShortage } from '../../../simulations/network/shortage.ts';
import { ThreadSystem } from '../../../simulations/network/thread-system.ts';
import { Prng } from '../../../simulations/prng.ts';
import { SYSTEM, type System } from '../../../src/os/system.ts';

export const HOST = '127.0.0.1';

/** Where a script is played: on the sockets of this machine, or on simulated ones. */
export interface Stage {
  readonly system: System;
  /** Of another program on the same machine. */
  readonly outside: System;
  /** Lets time pass until the condition holds. */
  until(condition: () => boolean): Promise<void>;
  /** Lets time pass until nothing happens by itself any more. */
  settle(): Promise<void>;
  /** The program has no descriptors left, another one has. Returns how to give them back. */
  starve(): () => void;
}

const PATIENCE_MS = 10_000;
const SETTLE_ROUNDS = 6;
const ROUND_MS = 4;

/** The loopback delivers within the call that sends, so a few turns of the event loop show all that there is. */
export const REAL: Stage = {
  system: SYSTEM,
  outside: SYSTEM,
  async until(condition) {
    const end = performance.now() + PATIENCE_MS;
    while (!condition()) {
      if (performance.now() > end) throw new Error('it never came to pass');
      await sleep(1);
    }
  },
  async settle() {
    for (let round = 0; round < SETTLE_ROUNDS; round += 1) await sleep(ROUND_MS);
  },
  starve() {
    const held: number[] = [];
    try {
      for (;;) held.push(openSync('/dev/null', 'r'));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EMFILE') throw error;
    }
    // One is for the other program, which is none here.
    closeSync(held.pop()!);
    return () => {
      for (const descriptor of held) closeSync(descriptor);
    };
  },
};

/** All promises that can be kept now are. */
const promises = () => new Promise<void>((resolve) => void setImmediate(resolve));

/** `found` is told of memory that is changed or read into while a write needs it. */
export function simulated(seed: number, style: LinkStyle, found: (what: string) => void): Stage {
  const clock = new SteppingClock();
  const prng = new Prng(`conformance-${seed}`);
  const network = new Network({ clock, prng: prng.split('network'), style, windows: [65_536, 262_144] });
  const thread = (name: string, short = noShortage()) =>
    new ThreadSystem(HOST, network, prng.split(name), () => {}, new MemoryWatch(found), short);
  const shortage = noShortage();
  return {
    system: thread('thread', shortage),
    outside: thread('outside'),
    async until(condition) {
      await promises();
      while (!condition()) {
        if (!clock.step()) throw new Error('it never came to pass');
        await promises();
      }
    },
    async settle() {
      await promises();
      while (clock.step()) await promises();
    },
    starve() {
      shortage.descriptors = true;
      return () => {
        shortage.descriptors = false;
      };
    },
  };
}
