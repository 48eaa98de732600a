/** Histogram bounds in seconds. */
export const LATENCY_BUCKETS = [
  0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10,
] as const;

export interface MetricDefinition {
  readonly type: 'counter' | 'gauge' | 'histogram';
  readonly help: string;
  readonly labels: readonly string[];
}

/** Metrics that the dataplane counts in shared memory, under the names users type. Histograms are in seconds. */
export const DATAPLANE_METRICS = {
  request_count: { type: 'counter', help: 'Requests answered', labels: ['listener', 'route', 'code'] },
  request_duration: {
    type: 'histogram',
    help: 'Seconds from the first byte of a request to the last of its answer',
    labels: ['listener'],
  },
  local_response_count: {
    type: 'counter',
    help: 'Answers made or requests cut by NovaEdge itself',
    labels: ['reason'],
  },
  grpc_responses: {
    type: 'counter',
    help: 'Calls of gRPC that have ended, by the name of their status',
    labels: ['route', 'code'],
  },
  connection_count: { type: 'counter', help: 'Connections accepted', labels: ['listener'] },
  open_connections: { type: 'gauge', help: 'Client connections open', labels: ['listener'] },
  proxy_protocol_faults: {
    type: 'counter',
    help: 'Connections closed because they did not begin with the PROXY protocol header they must have',
    labels: ['listener', 'reason'],
  },
  http2_faults: {
    type: 'counter',
    help: 'Streams that were reset, and HTTP/2 connections that were ended, because of what a client sent',
    labels: ['listener', 'reason'],
  },
  tls_handshake_failures: {
    type: 'counter',
    help: 'TLS handshakes of clients that came to nothing',
    labels: ['listener', 'reason'],
  },
  active_connections: {
    type: 'gauge',
    help: 'Client connections with a request in flight',
    labels: ['listener'],
  },
  connections_cut: {
    type: 'counter',
    help: 'Client connections cut with a request or a tunnel under way because the time to drain was over',
    labels: ['listener'],
  },
  upstream_rtt: {
    type: 'histogram',
    help: 'Seconds from the request sent to the first byte of the answer',
    labels: ['cluster'],
  },
  upstream_request_count: { type: 'counter', help: 'Answers of backends', labels: ['cluster', 'code'] },
  upstream_connection_count: { type: 'counter', help: 'Connections made to backends', labels: ['cluster'] },
  upstream_open_connections: { type: 'gauge', help: 'Connections open to backends', labels: ['cluster'] },
  upstream_connect_failures: {
    type: 'counter',
    help: 'Connections to backends that failed',
    labels: ['cluster', 'reason'],
  },
  upstream_pending_requests: {
    type: 'gauge',
    help: 'Requests that wait for a connection',
    labels: ['cluster'],
  },
  upstream_retries: {
    type: 'counter',
    help: 'Requests sent again on another connection',
    labels: ['cluster', 'reason'],
  },
  upstream_retries_refused: {
    type: 'counter',
    help: "Retries that a rule asks for and the cluster's budget did not allow",
    labels: ['cluster'],
  },
  upstream_mirrored_requests: {
    type: 'counter',
    help: 'Copies of requests for the cluster, by what became of them',
    labels: ['cluster', 'outcome'],
  },
} as const satisfies Record<string, MetricDefinition>;

export type DataplaneMetric = keyof typeof DATAPLANE_METRICS;

/**
 * A worker says once where it counts what; from then on the values are read from shared memory, also after the
 * worker has died. A counter or gauge takes one float64 at `index`; a histogram takes LATENCY_BUCKETS.length + 1
 * bucket counts (not cumulative, the last is +Inf) and then the sum in seconds.
 */
export interface CounterRegistration {
  readonly metric: DataplaneMetric;
  readonly labels: Readonly<Record<string, string>>;
  readonly index: number;
}
