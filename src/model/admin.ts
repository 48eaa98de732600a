import type { ObjectView } from './configuration.ts';
import type { CounterRegistration } from './metric.ts';
import type { Problem } from './object.ts';
import type { NodeReport, ReportDetail } from './report.ts';
import type { ResourceSet } from './resource.ts';
import type { SnapshotVersion } from './snapshot.ts';

/** What the admin server asks of a controller in this process. */
export interface ControllerAdmin {
  /** With the Programmed condition. */
  objects(): readonly ObjectView[];
  problems(): readonly Problem[];
  resources(): ResourceSet;
  /** One for each node that has been seen, with a whole report where a fresh one came, else with its last summary. */
  nodes(): readonly NodeView[];
  /** Asks every connected node but `except` for a fresh, whole report and waits (at most 2 s) for it. */
  refresh(except?: string): Promise<void>;
  readiness(): Readiness;
}

export interface NodeView {
  readonly node: string;
  readonly connected: boolean;
  /** Milliseconds since the epoch. */
  readonly since: number;
  readonly wished: SnapshotVersion;
  readonly acknowledged: SnapshotVersion;
  readonly report: NodeReport | null;
}

/** What the admin server asks of an agent in this process. */
export interface AgentAdmin {
  report(detail: ReportDetail): Promise<NodeReport>;
  /** What serves now. */
  resources(): ResourceSet;
  readiness(): Readiness;
  /** Shared counters of each dataplane worker, also of those that have died. */
  counters(): readonly WorkerCounters[];
  actorRestarts(): number;
}

export interface WorkerCounters {
  readonly worker: number;
  readonly memory: SharedArrayBuffer;
  readonly registrations: readonly CounterRegistration[];
}

export interface Readiness {
  readonly ready: boolean;
  /** Why not; empty when ready. */
  readonly reasons: readonly string[];
}
