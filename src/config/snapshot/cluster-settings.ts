import type { Cluster, HashSource } from '../../model/cluster.ts';
import type { ProxyBackendSpec } from '../crds/proxy-backend.ts';
import { durationMs } from '../duration.ts';

/** Policies that need to know which requests belong together. */
export const HASH_POLICIES: ReadonlySet<string> = new Set(['RingHash', 'Maglev']);

/** What a checked backend says of how its endpoints are spoken to, but for the protocol, of which its Service may speak too. */
export function clusterSettings(
  spec: ProxyBackendSpec,
): Omit<Cluster, 'name' | 'protocol' | 'tls' | 'maxConcurrentStreams'> {
  const { circuitBreaker, pool, retryBudget } = spec;
  return {
    lbPolicy: spec.lbPolicy,
    hash: HASH_POLICIES.has(spec.lbPolicy) ? hashSource(spec.hash) : null,
    connectTimeoutMs: durationMs(spec.connectTimeout),
    idleTimeoutMs: durationMs(spec.idleTimeout),
    maxConnections: circuitBreaker.maxConnections,
    maxPendingRequests: circuitBreaker.maxPendingRequests,
    pendingTimeoutMs: durationMs(pool.pendingTimeout),
    warmConnections: pool.warmConnections,
    maxIdleConnections: pool.maxIdleConnections,
    maxRequestsPerConnection: pool.maxRequestsPerConnection,
    retryBudget: {
      percent: retryBudget.percent,
      intervalMs: durationMs(retryBudget.interval),
      minPerSecond: retryBudget.minPerSecond,
    },
    proxyProtocol: spec.proxyProtocol ?? null,
  };
}

function hashSource(spec: ProxyBackendSpec['hash']): HashSource {
  switch (spec?.type) {
    case 'Path':
      return { type: 'Path' };
    case 'Header':
      return { type: 'Header', name: (spec.header ?? '').toLowerCase() };
    case 'Cookie': {
      const { name, path, ttl } = spec.cookie ?? { name: '', path: '/', ttl: '0s' };
      return { type: 'Cookie', name, path, ttlSeconds: Math.ceil(durationMs(ttl) / 1000) };
    }
    default:
      return { type: 'SourceIP' };
  }
}
