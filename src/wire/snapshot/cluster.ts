import type { Cluster } from '../../model/cluster.ts';
import type { Endpoint } from '../../model/endpoint.ts';
import type { ResourceCodec } from './codec.ts';
import { count, name, oneOf, port, text, weight } from './field.ts';
import type { ClusterDecoded, Cluster as ClusterEncoded } from './generated/novaedge/v1/Cluster.ts';
import type { EndpointDecoded, Endpoint as EndpointEncoded } from './generated/novaedge/v1/Endpoint.ts';
import type { Sparse } from './schema.ts';

const POLICIES = ['RoundRobin'] as const;

export const clusterCodec: ResourceCodec<Cluster, ClusterEncoded, ClusterDecoded> = {
  toMessage: (cluster) => ({
    name: name(cluster.name, 'name'),
    lbPolicy: oneOf(cluster.lbPolicy, POLICIES, 'lbPolicy'),
    connectTimeoutMs: count(cluster.connectTimeoutMs, 'connectTimeoutMs') || undefined,
    idleTimeoutMs: count(cluster.idleTimeoutMs, 'idleTimeoutMs') || undefined,
    maxConnections: count(cluster.maxConnections, 'maxConnections') || undefined,
    maxPendingRequests: count(cluster.maxPendingRequests, 'maxPendingRequests') || undefined,
  }),
  fromMessage: (message) => ({
    name: name(message.name, 'name'),
    lbPolicy: oneOf(message.lbPolicy, POLICIES, 'lbPolicy'),
    connectTimeoutMs: message.connectTimeoutMs,
    idleTimeoutMs: message.idleTimeoutMs,
    maxConnections: message.maxConnections,
    maxPendingRequests: message.maxPendingRequests,
  }),
};

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
