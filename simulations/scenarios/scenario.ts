import type { InvariantViolation } from '../checkers/checker.ts';
import type { PlantedBug } from '../world/planted.ts';
import type { Universe } from '../world/universe.ts';

export interface RunOptions {
  readonly seed: number;
  readonly planted: PlantedBug | null;
}

export interface Outcome {
  readonly seed: number;
  /** What the seed drew, for people. */
  readonly drawn: string;
  readonly violation: InvariantViolation | null;
  /** Milliseconds of simulated time. */
  readonly simulatedMs: number;
  readonly universe: Universe;
}

export interface Scenario {
  readonly name: string;
  readonly description: string;
  run(options: RunOptions): Promise<Outcome>;
}
