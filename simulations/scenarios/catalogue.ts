import { TRAFFIC_BUGS } from '../network/planted.ts';
import { rollout } from './rollout.ts';
import type { Scenario } from './scenario.ts';
import { runTraffic } from './traffic.ts';

const traffic: Scenario = {
  name: 'traffic',
  description: 'requests through the data plane while clients, backends and the network misbehave',
  bugs: TRAFFIC_BUGS,
  run: ({ seed, planted }) =>
    runTraffic({ seed, planted: TRAFFIC_BUGS.find((bug) => bug === planted) ?? null }),
};

/** The first is the base scenario. */
export const SCENARIOS: readonly Scenario[] = [rollout, traffic];
