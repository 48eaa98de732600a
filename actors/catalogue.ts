import * as circuitBreaker from './circuit-breaker.ts';
import * as configStream from './config-stream.ts';
import * as dataplaneWorker from './dataplane-worker.ts';
import * as listener from './listener.ts';
import * as rollout from './rollout.ts';
import * as upstreamPool from './upstream-pool.ts';

/** Every machine by the kind that addresses and journals name it with. */
export const MACHINES = {
  'circuit-breaker': circuitBreaker,
  'config-stream': configStream,
  'dataplane-worker': dataplaneWorker,
  listener,
  rollout,
  'upstream-pool': upstreamPool,
} as const;

export type ActorKind = keyof typeof MACHINES;
