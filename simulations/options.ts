import { randomInt } from 'node:crypto';
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import type { FanOutOptions } from './fan-out.ts';
import { SCENARIOS } from './scenarios/catalogue.ts';

export const USAGE = `npm run sim -- [SCENARIO] [options]

${SCENARIOS.map(({ name, description }) => `  ${name.padEnd(12)} ${description}`).join('\n')}

  --seed N         the first seed; drawn when it is not given
  --seeds M        how many seeds, from the first upwards (100; with --minutes as many as there is time for)
  --minutes T      begin no more seeds after this time
  --threads N      threads that they are spread over; nothing but the time depends on it (one for each core)
  --timeline N     how many of the last events a failure shows (60)
  --record FILE    write the journal of the seed that fails, or the last one, there, for novactl replay
  --coverage       list the transitions of the machines that no seed took
  --plant BUG      with a bug planted, to see it found:
${SCENARIOS.map(({ name, bugs }) => `                   ${name}: ${bugs.join(', ')}`).join('\n')}`;

export interface RunnerOptions extends FanOutOptions {
  readonly lines: number;
  readonly record: string | null;
  readonly coverage: boolean;
}

/** A text: what is wrong, or empty where help was asked for. */
export function parseOptions(args: readonly string[]): string | RunnerOptions {
  let parsed: ReturnType<typeof parse>;
  try {
    parsed = parse(args);
  } catch (error) {
    return (error as Error).message;
  }
  const { values, positionals } = parsed;
  if (values.help === true) return '';
  const name = positionals[0] ?? SCENARIOS[0]!.name;
  const scenario = SCENARIOS.find((one) => one.name === name);
  if (scenario === undefined || positionals.length > 1)
    return `there is no scenario ${positionals.join(' ')}; there is ${SCENARIOS.map((one) => one.name).join(', ')}`;
  for (const option of ['seed', 'seeds', 'timeline', 'threads'] as const) {
    const number = Number(values[option] ?? 1);
    if (!Number.isSafeInteger(number) || number < (option === 'seed' ? 0 : 1))
      return `--${option} ${values[option]} is not a whole number`;
  }
  const minutes = Number(values.minutes ?? Number.POSITIVE_INFINITY);
  if (!(minutes > 0)) return `--minutes ${values.minutes} is not a time`;
  if (values.plant !== undefined && !scenario.bugs.includes(values.plant))
    return `--plant ${values.plant}: there is ${scenario.bugs.join(', ')}`;
  const seeds = Number(values.seeds ?? (Number.isFinite(minutes) ? Number.POSITIVE_INFINITY : 100));
  return {
    scenario,
    seed: Number(values.seed ?? randomInt(2 ** 31)),
    seeds,
    withinMs: minutes * 60_000,
    threads: Math.min(Number(values.threads ?? availableParallelism()), Math.max(1, Math.floor(seeds / 16))),
    planted: values.plant ?? null,
    lines: Number(values.timeline ?? 60),
    record: values.record ?? null,
    coverage: values.coverage === true,
  };
}

function parse(args: readonly string[]) {
  return parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      seed: { type: 'string' },
      seeds: { type: 'string' },
      minutes: { type: 'string' },
      threads: { type: 'string' },
      timeline: { type: 'string' },
      record: { type: 'string' },
      coverage: { type: 'boolean' },
      plant: { type: 'string' },
      help: { type: 'boolean', short: 'h' },
    },
  });
}
