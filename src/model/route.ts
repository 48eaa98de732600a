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

export interface RouteRule {
  /** Never empty: a rule without matches has one that takes every path. */
  readonly matches: readonly RouteMatch[];
  readonly filters: readonly Filter[];
  readonly clusters: readonly WeightedCluster[];
  /** Whole request until the last byte of the answer, in ms; 0 is off. */
  readonly requestTimeoutMs: number;
  /** From the request's last byte to the first byte of the backend's answer, in ms; 0 is off. */
  readonly backendTimeoutMs: number;
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
