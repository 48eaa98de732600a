import { CRASHED } from '../../actors/rollout-memory.ts';
import type { Resource, ResourceKey } from '../../src/model/resource.ts';
import { resourceKey } from '../../src/model/resource.ts';
import { recordId } from '../../supervisors/record.ts';
import type { SimulatedAgent } from '../world/agent.ts';
import type { Universe } from '../world/universe.ts';
import { revision } from '../world/workload.ts';
import type { Checker } from './checker.ts';

/** What a deadly version has done in one life of the agent, for as long as the agent is to have this version. */
interface Harm {
  readonly agent: SimulatedAgent;
  readonly revision: number;
  /** Workers that it has stopped since something serves. */
  stopped: number;
  /** What served in its place. */
  served: Resource | undefined;
}

/**
 * A version that ends or hangs the workers which take it stops one worker, not all; the version before it serves on,
 * its neighbours are not blamed, and its failure says what it did and which event told. Before the end of the first round
 * of a life nothing serves that could be lost, so all workers take it at once.
 */
export function deadly(universe: Universe, count: (how: string) => void): Checker {
  const harms = new Map<ResourceKey, Harm>();
  const losses = new Set<string>();
  let wrong: string | null = null;

  universe.recorder.onRecord((record) => {
    if (record.event.type === 'worker.left') losses.add(recordId(record));
  });
  universe.onDeadly = (worker, resource) => {
    const { agent, workload } = universe;
    const { at, how } = workload.deadly(resource)!;
    const key = resourceKey(resource);
    universe.note(`${key} stops worker ${worker}: it ${how} at ${at}`);
    count(`deadly object (${how} at ${at})`);
    const harm = harmOf(agent, key, resource);
    if (!agent.store.settled) return;
    harm.stopped += 1;
    if (harm.stopped > 1) wrong ??= `${key} has stopped ${harm.stopped} workers`;
  };
  const harmOf = (agent: SimulatedAgent, key: ResourceKey, resource: Resource): Harm => {
    const known = harms.get(key);
    if (known?.agent === agent && known.revision === revision(resource)) return known;
    const served = agent.store.serving.get(key);
    const harm = { agent, revision: revision(resource), stopped: 0, served };
    harms.set(key, harm);
    return harm;
  };

  return {
    name: 'an object that stops workers stops one, and the last good version serves on',
    always({ agent, workload, workers }) {
      if (wrong !== null) return wrong;
      for (const [key, harm] of harms) {
        const wished = agent.store.wished.get(key);
        if (harm.agent !== agent || wished === undefined || revision(wished) !== harm.revision) {
          harms.delete(key);
          continue;
        }
        const serving = agent.store.serving.get(key);
        const reason = agent.store.failure(key)?.reason ?? CRASHED;
        // What served in its place may be lost by another cause.
        if (reason !== CRASHED) harm.served = serving;
        else if (serving !== harm.served)
          return `${key} stopped a worker; served was version ${shown(harm.served)}, now it is ${shown(serving)}`;
      }
      for (const { worker, dataplane } of workers)
        for (const [key, resource] of dataplane.inUse)
          if (workload.deadly(resource) !== undefined)
            return `${key} is deadly, but serves on worker ${worker}`;
      return null;
    },
    answered({ controller, workload }, { version, failures }) {
      const snapshot = controller.snapshot(version);
      for (const { key, reason, event, message } of failures) {
        if (reason !== CRASHED) continue;
        const resource = snapshot?.get(key);
        if (resource !== undefined && workload.deadly(resource) === undefined)
          return `${key} is blamed for the end of a worker: ${message}`;
        if (event === undefined || !losses.has(event))
          return `the failure of ${key} does not name the event that told of the worker's end, but ${event}`;
      }
      return null;
    },
  };
}

function shown(resource: Resource | undefined): string {
  return resource === undefined ? 'none' : String(revision(resource));
}
