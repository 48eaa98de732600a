import type { Universe } from '../world/universe.ts';
import { countedWorkers, differing } from './agreement.ts';
import type { Checker } from './checker.ts';

/**
 * What is acknowledged to the controller is in use, to the last object, on every worker that the rollout counts; of
 * what is answered with failures, everything but these.
 */
export function answers(): Checker {
  return {
    name: 'what is acknowledged serves',
    answered(universe: Universe, { type, version, failures }) {
      const snapshot = universe.controller.snapshot(version);
      if (snapshot === undefined) return `version ${version.slice(0, 12)} is answered, and was never sent`;
      const failed = new Set(failures.map(({ key }) => key));
      for (const { worker, dataplane } of countedWorkers(universe)) {
        const wrong = differing(snapshot, dataplane.inUse).filter((key) => !failed.has(key));
        if (wrong.length > 0)
          return `version ${version.slice(0, 12)} is answered by ${type}, but ${wrong} is not so on worker ${worker}`;
      }
      return null;
    },
  };
}
