import type { InvariantViolation } from '../checkers/checker.ts';
import type { Recorder } from '../world/recorder.ts';

export interface Outcome {
  readonly seed: number;
  /** What the seed drew, for people. */
  readonly drawn: string;
  readonly violation: InvariantViolation | null;
  /** Milliseconds of simulated time. */
  readonly simulatedMs: number;
  /** How often each fault struck. */
  readonly faults: ReadonlyMap<string, number>;
  readonly universe: { readonly recorder: Recorder };
}

export interface Scenario {
  readonly name: string;
  readonly description: string;
  /** Bugs that can be planted into it. */
  readonly bugs: readonly string[];
  /** `planted`: one of `bugs`, or null. */
  run(options: { readonly seed: number; readonly planted: string | null }): Promise<Outcome>;
}
