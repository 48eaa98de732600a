import { MACHINES } from '../actors/catalogue.ts';
import type { Behavior } from './behavior.ts';
import { machineBehavior } from './behavior.ts';
import { supervisorBehavior } from './supervisor.ts';

/** Every kind of actor there is, for the actor systems and for a replay. */
export const BEHAVIORS: Readonly<Record<string, Behavior>> = {
  supervisor: supervisorBehavior,
  ...Object.fromEntries(
    Object.entries(MACHINES).map(([kind, { machine }]) => [kind, machineBehavior(machine)]),
  ),
};
