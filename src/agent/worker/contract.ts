import type { MessagePort } from 'node:worker_threads';
import type { Envelope } from '../../../supervisors/envelope.ts';
import type { JournalTrouble } from '../../../supervisors/journal.ts';
import type { SystemNotice } from '../../../supervisors/system.ts';
import type { ActorReport } from '../../model/actor.ts';
import type { CounterRegistration } from '../../model/metric.ts';
import type { ClusterReport, EndpointReport, ListenerReport, ReportDetail } from '../../model/report.ts';
import type { ResourceKey } from '../../model/resource.ts';
import type { ObjectFailure, SnapshotChanges } from '../../model/snapshot.ts';
import type { ActorNotification } from './notified-actor.ts';

/** What a thread is born with; it has no number yet. */
export interface ThreadSettings {
  /** For `WorkerCalls`. */
  readonly calls: MessagePort;
  /** For `TableCalls`. */
  readonly tables: MessagePort;
  /** See `Heartbeat`. */
  readonly heartbeat: SharedArrayBuffer;
  /** See `Activity`. */
  readonly activity: SharedArrayBuffer;
}

/** The one message to a thread: from now on it is this worker. */
export interface WorkerRole {
  readonly type: 'role';
  readonly settings: WorkerSettings;
}

/** What makes a thread a dataplane worker. */
export interface WorkerSettings {
  readonly node: string;
  readonly worker: number;
  readonly bind: string | undefined;
  readonly reusePort: boolean;
  readonly accessLog: string | null;
  readonly drainTimeoutMs: number;
  /** Null: no journal is written. */
  readonly journalDirectory: string | null;
  readonly counters: SharedArrayBuffer;
  readonly limits: SharedArrayBuffer;
  /** Of TLS sessions, see `TicketKeys`. */
  readonly ticketKeys: SharedArrayBuffer;
}

export interface WorkerReport {
  readonly listeners: readonly ListenerReport[];
  readonly clusters: readonly ClusterReport[];
  readonly endpoints: readonly EndpointReport[];
  readonly actors: readonly ActorReport[];
}

/** Slots in the shared limits for the clusters among the changes. */
export type LimitSlotList = readonly (readonly [cluster: string, slot: number])[];

/** Calls from the main thread into a dataplane worker. `cause`: id of the event in the journal that led to the call. */
export interface WorkerCalls {
  /** Resolves when every listener that is new is bound or refused. */
  prepare(changes: SnapshotChanges, slots: LimitSlotList, cause: string): Promise<readonly ObjectFailure[]>;
  commit(rejected: readonly ResourceKey[], cause: string): void;
  discard(): void;
  /** Ends all actors, listeners first; resolves with the number of client connections that were cut. */
  drain(): Promise<number>;
  report(detail: ReportDetail): WorkerReport;
}

/** What a dataplane worker says by itself. */
export type WorkerMessage =
  /** All its modules are there: it can take a role at once. */
  | {
      readonly type: 'loaded';
      /** See `waitedForProcessor`. */
      readonly schedule: string;
    }
  /** It can take configuration. */
  | { readonly type: 'ready' }
  | { readonly type: 'envelope'; readonly envelope: Envelope }
  | { readonly type: 'registered'; readonly registration: CounterRegistration }
  /** An actor of the thread was started again. */
  | { readonly type: 'restarted' }
  /** Exceptions on the path of requests that cost a connection, see `DataplaneNotification`. */
  | { readonly type: 'fault'; readonly message: string; readonly stack: string; readonly count: number }
  /** For the log of backends. */
  | { readonly type: 'backend'; readonly notification: ActorNotification }
  | { readonly type: 'notice'; readonly notice: SystemNotice }
  /** Its journal cannot be written, or can be again. */
  | { readonly type: 'journal'; readonly trouble: JournalTrouble };

export function threadName(worker: number): string {
  return `dataplane-${worker}`;
}
