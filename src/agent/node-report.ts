import type { ClusterReport, EndpointReport, ListenerReport, ReportDetail } from '../model/report.ts';
import { REPORT_SUMMARY_ITEMS } from '../model/report.ts';
import type { WorkerReport } from './worker/contract.ts';

/** What all workers say of the same things, added up; a state that differs from the others' is the one shown. */
export function mergeReports(
  reports: readonly WorkerReport[],
  detail: ReportDetail,
): {
  readonly listeners: readonly ListenerReport[];
  readonly clusters: readonly ClusterReport[];
  readonly endpoints: readonly EndpointReport[];
} {
  const listeners = new Map<string, ListenerReport>();
  const clusters = new Map<string, ClusterReport>();
  const endpoints = new Map<string, EndpointReport>();
  for (const report of reports) {
    for (const one of report.listeners) merge(listeners, one.name, one, addListeners);
    for (const one of report.clusters) merge(clusters, one.name, one, addClusters);
    for (const one of report.endpoints) merge(endpoints, `${one.cluster} ${one.endpoint}`, one, addEndpoints);
  }
  const most = detail === 'summary' ? REPORT_SUMMARY_ITEMS : Number.POSITIVE_INFINITY;
  return {
    listeners: [...listeners.values()],
    clusters: [...clusters.values()].slice(0, most),
    endpoints: [...endpoints.values()].slice(0, most),
  };
}

function merge<T>(into: Map<string, T>, key: string, one: T, add: (a: T, b: T) => T): void {
  const before = into.get(key);
  into.set(key, before === undefined ? one : add(before, one));
}

function addListeners(a: ListenerReport, b: ListenerReport): ListenerReport {
  return {
    ...a,
    state: a.state === 'listening' ? b.state : a.state,
    openConnections: a.openConnections + b.openConnections,
    requests: a.requests + b.requests,
  };
}

function addClusters(a: ClusterReport, b: ClusterReport): ClusterReport {
  return {
    ...a,
    connections: a.connections + b.connections,
    pendingRequests: a.pendingRequests + b.pendingRequests,
    requests: a.requests + b.requests,
    breaker: a.breaker === 'closed' ? b.breaker : a.breaker,
  };
}

function addEndpoints(a: EndpointReport, b: EndpointReport): EndpointReport {
  const shown = a.health === 'healthy' ? b : a;
  return {
    ...a,
    health: shown.health,
    reason: shown.reason,
    connections: a.connections + b.connections,
    activeRequests: a.activeRequests + b.activeRequests,
    requests: a.requests + b.requests,
    failures: a.failures + b.failures,
  };
}
