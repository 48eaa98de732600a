import { join } from 'node:path';
import type { Contender, StartOptions } from './contender/contender.ts';
import { LOAD_CORE } from './contender/contender.ts';
import { cpuTime } from './cpu.ts';
import { pacedLoad } from './load/h2load.ts';
import { load } from './load/load.ts';
import type { LoadResult } from './load/result.ts';
import { prove } from './proof.ts';

export interface Round {
  /** Of the work's unit. */
  readonly unitsPerSecond: number;
  readonly cpuMicrosPerUnit: { readonly user: number; readonly system: number };
  readonly latencyMicros: LoadResult['latency'];
  readonly errors: number;
}

/**
 * Starts one proxy, sees that it does what the work asks for, warms it up, and measures it under load; `rate` in
 * requests a second, or null for all it takes.
 */
export async function measure(
  proxy: Contender,
  options: StartOptions,
  seconds: number,
  rate: number | null,
): Promise<Round> {
  const { work, directory } = options;
  const started = await proxy.start({ ...options, directory: join(directory, proxy.name) });
  try {
    await prove(work, started.port);
    // Handshakes come at a slow pace, and what compiles while it runs needs a number of them.
    const warmSeconds = work.unit === 'handshake' ? seconds : Math.max(1, Math.ceil(seconds / 2));
    await load(LOAD_CORE, started.port, work, warmSeconds, directory);
    const before = cpuTime(started.pid);
    const result =
      rate === null
        ? await load(LOAD_CORE, started.port, work, seconds, directory)
        : await pacedLoad(LOAD_CORE, started.port, work, seconds, rate, directory);
    const after = cpuTime(started.pid);
    if (result.units === 0) throw new Error(`no ${work.unit} came to its end under load`);
    return {
      unitsPerSecond: result.units / result.seconds,
      cpuMicrosPerUnit: {
        user: (after.user - before.user) / result.units,
        system: (after.system - before.system) / result.units,
      },
      latencyMicros: result.latency,
      errors: result.errors,
    };
  } finally {
    await started.stop();
  }
}

export function cpuOf({ cpuMicrosPerUnit: { user, system } }: Round): number {
  return user + system;
}

/** The round in the middle by CPU per unit. */
export function median(rounds: readonly Round[]): Round {
  return [...rounds].sort((a, b) => cpuOf(a) - cpuOf(b))[Math.floor(rounds.length / 2)]!;
}
