import {
  LIMIT_CONNECTIONS,
  LIMIT_PENDING,
  limitTotalIndex,
  limitWorkerIndex,
} from '../../src/model/limits.ts';
import type { TrafficChecker } from './checker.ts';
import type { TrafficWorld } from './traffic-world.ts';

const FIELDS = [
  [LIMIT_CONNECTIONS, 'maxConnections', 'connections'],
  [LIMIT_PENDING, 'maxPendingRequests', 'waiting requests'],
] as const;
/** Reports cost more than cells, so they are looked at now and then. */
const REPORT_MS = 20;

/**
 * A cluster has no more connections and waiting requests than its limits allow, over all workers. What the shared
 * memory says is compared with the sockets that the network counts and the queues that the workers report.
 */
export function limits(world: TrafficWorld): TrafficChecker {
  const { edge, topology, clock } = world;
  const cells = new Int32Array(edge.limits.memory);
  const clusters = topology.clusters.map(({ name }) => ({
    name,
    before: [0, 0],
    limit: [0, 0],
    limitBefore: [0, 0],
  }));
  let reportAt = 0;

  const cluster = (each: (typeof clusters)[number]): string | null => {
    const slot = edge.slot(each.name);
    if (slot === undefined) return null;
    const resource = edge.resources.get(`cluster/${each.name}`);
    if (resource?.kind === 'cluster')
      for (const [field, setting] of FIELDS) each.limit[field] = resource.value[setting];
    for (const [field, setting, what] of FIELDS) {
      const total = cells[limitTotalIndex(slot, field)]!;
      let sum = 0;
      for (const { worker } of edge.workers) sum += cells[limitWorkerIndex(worker, slot, field)]!;
      if (total !== sum) return `${each.name}: ${total} ${what} in all, but ${sum} of the workers together`;
      // After a limit was lowered nobody is cut, but it must not become more.
      if (total > Math.max(each.limit[field]!, each.limitBefore[field]!, each.before[field]!))
        return `${each.name} has ${total} ${what}; ${setting} is ${each.limit[field]}`;
      each.before[field] = total;
      each.limitBefore[field] = each.limit[field]!;
    }
    for (const { worker } of edge.workers) {
      const counted = cells[limitWorkerIndex(worker, slot, LIMIT_CONNECTIONS)]!;
      const { open, known } = world.upstream(worker, each.name);
      if (counted < open || counted > known)
        return `worker ${worker} counts ${counted} connections to ${each.name}; the network counts ${open} to ${known}`;
    }
    return null;
  };

  const queues = (): string | null => {
    for (const { worker, dataplane } of edge.workers)
      for (const { name, pendingRequests, connections } of dataplane.report('whole').clusters) {
        const slot = edge.slot(name)!;
        const waiting = cells[limitWorkerIndex(worker, slot, LIMIT_PENDING)]!;
        if (waiting !== pendingRequests)
          return `worker ${worker} counts ${waiting} waiting requests for ${name}; its queue has ${pendingRequests}`;
        const held = cells[limitWorkerIndex(worker, slot, LIMIT_CONNECTIONS)]!;
        if (held !== connections)
          return `worker ${worker} counts ${held} connections to ${name}; its pool has ${connections}`;
      }
    return null;
  };

  return {
    name: 'connections and waiting requests stay within the limits',
    always() {
      for (const each of clusters) {
        const wrong = cluster(each);
        if (wrong !== null) return wrong;
      }
      if (clock.now < reportAt) return null;
      reportAt = clock.now + REPORT_MS;
      return queues();
    },
    quiet() {
      for (const { name } of clusters) {
        const slot = edge.slot(name);
        if (slot === undefined) continue;
        for (const [field, , what] of FIELDS) {
          const total = cells[limitTotalIndex(slot, field)]!;
          if (total !== 0) return `${total} ${what} of ${name} are still counted`;
        }
      }
      return null;
    },
  };
}
