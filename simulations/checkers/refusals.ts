import { TRANSIENT_FAILURES } from '../../actors/rollout.ts';
import type { Universe } from '../world/universe.ts';
import { countedWorkers } from './agreement.ts';
import type { Checker } from './checker.ts';

/** Of an object that was refused towards the controller, the version that was refused serves on no worker. */
export function refusals(universe: Universe): Checker {
  /** Refused for its content: it can never serve. */
  const refused = new Set<object>();
  return {
    name: 'what was refused never serves',
    answered(_, { type, version, failures }) {
      const { controller, workload } = universe;
      const snapshot = controller.snapshot(version);
      if (type === 'ack' || snapshot === undefined) return null;
      for (const { key, reason } of failures) {
        const resource = snapshot.get(key);
        if (resource === undefined) continue;
        if (workload.isBad(resource)) refused.add(resource);
        if (TRANSIENT_FAILURES.has(reason)) continue;
        for (const { worker, dataplane } of countedWorkers(universe))
          if (dataplane.inUse.get(key) === resource)
            return `${key} of version ${version.slice(0, 12)} is refused (${reason}), but serves on worker ${worker}`;
      }
      return null;
    },
    always({ workload, workers }) {
      for (const { worker, dataplane } of workers)
        for (const [key, resource] of dataplane.inUse)
          if (refused.has(resource) || workload.isBad(resource))
            return `${key} cannot be prepared, but serves on worker ${worker}`;
      return null;
    },
  };
}
