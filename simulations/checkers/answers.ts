import type { Universe } from '../world/universe.ts';
import { countedWorkers, differing } from './agreement.ts';
import type { Checker } from './checker.ts';

/** What is acknowledged to the controller is in use, to the last object, on every worker that the rollout counts. */
export function answers(): Checker {
  return {
    name: 'what is acknowledged serves',
    answered(universe: Universe, { type, version }) {
      const snapshot = universe.controller.snapshot(version);
      if (snapshot === undefined) return `version ${version.slice(0, 12)} is answered, and was never sent`;
      if (type !== 'ack') return null;
      for (const { worker, dataplane } of countedWorkers(universe)) {
        const wrong = differing(snapshot, dataplane.inUse);
        if (wrong.length > 0)
          return `version ${version.slice(0, 12)} is acknowledged, but ${wrong} is not so on worker ${worker}`;
      }
      return null;
    },
  };
}
