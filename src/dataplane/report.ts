import type { ClusterReport, EndpointReport, ReportDetail } from '../model/report.ts';
import { REPORT_SUMMARY_ITEMS } from '../model/report.ts';
import type { ClusterPool } from './upstream/cluster-pool.ts';

export function reportClusters(pools: Iterable<ClusterPool>, detail: ReportDetail): ClusterReport[] {
  const reports: ClusterReport[] = [];
  for (const pool of pools) {
    if (pool.config === null && pool.connections === 0) continue;
    if (detail === 'summary' && pool.breaker === 'closed') continue;
    if (detail === 'summary' && reports.length === REPORT_SUMMARY_ITEMS) break;
    reports.push({
      name: pool.name,
      connections: pool.connections,
      pendingRequests: pool.pendingRequests,
      requests: pool.counters.requests(),
      breaker: pool.breaker,
    });
  }
  return reports;
}

export function reportEndpoints(pools: Iterable<ClusterPool>, detail: ReportDetail): EndpointReport[] {
  const reports: EndpointReport[] = [];
  for (const pool of pools) {
    for (const endpoint of pool.endpoints.values()) {
      const unwell = endpoint.failing || endpoint.ejected;
      if (detail === 'summary' && !unwell && endpoint.config.ready) continue;
      if (detail === 'summary' && reports.length === REPORT_SUMMARY_ITEMS) return reports;
      reports.push({
        cluster: pool.name,
        endpoint: endpoint.id,
        health: unwell ? 'failing' : endpoint.config.ready ? 'healthy' : 'unready',
        reason: unwell ? endpoint.lastFailure : '',
        connections: endpoint.open,
        activeRequests: endpoint.active,
        requests: endpoint.requests,
        failures: endpoint.failures,
      });
    }
  }
  return reports;
}
