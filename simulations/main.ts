/**
 * `npm run sim -- [SCENARIO] [options]`, see USAGE.
 * Exit codes: 0 every invariant held, 1 one was broken, 2 wrong usage.
 */
import { writeFileSync } from 'node:fs';
import { checksum } from '../src/os/journal-file.ts';
import { encodeRecord } from '../supervisors/journal-line.ts';
import { listedTransitions } from './coverage.ts';
import { fanOut } from './fan-out.ts';
import { parseOptions, type RunnerOptions, USAGE } from './options.ts';
import type { Outcome } from './scenarios/scenario.ts';
import type { Tally } from './simulate.ts';
import { timeline } from './timeline.ts';

process.exitCode = await main(process.argv.slice(2));

async function main(args: readonly string[]): Promise<number> {
  const options = parseOptions(args);
  if (typeof options === 'string') {
    console.error(options === '' ? USAGE : `${options}\n\n${USAGE}`);
    return options === '' ? 0 : 2;
  }
  console.log(headline(options));
  const began = performance.now();
  const result = await fanOut(options);
  const realMs = performance.now() - began;
  if (result.failing !== null) await showFailure(options, result.failing);
  if (options.record !== null) await record(options, result.failing ?? result.first + result.seeds - 1);
  for (const line of summary(result, options.coverage)) console.log(line);
  console.log(
    `${result.seeds} seeds, ${result.events} events, ${(result.simulatedMs / 60_000).toFixed(1)} min simulated in ${(realMs / 1_000).toFixed(1)} s: ` +
      `${Math.round(result.simulatedMs / realMs)} × real time, ${((result.seeds * 1_000) / realMs).toFixed(1)} seeds/s`,
  );
  return result.failing === null ? 0 : 1;
}

function headline({ scenario, seed, seeds, withinMs, planted, threads }: RunnerOptions): string {
  const parts = [`scenario ${scenario.name}`, `seed ${seed}`];
  if (Number.isFinite(seeds)) parts.push(`seeds ${seeds}`);
  if (Number.isFinite(withinMs)) parts.push(`minutes ${withinMs / 60_000}`);
  if (planted !== null) parts.push(`planted ${planted}`);
  return [...parts, `threads ${threads}`].join(', ');
}

/** The seed is run once more, here: its events did not travel between threads. */
async function showFailure(options: RunnerOptions, seed: number): Promise<void> {
  const { scenario, planted, lines } = options;
  let outcome: Outcome | null = null;
  try {
    outcome = await scenario.run({ seed, planted });
  } catch (error) {
    console.log(`\nseed ${seed}: the simulation itself failed\n${(error as Error).stack ?? error}`);
  }
  if (outcome !== null) {
    const { drawn, violation, universe } = outcome;
    console.log(`\n${timeline(universe.recorder.lines, lines)}\n`);
    console.log(`seed ${seed}: ${drawn}`);
    console.log(
      violation === null
        ? 'broken: the seed does not give the same twice\n        it failed in another thread, and holds here'
        : `broken: ${violation.invariant}\n        ${violation.message}`,
    );
  }
  const plant = planted === null ? '' : ` --plant ${planted}`;
  console.log(`again:  npm run sim -- ${scenario.name} --seed ${seed} --seeds 1${plant}\n`);
}

async function record({ scenario, planted, record: file }: RunnerOptions, seed: number): Promise<void> {
  if (file === null) return;
  const { universe } = await scenario.run({ seed, planted });
  writeFileSync(file, universe.recorder.records.map((one) => encodeRecord(one, checksum)).join(''));
}

function* summary({ faults, seen }: Tally, whole: boolean): Generator<string> {
  const struck = [...faults].sort(([, a], [, b]) => b - a);
  yield `faults   ${struck.map(([fault, count]) => `${fault} ${count}`).join(', ') || 'none'}`;
  const listed = listedTransitions();
  const never = [...listed].filter((transition) => !seen.has(transition));
  const share = ((100 * (listed.size - never.length)) / listed.size).toFixed(0);
  yield `covered  ${listed.size - never.length} of ${listed.size} transitions that the machines list (${share} %)`;
  if (!whole) return;
  yield 'never seen: actor, state, event, reason';
  for (const transition of never.sort()) yield `  ${transition}`;
}
