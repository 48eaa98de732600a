import { Piscina } from 'piscina';
import type { Transition } from './coverage.ts';
import type { SeedsTask } from './seeds-worker.ts';
import { type SimulationOptions, type Tally, tally } from './simulate.ts';

export interface FanOutOptions extends SimulationOptions {
  readonly threads: number;
  /** No more seeds are begun after this many milliseconds. */
  readonly withinMs: number;
}

/** Small, so that nobody waits long for the last one. */
const SEEDS_A_TASK = 8;

/**
 * Spreads seeds over threads. What comes of it does not depend on their number: after a failure every lower seed is
 * still run, higher ones do not count, and the lowest that fails is the one reported. Only what `withinMs` cuts off
 * depends on how fast the machine is.
 */
export async function fanOut(options: FanOutOptions): Promise<Tally> {
  const { scenario, seed, planted, threads, withinMs } = options;
  const began = performance.now();
  const end = seed + options.seeds;
  const pool =
    threads === 1
      ? null
      : new Piscina<SeedsTask, Tally>({
          filename: new URL('./seeds-worker.ts', import.meta.url).href,
          minThreads: threads,
          maxThreads: threads,
        });
  const results: Tally[] = [];
  let next = seed;
  let lowest = Number.POSITIVE_INFINITY;
  const work = async () => {
    while (next < Math.min(end, lowest) && performance.now() - began < withinMs) {
      const task = { seed: next, seeds: Math.min(SEEDS_A_TASK, end - next), planted };
      next += task.seeds;
      const result =
        pool === null
          ? await tally({ ...task, scenario })
          : await pool.run({ ...task, scenario: scenario.name });
      results.push(result);
      if (result.failing !== null) lowest = Math.min(lowest, result.failing);
    }
  };
  try {
    await Promise.all(Array.from({ length: threads }, work));
  } finally {
    await pool?.destroy();
  }
  return sum(
    seed,
    results.filter(({ first }) => first <= lowest),
  );
}

function sum(first: number, tallies: readonly Tally[]): Tally {
  const faults = new Map<string, number>();
  const seen = new Set<Transition>();
  let [seeds, simulatedMs, events] = [0, 0, 0];
  let failing: number | null = null;
  // In order of seeds: sums of fractions depend on it.
  for (const one of tallies.toSorted((a, b) => a.first - b.first)) {
    seeds += one.seeds;
    simulatedMs += one.simulatedMs;
    events += one.events;
    failing ??= one.failing;
    for (const [fault, count] of one.faults) faults.set(fault, (faults.get(fault) ?? 0) + count);
    for (const transition of one.seen) seen.add(transition);
  }
  return { first, seeds, simulatedMs, events, failing, faults, seen };
}
