/**
 * Why NovaEdge itself answered, or cut, a request: in the access log, the `x-novaedge-reason` header of local
 * answers, and `local_response_count{reason}`.
 */
export const RESPONSE_REASONS = {
  bad_request: 400,
  method_not_allowed: 405,
  request_line_too_long: 414,
  headers_too_large: 431,
  /** The request's body is longer than the listener or the rule allows. */
  body_too_large: 413,
  request_timeout: 408,
  expectation_failed: 417,
  /** TLS was agreed on for another listener of the port. */
  misdirected_request: 421,
  version_not_supported: 505,
  /** CONNECT for another protocol than WebSocket (RFC 8441). */
  protocol_not_supported: 501,
  route_not_found: 404,
  redirect: 302,
  cluster_not_found: 500,
  /** A fault of NovaEdge itself; the log has where. */
  internal_error: 500,
  no_healthy_endpoint: 503,
  connection_limit: 503,
  pending_limit: 503,
  pending_timeout: 503,
  draining: 503,
  /** The worker thread that had the request ended. */
  worker_failed: 503,
  upstream_connect_failed: 502,
  upstream_connect_timeout: 504,
  upstream_reset: 502,
  upstream_protocol_error: 502,
  upstream_timeout: 504,
  /** The client's own deadline (`grpc-timeout`) has passed. */
  deadline_exceeded: 504,
  client_reset: 499,
  /** The client took nothing of its answer for too long, or took it too slowly. */
  client_stalled: 499,
  /** Neither side of an upgraded connection said anything for too long. */
  tunnel_idle: 499,
} as const;

export type ResponseReason = keyof typeof RESPONSE_REASONS;
