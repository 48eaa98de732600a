import { isDeepStrictEqual } from 'node:util';
import type { ResourceKey } from '../../src/model/resource.ts';
import type { Snapshot } from '../world/controller.ts';
import type { Universe } from '../world/universe.ts';
import type { SimulatedWorker } from '../world/worker.ts';
import type { Checker } from './checker.ts';

/**
 * An object's version is in use on every worker or on none: whenever no commit is under way, the workers that the
 * rollout counts have the same content, which is what the store says is in use.
 */
export function agreement(universe: Universe): Checker {
  return {
    name: 'an object’s version is in use on all workers or on none',
    always({ agent }) {
      const { rollout, rolloutState } = agent;
      if (rollout === undefined || rolloutState === 'committing') return null;
      for (const worker of rollout.workers) {
        const inside = universe.worker(worker);
        if (inside === undefined || agent.workerState(worker) !== 'ready') continue;
        const wrong = differing(agent.store.serving, inside.dataplane.inUse);
        if (wrong.length > 0) return `worker ${worker} differs from what is said to serve in ${wrong}`;
      }
      return null;
    },
  };
}

/** The threads that the rollout counts on. */
export function countedWorkers({ agent, workers }: Universe): readonly SimulatedWorker[] {
  return workers.filter(
    ({ worker }) => agent.rollout?.workers.includes(worker) === true && agent.workerState(worker) === 'ready',
  );
}

/** Keys under which the two have not the same content. */
export function differing(one: Snapshot, other: Snapshot): ResourceKey[] {
  const keys: ResourceKey[] = [];
  for (const [key, resource] of one) if (!same(resource, other.get(key))) keys.push(key);
  for (const key of other.keys()) if (!one.has(key)) keys.push(key);
  return keys;
}

/** No two versions of an object are alike, so what is not the same value is compared once by its content. */
function same(one: object, other: object | undefined): boolean {
  return one === other || (other !== undefined && isDeepStrictEqual(one, other));
}
