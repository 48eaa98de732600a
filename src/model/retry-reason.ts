/** Why a request was sent again: `upstream_retries{reason}`. */
export const RETRY_REASONS = {
  /** No connection came about. */
  connect_failed: 'no connection came about',
  /** A kept connection turned out to be dead. */
  stale_connection: 'a kept connection turned out to be dead',
  /** A stream of HTTP/2 that the backend refused, or that is above the last of its GOAWAY. */
  unprocessed: 'the backend said that it had not begun with it',
  reset: 'the connection broke before an answer',
  timeout: 'no answer came in time',
  status: 'an answer came that is asked for again',
  grpc_status: 'an answer of gRPC came that is asked for again',
} as const;

export type RetryReason = keyof typeof RETRY_REASONS;

/** What became of a copy of a request: `upstream_mirrored_requests{outcome}`. */
export const MIRROR_OUTCOMES = {
  answered: 'an answer came, whole',
  failed: 'no connection came about, or no whole answer in time',
  no_connection: 'not sent: the cluster has no endpoint, or no connection free',
  too_large: 'not sent: head and body are too large to be kept',
} as const;

export type MirrorOutcome = keyof typeof MIRROR_OUTCOMES;
