import type { Event as RolloutEvent } from '../../actors/rollout.ts';
import type { ResourceKey } from '../../src/model/resource.ts';
import type { JournalRecord } from '../../supervisors/record.ts';
import type { Snapshot } from '../world/controller.ts';
import type { Universe } from '../world/universe.ts';
import type { SimulatedWorker } from '../world/worker.ts';
import type { Checker } from './checker.ts';

/**
 * An object's version is in use on every worker or on none: whenever no commit is under way, the workers that the
 * rollout counts have the same content, which is what the store says is in use.
 *
 * A worker that starts again may fail on an object that the others serve. That is allowed as long as the failure
 * stands in the report.
 */
export function agreement(universe: Universe): Checker {
  const excused = excuses(universe);
  return {
    name: 'an object’s version is in use on all workers or on none',
    always({ agent }) {
      const { rollout, rolloutState } = agent;
      if (rollout === undefined || rolloutState === 'committing') return null;
      // While other workers are still being loaded, the rollout has not passed its failures on yet.
      const found = [...agent.store.failures, ...(rolloutState === 'loading' ? rollout.failures : [])];
      const failing = new Set(found.map((failure) => failure.key));
      for (const worker of rollout.workers) {
        const inside = universe.worker(worker);
        if (inside === undefined || agent.workerState(worker) !== 'ready') continue;
        const wrong = differing(agent.store.serving, inside.dataplane.inUse).filter(
          (key) => !(failing.has(key) && excused.has(`${worker} ${key}`)),
        );
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

/** Pairs of worker and object that failed on that worker alone, when it was loaded or while it served. */
export function excuses(universe: Universe): ReadonlySet<string> {
  const excused = new Set<string>();
  universe.recorder.onRecord((record: JournalRecord) => {
    const event = record.event as RolloutEvent;
    if (event.type === 'worker.loaded' && record.actor.endsWith('/rollout'))
      for (const { key } of event.failures) excused.add(`${event.worker} ${key}`);
  });
  return excused;
}

/** Keys under which the two have not the same content. */
export function differing(one: Snapshot, other: Snapshot): ResourceKey[] {
  const keys: ResourceKey[] = [];
  for (const [key, resource] of one) if (!same(resource, other.get(key))) keys.push(key);
  for (const key of other.keys()) if (!one.has(key)) keys.push(key);
  return keys;
}

/** No two versions of an object are alike, so what is not the same value is compared once by its text. */
function same(one: object, other: object | undefined): boolean {
  return one === other || (other !== undefined && JSON.stringify(one) === JSON.stringify(other));
}
