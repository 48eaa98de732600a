import type { Behavior, Step } from '../../supervisors/behavior.ts';

/** A step of a child that has one state and asks for nothing, but for `more`. */
export function plainStep(snapshot: unknown, more: Partial<Step> = {}): Step {
  return { snapshot, state: 'up', reason: 'told', effects: [], outcome: 'taken', ended: null, ...more };
}

/** What is the same for all children that tests make up: their memory is plain data. */
export const PLAIN: Pick<Behavior, 'mailbox' | 'describe' | 'save' | 'restore'> = {
  mailbox: { limit: 10, overflow: 'drop-newest' },
  describe: () => null,
  save: (snapshot) => snapshot,
  restore: (memory) => memory,
};
