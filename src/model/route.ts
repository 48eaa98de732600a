import type { Filter } from './filter.ts';

export type PathMatch =
  | { readonly type: 'Exact'; readonly value: string }
  /** Matches whole segments: `/v1` matches `/v1` and `/v1/x`, never `/v10`. */
  | { readonly type: 'PathPrefix'; readonly value: string }
  /** Must match the whole path. */
  | { readonly type: 'RegularExpression'; readonly value: string };

export interface ValueMatch {
  readonly type: 'Exact' | 'RegularExpression';
  /** Header names in lower case; query parameter names as written. */
  readonly name: string;
  readonly value: string;
}

export interface RouteMatch {
  readonly path: PathMatch;
  readonly method: string | null;
  readonly headers: readonly ValueMatch[];
  readonly queryParams: readonly ValueMatch[];
}

export interface WeightedCluster {
  /** Name of a cluster; it may be missing from the snapshot, which is answered with 500 `cluster_not_found`. */
  readonly cluster: string;
  /** 0 to 1,000,000; 0 gets nothing. */
  readonly weight: number;
}

/**
 * When a request is sent again. Whatever it says: a request of which nothing can have been processed (no connection
 * came about, or a kept one turned out to be dead before it answered) goes to another endpoint or connection by itself.
 */
export interface RetryPolicy {
  /** Times after the first. */
  readonly attempts: number;
  readonly conditions: readonly RetryCondition[];
  /** Answers that are asked for again, where `conditions` has Status. */
  readonly codes: readonly number[];
  /** Values of `grpc-status` that are asked for again, where `conditions` has GRPCStatus. */
  readonly grpcCodes: readonly number[];
  /** Idempotent: GET, HEAD, OPTIONS, TRACE, PUT, DELETE (RFC 9110, 9.2.2). All: the user says that it does no harm. */
  readonly methods: 'Idempotent' | 'All';
  /** Before the first retry; doubled for each further one, and drawn between half and whole. */
  readonly backoffMs: number;
  readonly maxBackoffMs: number;
}

/**
 * Reset: the connection broke before an answer. Timeout: `backendTimeoutMs` passed. Status: one of `codes` came.
 * GRPCStatus: an answer without messages (trailers only) came with one of `grpcCodes`.
 */
export type RetryCondition = 'Reset' | 'Timeout' | 'Status' | 'GRPCStatus';

/** A copy of requests goes to another cluster; its answers are thrown away. */
export interface Mirror {
  readonly cluster: string;
  /** Part of the requests, 0 to 1. */
  readonly share: number;
}

export interface RouteRule {
  /** Never empty: a rule without matches has one that takes every path. */
  readonly matches: readonly RouteMatch[];
  readonly filters: readonly Filter[];
  readonly clusters: readonly WeightedCluster[];
  /** Whole request until the last byte of the answer, in ms; 0 is off. */
  readonly requestTimeoutMs: number;
  /** From the request's last byte to the first byte of the backend's answer, in ms, for each attempt; 0 is off. */
  readonly backendTimeoutMs: number;
  /** Null: only what was certainly not processed is sent again. */
  readonly retry: RetryPolicy | null;
  readonly mirrors: readonly Mirror[];
  /** Takes the place of the listener's limit; -1: the listener's holds; 0 is off. */
  readonly bodyBytes: number;
  /** gRPC-Web of browsers is turned into gRPC, and back. */
  readonly grpcWeb: boolean;
}

export interface RouteAttachment {
  /** Name of the listener. */
  readonly listener: string;
  /** What route and listener have in common; lower case; empty means every host the listener takes. */
  readonly hostnames: readonly string[];
}

export interface Route {
  /** `namespace/name` */
  readonly name: string;
  /** Milliseconds since the epoch: older routes win ties, then the name (Gateway API precedence). */
  readonly createdAt: number;
  readonly attachments: readonly RouteAttachment[];
  readonly rules: readonly RouteRule[];
}

/** A rule for which the user has said nothing. */
export const RULE_DEFAULTS: Omit<RouteRule, 'matches' | 'filters' | 'clusters'> = {
  requestTimeoutMs: 0,
  backendTimeoutMs: 0,
  retry: null,
  mirrors: [],
  bodyBytes: -1,
  grpcWeb: false,
};
