export type LoadBalancingPolicy = 'RoundRobin';

/** A group of endpoints that serve the same thing, and how they are spoken to. */
export interface Cluster {
  /** `namespace/name` of the ProxyBackend, or `namespace/name:port` of a Service a route names directly. */
  readonly name: string;
  readonly lbPolicy: LoadBalancingPolicy;
  readonly connectTimeoutMs: number;
  /** An unused connection to an endpoint is closed after this time. */
  readonly idleTimeoutMs: number;
  /** Connections to all endpoints, over all workers of a node. */
  readonly maxConnections: number;
  /** Requests that wait for a connection, over all workers of a node. */
  readonly maxPendingRequests: number;
}
