import type { ActorReport } from './actor.ts';
import type { ObjectFailure, SnapshotVersion } from './snapshot.ts';

export interface ListenerReport {
  readonly name: string;
  readonly port: number;
  readonly state: string;
  readonly openConnections: number;
  readonly requests: number;
}

export interface EndpointReport {
  readonly cluster: string;
  readonly endpoint: string;
  /** `healthy`; `unready` by configuration; `failing` when connections to it fail. */
  readonly health: 'healthy' | 'unready' | 'failing';
  readonly reason: string;
  readonly connections: number;
  readonly activeRequests: number;
  readonly requests: number;
  readonly failures: number;
}

export interface ClusterReport {
  readonly name: string;
  readonly connections: number;
  readonly pendingRequests: number;
  readonly requests: number;
  readonly breaker: string;
}

/**
 * `whole`: everything. `summary`: totals and listeners, and only those clusters, endpoints and actors that are not as
 * they should be, so that its size does not grow with the configuration; at most REPORT_SUMMARY_ITEMS of each.
 */
export type ReportDetail = 'summary' | 'whole';

export const REPORT_SUMMARY_ITEMS = 100;

/** What an agent says of itself, and what its controller keeps of it. */
export interface NodeReport {
  readonly detail: ReportDetail;
  readonly node: string;
  readonly version: SnapshotVersion;
  readonly ready: boolean;
  readonly notReadyReason: string;
  readonly workers: number;
  /** Milliseconds since the epoch. */
  readonly startedAt: number;
  readonly failures: readonly ObjectFailure[];
  readonly listeners: readonly ListenerReport[];
  readonly clusters: readonly ClusterReport[];
  readonly endpoints: readonly EndpointReport[];
  readonly actors: readonly ActorReport[];
  /** Sums over the workers by metric and status code class: `request_count{code="2xx"}`. */
  readonly totals: Readonly<Record<string, number>>;
}
