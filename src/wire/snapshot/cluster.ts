import type { Cluster, HashSource, RetryBudget } from '../../model/cluster.ts';
import { CLUSTER_PROTOCOLS, LB_POLICIES } from '../../model/cluster.ts';
import type { Endpoint } from '../../model/endpoint.ts';
import type { ResourceCodec } from './codec.ts';
import { count, inside, name, oneOf, part, port, text, weight } from './field.ts';
import type { ClusterDecoded, Cluster as ClusterEncoded } from './generated/novaedge/v1/Cluster.ts';
import type { EndpointDecoded, Endpoint as EndpointEncoded } from './generated/novaedge/v1/Endpoint.ts';
import type {
  HashSourceDecoded,
  HashSource as HashSourceEncoded,
} from './generated/novaedge/v1/HashSource.ts';
import type { RetryBudgetDecoded } from './generated/novaedge/v1/RetryBudget.ts';
import type { Sparse } from './schema.ts';
import { clusterTlsFromMessage, clusterTlsToMessage } from './tls.ts';

const HASH_SOURCES = ['SourceIP', 'Path', 'Header', 'Cookie'] as const;
const PROXY_PROTOCOLS = ['V1', 'V2'] as const;

export const clusterCodec: ResourceCodec<Cluster, ClusterEncoded, ClusterDecoded> = {
  toMessage: (cluster) => ({
    name: name(cluster.name, 'name'),
    lbPolicy: oneOf(cluster.lbPolicy, LB_POLICIES, 'lbPolicy'),
    connectTimeoutMs: count(cluster.connectTimeoutMs, 'connectTimeoutMs') || undefined,
    idleTimeoutMs: count(cluster.idleTimeoutMs, 'idleTimeoutMs') || undefined,
    maxConnections: count(cluster.maxConnections, 'maxConnections') || undefined,
    maxPendingRequests: count(cluster.maxPendingRequests, 'maxPendingRequests') || undefined,
    hash: cluster.hash === null ? undefined : inside('hash', () => hashToMessage(cluster.hash!)),
    pendingTimeoutMs: count(cluster.pendingTimeoutMs, 'pendingTimeoutMs') || undefined,
    warmConnections: count(cluster.warmConnections, 'warmConnections') || undefined,
    maxIdleConnections: count(cluster.maxIdleConnections, 'maxIdleConnections') || undefined,
    maxRequestsPerConnection:
      count(cluster.maxRequestsPerConnection, 'maxRequestsPerConnection') || undefined,
    retryBudget: inside('retryBudget', () => ({
      percent: count(cluster.retryBudget.percent, 'percent') || undefined,
      intervalMs: count(cluster.retryBudget.intervalMs, 'intervalMs') || undefined,
      minPerSecond: count(cluster.retryBudget.minPerSecond, 'minPerSecond') || undefined,
    })),
    proxyProtocol:
      cluster.proxyProtocol === null
        ? undefined
        : oneOf(cluster.proxyProtocol, PROXY_PROTOCOLS, 'proxyProtocol'),
    protocol: oneOf(cluster.protocol, CLUSTER_PROTOCOLS, 'protocol'),
    tls: cluster.tls === null ? undefined : inside('tls', () => clusterTlsToMessage(cluster.tls!)),
    maxConcurrentStreams: count(cluster.maxConcurrentStreams, 'maxConcurrentStreams') || undefined,
  }),
  fromMessage: (message) => ({
    name: name(message.name, 'name'),
    lbPolicy: oneOf(message.lbPolicy, LB_POLICIES, 'lbPolicy'),
    connectTimeoutMs: message.connectTimeoutMs,
    idleTimeoutMs: message.idleTimeoutMs,
    maxConnections: message.maxConnections,
    maxPendingRequests: message.maxPendingRequests,
    hash: message.hash === null ? null : inside('hash', () => hashFromMessage(message.hash!)),
    pendingTimeoutMs: message.pendingTimeoutMs,
    warmConnections: message.warmConnections,
    maxIdleConnections: message.maxIdleConnections,
    maxRequestsPerConnection: message.maxRequestsPerConnection,
    retryBudget: budgetFromMessage(part(message.retryBudget, 'retryBudget')),
    proxyProtocol:
      message.proxyProtocol === '' ? null : oneOf(message.proxyProtocol, PROXY_PROTOCOLS, 'proxyProtocol'),
    protocol: oneOf(message.protocol, CLUSTER_PROTOCOLS, 'protocol'),
    tls: message.tls === null ? null : inside('tls', () => clusterTlsFromMessage(message.tls!)),
    maxConcurrentStreams: message.maxConcurrentStreams,
  }),
};

function hashToMessage(hash: HashSource): Sparse<HashSourceEncoded> {
  switch (hash.type) {
    case 'Header':
      return { type: hash.type, name: name(hash.name, 'name') };
    case 'Cookie':
      return {
        type: hash.type,
        name: name(hash.name, 'name'),
        path: text(hash.path, 'path') || undefined,
        ttlSeconds: count(hash.ttlSeconds, 'ttlSeconds') || undefined,
      };
    default:
      return { type: oneOf(hash.type, HASH_SOURCES, 'type') };
  }
}

function hashFromMessage(message: HashSourceDecoded): HashSource {
  const type = oneOf(message.type, HASH_SOURCES, 'type');
  if (type === 'Header') return { type, name: name(message.name, 'name') };
  if (type === 'Cookie')
    return { type, name: name(message.name, 'name'), path: message.path, ttlSeconds: message.ttlSeconds };
  return { type };
}

function budgetFromMessage({ percent, intervalMs, minPerSecond }: RetryBudgetDecoded): RetryBudget {
  return { percent, intervalMs, minPerSecond };
}

export function endpointToMessage(endpoint: Endpoint): Sparse<EndpointEncoded> {
  name(endpoint.cluster, 'cluster');
  return {
    address: name(endpoint.address, 'address'),
    port: port(endpoint.port, 'port'),
    weight: weight(endpoint.weight, 'weight') || undefined,
    ready: endpoint.ready || undefined,
    zone: text(endpoint.zone, 'zone') || undefined,
    nodeName: text(endpoint.nodeName, 'nodeName') || undefined,
  };
}

/** The message does not hold the cluster: endpoints travel in a map by cluster. */
export function endpointFromMessage(message: EndpointDecoded, cluster: string): Endpoint {
  return {
    cluster: name(cluster, 'cluster'),
    address: name(message.address, 'address'),
    port: port(message.port, 'port'),
    weight: weight(message.weight, 'weight'),
    ready: message.ready,
    zone: message.zone,
    nodeName: message.nodeName,
  };
}
