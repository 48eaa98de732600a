import type { ClusterTls } from './tls.ts';

export const LB_POLICIES = [
  'RoundRobin',
  'Random',
  'LeastRequest',
  'P2C',
  'EWMA',
  'RingHash',
  'Maglev',
] as const;
export type LoadBalancingPolicy = (typeof LB_POLICIES)[number];

/** What of a request decides its endpoint under RingHash and Maglev. */
export type HashSource =
  | { readonly type: 'SourceIP' }
  | { readonly type: 'Path' }
  /** `name` in lower case. A request without it is spread like one under Random. */
  | { readonly type: 'Header'; readonly name: string }
  /** Set by us where a request has none; `ttlSeconds` 0: until the client's session ends. */
  | { readonly type: 'Cookie'; readonly name: string; readonly path: string; readonly ttlSeconds: number };

/** Retries at most `percent` of the requests of the last `intervalMs`, but always `minPerSecond`; a worker's own count. */
export interface RetryBudget {
  readonly percent: number;
  readonly intervalMs: number;
  readonly minPerSecond: number;
}

/**
 * HTTP1: HTTP/1.1. HTTP2: HTTP/2, in clear text by prior knowledge (h2c). Auto: what the backend takes by ALPN over
 * TLS, HTTP/1.1 in clear text.
 */
export const CLUSTER_PROTOCOLS = ['Auto', 'HTTP1', 'HTTP2'] as const;
export type ClusterProtocol = (typeof CLUSTER_PROTOCOLS)[number];

/** A group of endpoints that serve the same thing, and how they are spoken to. */
export interface Cluster {
  /** `namespace/name` of the ProxyBackend, or `namespace/name:port` of a Service a route names directly. */
  readonly name: string;
  readonly lbPolicy: LoadBalancingPolicy;
  /** Never null for RingHash and Maglev, null for the others. */
  readonly hash: HashSource | null;
  readonly connectTimeoutMs: number;
  /** An unused connection to an endpoint is closed after this time. */
  readonly idleTimeoutMs: number;
  /** Connections to all endpoints, over all workers of a node. */
  readonly maxConnections: number;
  /** Requests that wait for a connection, over all workers of a node. */
  readonly maxPendingRequests: number;
  /** How long a request waits for a connection. */
  readonly pendingTimeoutMs: number;
  /** Connections that each worker keeps open to each endpoint, used or not. */
  readonly warmConnections: number;
  /** Unused connections that each worker keeps to each endpoint. */
  readonly maxIdleConnections: number;
  /** After so many requests a connection is closed; 0 is off. */
  readonly maxRequestsPerConnection: number;
  readonly retryBudget: RetryBudget;
  /** Each connection begins with a PROXY protocol header, and is its client's alone. */
  readonly proxyProtocol: 'V1' | 'V2' | null;
  readonly protocol: ClusterProtocol;
  /** Null: clear text. */
  readonly tls: ClusterTls | null;
  /** Requests under way on one HTTP/2 connection; the backend may want fewer. */
  readonly maxConcurrentStreams: number;
}

/** What a Service named by a route itself is spoken to with: the defaults of a ProxyBackend. */
export const CLUSTER_DEFAULTS: Omit<Cluster, 'name'> = {
  lbPolicy: 'RoundRobin',
  hash: null,
  connectTimeoutMs: 2000,
  idleTimeoutMs: 60_000,
  maxConnections: 1024,
  maxPendingRequests: 1024,
  pendingTimeoutMs: 5000,
  warmConnections: 0,
  maxIdleConnections: 1024,
  maxRequestsPerConnection: 0,
  retryBudget: { percent: 20, intervalMs: 10_000, minPerSecond: 10 },
  proxyProtocol: null,
  protocol: 'Auto',
  tls: null,
  maxConcurrentStreams: 100,
};
