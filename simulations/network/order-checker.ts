import type { TrafficChecker } from './checker.ts';

/** What clients and backends have seen that cannot be; each message says it in words. */
export function findings(): TrafficChecker {
  return {
    name: 'every request gets its own answer, whole, or a closed connection',
    always: ({ findings: found }) => found[0] ?? null,
  };
}

/** No exception on the path of requests, and no event that an actor does not expect. */
export function order(): TrafficChecker {
  return {
    name: 'no fault and no unexpected event',
    always({ faults, notices }) {
      if (faults.length > 0) return faults[0]!;
      const notice = notices.find(({ type }) => type !== 'undeliverable');
      if (notice === undefined) {
        notices.length = 0;
        return null;
      }
      return `${notice.type}: ${notice.event} to ${notice.actor} in state ${notice.state} (${notice.id}): ${notice.message.split('\n', 4).join(' ')}`;
    },
  };
}

const GAUGES = [
  'open_connections',
  'active_connections',
  'upstream_open_connections',
  'upstream_pending_requests',
] as const;

/** When nobody asks for anything any more, nothing is held any more. */
export function leftovers(): TrafficChecker {
  return {
    name: 'nothing is left over',
    quiet({ edge }) {
      for (const { worker, thread, dataplane, gauge } of edge.workers.map((each) => ({
        worker: each.worker,
        thread: each.thread,
        dataplane: each.dataplane,
        gauge: (metric: (typeof GAUGES)[number]) => each.gauge(metric),
      }))) {
        if (thread.sockets.size > 0) return `worker ${worker} has ${thread.sockets.size} connections`;
        if (dataplane.armedTimers > 0) return `worker ${worker} has ${dataplane.armedTimers} timers that run`;
        for (const metric of GAUGES)
          if (gauge(metric) !== 0) return `${metric} of worker ${worker} says ${gauge(metric)}`;
        for (const { name, openConnections, state } of dataplane.report('whole').listeners)
          if (openConnections > 0 || state !== 'listening')
            return `${name} is ${state} on worker ${worker} with ${openConnections} connections`;
        for (const { endpoint, activeRequests, connections } of dataplane.report('whole').endpoints)
          if (activeRequests > 0 || connections > 0)
            return `${endpoint} has ${activeRequests} requests and ${connections} connections on worker ${worker}`;
      }
      return null;
    },
  };
}
