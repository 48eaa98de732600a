import { LIMIT_CONNECTIONS, LIMIT_PENDING, limitTotalIndex } from '../../src/model/limits.ts';
import type { TrafficChecker } from './checker.ts';
import type { TrafficWorld } from './traffic-world.ts';

const LOOK_MS = 20;
/** A worker looks at what the others have given back with each tick of 50 ms. */
const NOTICE_MS = 160;

/**
 * The breaker's actor is open exactly while its data plane says that a limit is reached, and no data plane says so
 * for longer than it takes to notice that there is room again.
 */
export function breakers(world: TrafficWorld): TrafficChecker {
  const { edge, clock } = world;
  const cells = new Int32Array(edge.limits.memory);
  const roomSince = new Map<string, number>();
  /** Connections made to the cluster until then: each may have been there at the very tick when the worker looked. */
  const made = new Map<string, number>();
  let lookAt = 0;

  const look = (): string | null => {
    for (const worker of edge.workers)
      for (const { name, breaker, pendingRequests } of worker.dataplane.report('whole').clusters) {
        const resource = edge.resources.get(`cluster/${name}`);
        if (resource?.kind !== 'cluster' || worker.state('upstream-pool', name) !== 'open') continue;
        const actor = worker.state('circuit-breaker', name);
        if (actor !== undefined && actor !== breaker)
          return `the breaker of ${name} on worker ${worker.worker} is ${actor}; its data plane says ${breaker}`;
        const slot = edge.slot(name)!;
        const { maxConnections, maxPendingRequests } = resource.value;
        const connections = cells[limitTotalIndex(slot, LIMIT_CONNECTIONS)]!;
        const waiting = cells[limitTotalIndex(slot, LIMIT_PENDING)]!;
        const key = `${worker.worker} ${name}`;
        const hasRoom =
          connections < maxConnections &&
          (waiting < maxPendingRequests || maxPendingRequests === 0) &&
          pendingRequests === 0;
        const opened = edge.workers.reduce(
          (sum, each) => sum + world.upstream(each.worker, name).accepted,
          0,
        );
        const isBusy = opened !== made.get(key);
        made.set(key, opened);
        if (!hasRoom || isBusy || breaker === 'closed') roomSince.delete(key);
        else if (!roomSince.has(key)) roomSince.set(key, clock.now);
        else if (clock.now - roomSince.get(key)! > NOTICE_MS)
          return `the breaker of ${name} on worker ${worker.worker} is open, but ${connections} of ${maxConnections} connections are taken and ${waiting} of ${maxPendingRequests} requests wait`;
      }
    return null;
  };

  return {
    name: 'a breaker is open exactly while a limit is reached',
    always() {
      if (clock.now < lookAt) return null;
      lookAt = clock.now + LOOK_MS;
      return look();
    },
    quiet: look,
  };
}
