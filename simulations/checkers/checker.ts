import type { Answer } from '../world/controller.ts';
import type { Universe } from '../world/universe.ts';

/** Something that must hold. A checker says what is wrong, or null. */
export interface Checker {
  readonly name: string;
  /** After every event. */
  always?(universe: Universe): string | null;
  /** When the agent answers an update. */
  answered?(universe: Universe, answer: Answer): string | null;
  /** After healing; what is still missing, null once nothing is. */
  converged?(universe: Universe): string | null;
}

export class InvariantViolation extends Error {
  readonly invariant: string;

  constructor(invariant: string, message: string) {
    super(message);
    this.name = 'InvariantViolation';
    this.invariant = invariant;
  }
}
