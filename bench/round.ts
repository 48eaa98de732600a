import { join } from 'node:path';
import { type Contender, LOAD_CORE } from './contender/contender.ts';
import { cpuTime } from './cpu.ts';
import { load, pacedLoad } from './load.ts';
import type { Work } from './work.ts';

export interface Round {
  readonly requestsPerSecond: number;
  readonly cpuMicrosPerRequest: { readonly user: number; readonly system: number };
  readonly latencyMicros: { readonly p50: number; readonly p99: number; readonly p999: number };
  readonly errors: number;
}

/** Starts one proxy, warms it up, and measures it under load; `rate` in requests a second, or null for all it takes. */
export async function measure(
  proxy: Contender,
  work: Work,
  backendPort: number,
  seconds: number,
  rate: number | null,
  directory: string,
): Promise<Round> {
  const started = await proxy.start({ directory: join(directory, proxy.name), backendPort, work });
  try {
    await load(LOAD_CORE, started.port, work, Math.max(1, Math.ceil(seconds / 2)), directory);
    const before = cpuTime(started.pid);
    const result =
      rate === null
        ? await load(LOAD_CORE, started.port, work, seconds, directory)
        : await pacedLoad(LOAD_CORE, started.port, work, seconds, rate, directory);
    const after = cpuTime(started.pid);
    return {
      requestsPerSecond: result.requests / result.seconds,
      cpuMicrosPerRequest: {
        user: (after.user - before.user) / result.requests,
        system: (after.system - before.system) / result.requests,
      },
      latencyMicros: { p50: result.p50, p99: result.p99, p999: result.p999 },
      errors: result.errors,
    };
  } finally {
    await started.stop();
  }
}

/** The round in the middle by CPU per request. */
export function median(rounds: readonly Round[]): Round {
  const total = (round: Round) => round.cpuMicrosPerRequest.user + round.cpuMicrosPerRequest.system;
  return [...rounds].sort((a, b) => total(a) - total(b))[Math.floor(rounds.length / 2)]!;
}
