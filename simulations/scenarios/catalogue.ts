import { rollout } from './rollout.ts';
import type { Scenario } from './scenario.ts';
import { traffic } from './traffic.ts';

/** The first is the base scenario. */
export const SCENARIOS: readonly Scenario[] = [rollout, traffic];
