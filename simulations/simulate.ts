import type { Outcome, Scenario } from './scenarios/scenario.ts';
import type { PlantedBug } from './world/planted.ts';

export interface SimulationOptions {
  readonly scenario: Scenario;
  readonly seed: number;
  /** How many seeds, from `seed` upwards. */
  readonly seeds: number;
  readonly planted: PlantedBug | null;
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
