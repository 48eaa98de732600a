import { TRANSIENT_FAILURES } from '../../actors/rollout.ts';
import type { Universe } from '../world/universe.ts';
import { differing } from './agreement.ts';
import type { Checker } from './checker.ts';

/**
 * What the controller is told is so: an acknowledged version is in use to the last object on every worker that the
 * rollout counts, and of a refused object the version that was refused is in use on none.
 */
export function answers(universe: Universe): Checker {
  /** Refused for its content: it can never serve. */
  const refused = new Set<object>();
  const workers = () =>
    universe.workers.filter(
      ({ worker }) =>
        universe.agent.rollout?.workers.includes(worker) === true &&
        universe.agent.workerState(worker) === 'ready',
    );
  return {
    name: 'what is acknowledged serves, what is refused does not',
    answered({ controller }, { type, version, failures }) {
      const snapshot = controller.snapshot(version);
      if (snapshot === undefined) return `version ${version.slice(0, 12)} is answered, and was never sent`;
      if (type === 'ack') {
        for (const { worker, dataplane } of workers()) {
          const wrong = differing(snapshot, dataplane.inUse);
          if (wrong.length > 0)
            return `version ${version.slice(0, 12)} is acknowledged, but ${wrong} is not so on worker ${worker}`;
        }
        return null;
      }
      for (const { key, reason } of failures) {
        const resource = snapshot.get(key);
        if (resource === undefined) continue;
        if (universe.workload.isBad(resource)) refused.add(resource);
        if (TRANSIENT_FAILURES.has(reason)) continue;
        for (const { worker, dataplane } of workers())
          if (dataplane.inUse.get(key) === resource)
            return `${key} of version ${version.slice(0, 12)} is refused (${reason}), but serves on worker ${worker}`;
      }
      return null;
    },
    always({ workload }) {
      for (const { worker, dataplane } of universe.workers)
        for (const [key, resource] of dataplane.inUse)
          if (refused.has(resource) || workload.isBad(resource))
            return `${key} cannot be prepared, but serves on worker ${worker}`;
      return null;
    },
  };
}
