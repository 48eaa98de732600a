import { addTransitions, type Transition } from './coverage.ts';
import type { Outcome, Scenario } from './scenarios/scenario.ts';

export interface SimulationOptions {
  readonly scenario: Scenario;
  readonly seed: number;
  /** How many seeds, from `seed` upwards. */
  readonly seeds: number;
  readonly planted: string | null;
}

/** What came of some seeds, in data that travels between threads. */
export interface Tally {
  /** The first of them. */
  readonly first: number;
  /** How many were run. */
  readonly seeds: number;
  readonly simulatedMs: number;
  readonly events: number;
  /** The last of them broke an invariant, or the simulation itself. */
  readonly failing: number | null;
  readonly faults: ReadonlyMap<string, number>;
  readonly seen: ReadonlySet<Transition>;
}

export interface SimulationResult {
  readonly seeds: number;
  /** The first that broke an invariant. */
  readonly failure: Outcome | null;
  readonly simulatedMs: number;
  readonly events: number;
}

/** Runs seed after seed until one breaks an invariant. */
export async function simulate(
  { scenario, seed, seeds, planted }: SimulationOptions,
  onOutcome: (outcome: Outcome) => void = () => {},
): Promise<SimulationResult> {
  let simulatedMs = 0;
  let events = 0;
  for (let index = 0; index < seeds; index += 1) {
    const outcome = await scenario.run({ seed: seed + index, planted });
    simulatedMs += outcome.simulatedMs;
    events += outcome.universe.recorder.lines.length;
    onOutcome(outcome);
    if (outcome.violation !== null) return { seeds: index + 1, failure: outcome, simulatedMs, events };
  }
  return { seeds, failure: null, simulatedMs, events };
}

/** As `simulate`, but a simulation that throws counts as a seed that failed, and only sums are kept. */
export async function tally(options: SimulationOptions): Promise<Tally> {
  const faults = new Map<string, number>();
  const seen = new Set<Transition>();
  let done = 0;
  let simulatedMs = 0;
  let events = 0;
  let failing: number | null = null;
  const add = (outcome: Outcome) => {
    done += 1;
    simulatedMs += outcome.simulatedMs;
    events += outcome.universe.recorder.lines.length;
    for (const [fault, count] of outcome.faults) faults.set(fault, (faults.get(fault) ?? 0) + count);
    addTransitions(seen, outcome.universe.recorder.records);
    if (outcome.violation !== null) failing = outcome.seed;
  };
  try {
    await simulate(options, add);
  } catch {
    failing = options.seed + done;
    done += 1;
  }
  return { first: options.seed, seeds: done, simulatedMs, events, failing, faults, seen };
}
