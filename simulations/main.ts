/**
 * `npm run sim -- [SCENARIO] [--seed N] [--seeds M] [--plant BUG] [--timeline LINES] [--record FILE]`
 * Exit codes: 0 every invariant held, 1 one was broken, 2 wrong usage.
 */
import { randomInt } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { checksum } from '../src/os/journal-file.ts';
import { encodeRecord } from '../supervisors/journal-line.ts';
import { rollout } from './scenarios/rollout.ts';
import type { Scenario } from './scenarios/scenario.ts';
import { simulate } from './simulate.ts';
import { timeline } from './timeline.ts';
import { PLANTED_BUGS, type PlantedBug } from './world/planted.ts';

const SCENARIOS: Readonly<Record<string, Scenario>> = { [rollout.name]: rollout };

const USAGE = `npm run sim -- [SCENARIO] [options]

${Object.values(SCENARIOS)
  .map(({ name, description }) => `  ${name.padEnd(12)} ${description}`)
  .join('\n')}

  --seed N         the first seed; drawn when it is not given
  --seeds M        how many seeds, from the first upwards (100)
  --timeline N     how many of the last events a failure shows (60)
  --record FILE    write the journal of the last seed there, for novactl replay
  --plant BUG      with a bug planted, to see it found: ${PLANTED_BUGS.join(', ')}`;

process.exitCode = await main(process.argv.slice(2));

async function main(args: readonly string[]): Promise<number> {
  const options = parse(args);
  if (typeof options === 'string') {
    console.error(options === '' ? USAGE : `${options}\n\n${USAGE}`);
    return options === '' ? 0 : 2;
  }
  const { scenario, seed, seeds, planted, lines, record } = options;
  console.log(
    `scenario ${scenario.name}, seed ${seed}, seeds ${seeds}${planted === null ? '' : `, planted ${planted}`}`,
  );
  const began = performance.now();
  const result = await simulate({ scenario, seed, seeds, planted }, (outcome) => {
    if (record === null || (outcome.seed !== seed + seeds - 1 && outcome.violation === null)) return;
    const text = outcome.universe.recorder.records.map((one) => encodeRecord(one, checksum)).join('');
    writeFileSync(record, text);
  });
  const realMs = performance.now() - began;
  if (result.failure !== null) {
    const { violation, drawn, universe } = result.failure;
    console.log(`\n${timeline(universe.recorder.lines, lines)}\n`);
    console.log(`seed ${result.failure.seed}: ${drawn}`);
    console.log(`broken: ${violation?.invariant}\n        ${violation?.message}`);
    const again = planted === null ? '' : ` --plant ${planted}`;
    console.log(`again:  npm run sim -- ${scenario.name} --seed ${result.failure.seed} --seeds 1${again}\n`);
  }
  console.log(
    `${result.seeds} seeds, ${result.events} events, ${(result.simulatedMs / 60_000).toFixed(1)} min simulated in ${(realMs / 1_000).toFixed(1)} s: ` +
      `${Math.round(result.simulatedMs / realMs)} × real time, ${((result.seeds * 1_000) / realMs).toFixed(1)} seeds/s`,
  );
  return result.failure === null ? 0 : 1;
}

/** A text: what is wrong, or empty where help was asked for. */
function parse(args: readonly string[]):
  | string
  | {
      readonly scenario: Scenario;
      readonly seed: number;
      readonly seeds: number;
      readonly planted: PlantedBug | null;
      readonly lines: number;
      readonly record: string | null;
    } {
  let parsed: ReturnType<typeof parseOptions>;
  try {
    parsed = parseOptions(args);
  } catch (error) {
    return (error as Error).message;
  }
  const { values, positionals } = parsed;
  if (values.help === true) return '';
  const name = positionals[0] ?? rollout.name;
  const scenario = SCENARIOS[name];
  if (scenario === undefined || positionals.length > 1)
    return `there is no scenario ${positionals.join(' ')}; there is ${Object.keys(SCENARIOS).join(', ')}`;
  const numbers = {
    seed: Number(values.seed ?? randomInt(2 ** 31)),
    seeds: Number(values.seeds ?? 100),
    lines: Number(values.timeline ?? 60),
  };
  for (const [option, number] of Object.entries(numbers))
    if (!Number.isSafeInteger(number) || number < (option === 'seed' ? 0 : 1))
      return `--${option === 'lines' ? 'timeline' : option} is not a whole number`;
  const planted = PLANTED_BUGS.find((bug) => bug === values.plant) ?? null;
  if (values.plant !== undefined && planted === null)
    return `--plant ${values.plant}: there is ${PLANTED_BUGS.join(', ')}`;
  return { scenario, ...numbers, planted, record: values.record ?? null };
}

function parseOptions(args: readonly string[]) {
  return parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      seed: { type: 'string' },
      seeds: { type: 'string' },
      timeline: { type: 'string' },
      record: { type: 'string' },
      plant: { type: 'string' },
      help: { type: 'boolean', short: 'h' },
    },
  });
}
