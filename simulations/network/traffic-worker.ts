import { Supervision, supervisorBindings } from '../../src/agent/supervision.ts';
import { Activity } from '../../src/agent/worker/activity.ts';
import { workerBindings } from '../../src/agent/worker/bindings.ts';
import { WorkerConfiguration } from '../../src/agent/worker/configuration.ts';
import { threadName } from '../../src/agent/worker/contract.ts';
import { notifiedActor } from '../../src/agent/worker/notified-actor.ts';
import { releaseHeld } from '../../src/agent/worker/release-held.ts';
import type { DataplaneNotification } from '../../src/dataplane/control.ts';
import { Dataplane } from '../../src/dataplane/dataplane.ts';
import type { Timeouts } from '../../src/dataplane/timeouts.ts';
import type { CounterRegistration } from '../../src/model/metric.ts';
import { actorAddress } from '../../supervisors/address.ts';
import { BEHAVIORS } from '../../supervisors/behaviors.ts';
import type { SystemNotice } from '../../supervisors/system.ts';
import { ActorSystem } from '../../supervisors/system.ts';
import { TREE } from '../../supervisors/tree.ts';
import type { Prng } from '../prng.ts';
import type { Recorder } from '../world/recorder.ts';
import { EPOCH } from '../world/worker.ts';
import { MemoryWatch } from './memory-watch.ts';
import type { Network } from './network.ts';
import { type SocketWatch, ThreadSystem } from './thread-system.ts';

const COUNTER_BYTES = 64 * 1024;

export interface TrafficWorkerOptions {
  readonly node: string;
  readonly worker: number;
  readonly network: Network;
  readonly prng: Prng;
  readonly recorder: Recorder;
  readonly limits: SharedArrayBuffer;
  readonly timeouts: Partial<Timeouts>;
  readonly drainTimeoutMs: number;
  readonly onSocket: SocketWatch;
  readonly onNotice: (notice: SystemNotice) => void;
  readonly onFault: (message: string) => void;
}

/**
 * A dataplane worker, wired as `src/agent/worker/thread.ts` wires the real one: the production data plane with its
 * actors, supervision and two-phase configuration, over the sockets of a simulated network.
 */
export class TrafficWorker {
  readonly worker: number;
  readonly dataplane: Dataplane;
  readonly configuration: WorkerConfiguration;
  readonly system: ActorSystem;
  readonly thread: ThreadSystem;
  readonly supervision: Supervision;
  /** Its whole tree has ended. */
  ended = false;
  readonly #counters = new SharedArrayBuffer(COUNTER_BYTES, { maxByteLength: 16 * COUNTER_BYTES });
  readonly #registrations: CounterRegistration[] = [];

  constructor(options: TrafficWorkerOptions) {
    const { node, worker, network, prng, recorder, drainTimeoutMs } = options;
    const { clock } = network;
    const name = threadName(worker);
    this.worker = worker;
    this.thread = new ThreadSystem(node, network, prng, options.onSocket, new MemoryWatch(options.onFault));
    this.dataplane = new Dataplane(
      {
        worker,
        bind: undefined,
        reusePort: true,
        counters: this.#counters,
        limits: options.limits,
        accessLog: null,
        drainTimeoutMs,
        notify: (notification) => this.#notify(notification, options.onFault),
        register: (registration) => this.#registrations.push(registration),
      },
      options.timeouts,
      this.thread,
    );
    this.system = new ActorSystem({
      node,
      thread: name,
      world: {
        now: () => clock.now,
        wallClock: () => EPOCH + clock.now,
        draw: () => prng.next(),
        after: (ms, callback) => this.thread.after(ms, callback),
      },
      behaviors: BEHAVIORS,
      bindings: {
        ...workerBindings(
          this.dataplane,
          () => this.configuration,
          () => {},
        ),
        supervisor: supervisorBindings(() => this.supervision),
      },
      journal: recorder.sink(name),
      onNotice: options.onNotice,
      forward: (envelope) => {
        if (envelope.event.type === 'child.exited') this.ended = true;
      },
    });
    this.supervision = new Supervision({
      node,
      thread: name,
      tree: TREE.dataplane,
      system: () => this.system,
      world: { now: () => clock.now, wallClock: () => EPOCH + clock.now, draw: () => prng.next() },
      drainTimeoutMs,
      source: {
        children: (kind) => this.configuration.names(kind),
        input: (kind, child) => this.configuration.input(kind, child, drainTimeoutMs),
        gone: () => {},
        killed: (kind, child) => void releaseHeld(this.dataplane, kind, child),
        restarted: () => {},
        isolated: (kind, child, reason) =>
          recorder.note(clock.now, `${kind}/${child} is left out: ${reason}`),
      },
    });
    this.configuration = new WorkerConfiguration({
      dataplane: this.dataplane,
      supervision: this.supervision,
      system: this.system,
      bind: undefined,
      activity: new Activity(Activity.memory()),
    });
    this.supervision.startTree(
      TREE.dataplane.supervisor,
      actorAddress(node, 'main', 'dataplane-worker', String(worker)),
    );
  }

  /** Ends all its actors, as the thread's `drain` does. */
  stop(): void {
    this.configuration.discard();
    this.system.send(this.supervision.address('supervisor', TREE.dataplane.supervisor), { type: 'stop' });
  }

  state(kind: string, name: string): string | undefined {
    return this.system.state(this.supervision.address(kind, name));
  }

  /** Sum of a gauge over all its labels. */
  gauge(metric: CounterRegistration['metric']): number {
    const values = new Float64Array(this.#counters);
    let sum = 0;
    for (const { metric: name, index } of this.#registrations) if (name === metric) sum += values[index]!;
    return sum;
  }

  #notify(notification: DataplaneNotification, onFault: (message: string) => void): void {
    if (notification.type === 'fault') onFault(`${notification.message}\n${notification.stack}`);
    else this.system.send(this.supervision.address(...notifiedActor(notification)), notification);
  }
}
