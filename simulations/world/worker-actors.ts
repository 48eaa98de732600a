import { Supervision, supervisorBindings } from '../../src/agent/supervision.ts';
import type { Activity } from '../../src/agent/worker/activity.ts';
import { workerBindings } from '../../src/agent/worker/bindings.ts';
import { WorkerConfiguration } from '../../src/agent/worker/configuration.ts';
import { threadName } from '../../src/agent/worker/contract.ts';
import { releaseHeld } from '../../src/agent/worker/release-held.ts';
import type { DataplaneControl } from '../../src/dataplane/control.ts';
import { actorAddress } from '../../supervisors/address.ts';
import type { Behavior } from '../../supervisors/behavior.ts';
import type { Envelope } from '../../supervisors/envelope.ts';
import type { SystemNotice } from '../../supervisors/system.ts';
import { ActorSystem } from '../../supervisors/system.ts';
import { TREE } from '../../supervisors/tree.ts';
import type { SteppingClock } from '../clock.ts';
import type { Prng } from '../prng.ts';
import type { Recorder } from './recorder.ts';

/** Wall clock at the start of every simulation: 2026-01-01T00:00:00Z. */
export const EPOCH = 1_767_225_600_000;

export interface WorkerActorsOptions {
  readonly node: string;
  readonly worker: number;
  readonly clock: SteppingClock;
  readonly prng: Prng;
  readonly recorder: Recorder;
  readonly behaviors: Readonly<Record<string, Behavior>>;
  readonly drainTimeoutMs: number;
  readonly dataplane: DataplaneControl;
  readonly activity: Activity;
  /** A timer of the thread. Returns how to cancel it. */
  readonly after: (ms: number, callback: () => void) => () => void;
  readonly onNotice: (notice: SystemNotice) => void;
  readonly onCut: (connections: number) => void;
  readonly onRestarted: () => void;
  readonly onIsolated: (kind: string, name: string, reason: string, event: string) => void;
  /** What is for other threads. */
  readonly forward: (envelope: Envelope) => void;
}

/**
 * The production actors of a dataplane worker with their supervision and two-phase configuration, wired as
 * `src/agent/worker/thread.ts` wires the real ones, over any data plane.
 */
export class WorkerActors {
  readonly system: ActorSystem;
  readonly supervision: Supervision;
  readonly configuration: WorkerConfiguration;
  /** Its whole tree has ended. */
  ended = false;
  readonly #node: string;
  readonly #worker: number;
  #onEnded: (() => void) | null = null;

  constructor(options: WorkerActorsOptions) {
    const { node, worker, clock, prng, recorder, dataplane, drainTimeoutMs, onCut } = options;
    const thread = threadName(worker);
    this.#node = node;
    this.#worker = worker;
    const time = { now: () => clock.now, wallClock: () => EPOCH + clock.now, draw: () => prng.next() };
    this.system = new ActorSystem({
      node,
      thread,
      world: { ...time, after: options.after },
      behaviors: options.behaviors,
      bindings: {
        ...workerBindings(dataplane, () => this.configuration, onCut),
        supervisor: supervisorBindings(() => this.supervision),
      },
      journal: recorder.sink(thread),
      onNotice: options.onNotice,
      forward: (envelope) => {
        if (envelope.event.type === 'child.exited' && this.#onEnded !== null) {
          this.ended = true;
          this.#onEnded();
        } else options.forward(envelope);
      },
    });
    this.supervision = new Supervision({
      node,
      thread,
      tree: TREE.dataplane,
      system: () => this.system,
      world: time,
      drainTimeoutMs,
      source: {
        children: (kind) => this.configuration.names(kind),
        input: (kind, name) => this.configuration.input(kind, name, drainTimeoutMs),
        gone: () => {},
        killed: (kind, name) => onCut(releaseHeld(dataplane, kind, name)),
        restarted: options.onRestarted,
        isolated: options.onIsolated,
      },
    });
    this.configuration = new WorkerConfiguration({
      dataplane,
      supervision: this.supervision,
      system: this.system,
      bind: undefined,
      activity: options.activity,
    });
  }

  /** It has been asked to end. */
  get isDraining(): boolean {
    return this.#onEnded !== null;
  }

  /** Starts the tree. */
  start(): void {
    this.supervision.startTree(
      TREE.dataplane.supervisor,
      actorAddress(this.#node, 'main', 'dataplane-worker', String(this.#worker)),
    );
  }

  /** Ends all actors, as the thread's `drain` does. */
  drain(done: () => void): void {
    this.configuration.discard();
    this.#onEnded = done;
    this.system.send(this.supervision.address('supervisor', TREE.dataplane.supervisor), { type: 'stop' });
  }
}
