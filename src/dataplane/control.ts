import type { Cluster } from '../model/cluster.ts';
import type { Listener } from '../model/gateway.ts';
import type { CounterRegistration } from '../model/metric.ts';
import type { ClusterReport, EndpointReport, ListenerReport, ReportDetail } from '../model/report.ts';
import type { ResourceKey } from '../model/resource.ts';
import type { ObjectFailure, SnapshotChanges } from '../model/snapshot.ts';
import type { BuildTable } from './balance/hash-table.ts';

/** What a prepared change means for the long-lived things, so that their actors can be started or drained. */
export interface Preparation {
  readonly failures: readonly ObjectFailure[];
  readonly listeners: {
    readonly added: readonly Listener[];
    readonly changed: readonly Listener[];
    readonly removed: readonly string[];
  };
  readonly clusters: {
    readonly added: readonly Cluster[];
    readonly changed: readonly Cluster[];
    readonly removed: readonly string[];
  };
}

/** Called before each object of a change, and with null after the last: whoever looks knows at which one the thread is. */
export type AtObject = (key: ResourceKey | null) => void;

export type UpstreamLimit = 'maxConnections' | 'maxPendingRequests';

/** What the dataplane tells the actors: thresholds crossed, never single requests. */
export type DataplaneNotification =
  | { readonly type: 'listener.drained'; readonly listener: string }
  | {
      readonly type: 'listener.failed';
      readonly listener: string;
      readonly code: string;
      readonly message: string;
    }
  | { readonly type: 'pool.drained'; readonly cluster: string }
  | {
      readonly type: 'endpoint.failing';
      readonly cluster: string;
      readonly endpoint: string;
      readonly reason: string;
      readonly failures: number;
    }
  | { readonly type: 'endpoint.recovered'; readonly cluster: string; readonly endpoint: string }
  | { readonly type: 'limit.reached'; readonly cluster: string; readonly limit: UpstreamLimit }
  | { readonly type: 'limit.cleared'; readonly cluster: string; readonly limit: UpstreamLimit }
  /** An exception nobody foresaw cost a connection; `count` of them since the last notification, this one the last. */
  | { readonly type: 'fault'; readonly message: string; readonly stack: string; readonly count: number };

/**
 * What a dataplane worker offers to its actors. Each call is what an effect is bound to; none is made per request.
 *
 * A change goes through `prepare` → (`bindListener` for each added one) → `commit` | `discard`. Until `commit`
 * no request sees any of it; at `commit` the next request sees all of it.
 */
export interface DataplaneControl {
  /** Compiles the changes beside the configuration in use. At most one preparation is open at a time. */
  prepare(changes: SnapshotChanges, at?: AtObject): Preparation;
  /** Puts the open preparation in use, without the objects in `rejected`: these keep their last good version. */
  commit(rejected: readonly ResourceKey[], at?: AtObject): void;
  /** Drops the open preparation, with the sockets bound for it. */
  discard(): void;
  /**
   * Opens the listener's port (or joins the socket that another listener has on it); connections that come before
   * `activateListener` wait. A listener in use that is to move serves on where it is until the commit; what is bound
   * after `discard` is closed again (`ECANCELED`). Rejects with an Error whose `code` is the system's (`EADDRINUSE`, `EACCES`).
   */
  bindListener(listener: Listener): Promise<void>;
  activateListener(name: string): void;
  /**
   * No new connections; requests in flight, and those that still come on its connections, are served by what it served,
   * with `Connection: close`; then `listener.drained`.
   */
  drainListener(name: string): void;
  /** Cuts what is left and frees the port. Returns how many connections were cut. */
  closeListener(name: string): number;
  /**
   * `limitSlot`: the cluster's slot in the shared limits, see `model/limits`. Also takes changed settings of an open
   * pool. `anew`: no endpoint is ejected any more; who ejected them is gone.
   */
  openPool(cluster: Cluster, limitSlot: number, anew?: boolean): void;
  /** No new connections; when requests in flight have ended: `pool.drained`. */
  drainPool(name: string): void;
  closePool(name: string): number;
  /** The balancer passes over the endpoint until it is restored; if all are ejected it takes them all. */
  ejectEndpoint(cluster: string, endpoint: string): void;
  restoreEndpoint(cluster: string, endpoint: string): void;
  /**
   * The thread is about to end without notice: requests in flight that have no answer yet are told so (503), in this
   * very call; answers that have begun are cut. The instance is not used again. Never throws.
   */
  abort(): void;
  /** A summary costs no memory for what is well; see ReportDetail. */
  report(detail: ReportDetail): {
    listeners: ListenerReport[];
    clusters: ClusterReport[];
    endpoints: EndpointReport[];
  };
}

export interface DataplaneOptions {
  /** Index of the worker, from 0; its thread is `dataplane-<index>`. */
  readonly worker: number;
  /** Address that listeners bind, for example `127.0.0.1` or `::`; undefined is all. */
  readonly bind: string | undefined;
  /** False where the system cannot spread one port over threads. */
  readonly reusePort: boolean;
  /** Float64 values, growable; see CounterRegistration. */
  readonly counters: SharedArrayBuffer;
  /** Limits over all workers of the node, see `model/limits`. */
  readonly limits: SharedArrayBuffer;
  /** Keys of TLS sessions that all workers of a node share (`TicketKeys`); undefined: this worker has its own. */
  readonly ticketKeys?: SharedArrayBuffer;
  /** File the access log is appended to, `-` for standard output, null for none. */
  readonly accessLog: string | null;
  /** How long the connections of a port are kept that a listener has moved away from. */
  readonly drainTimeoutMs: number;
  readonly notify: (notification: DataplaneNotification) => void;
  readonly register: (registration: CounterRegistration) => void;
  /** Builds the tables of clusters that hash, on another thread; without it they are built where they are needed. */
  readonly buildTable?: BuildTable;
}
