import type { Checker } from './checker.ts';

/** An agent that is asked to stop does, whatever it is at. */
export function stopping(): Checker {
  return { name: 'a stop ends everything', always: ({ stuck }) => stuck };
}
