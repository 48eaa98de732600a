import { Activity } from '../../src/agent/worker/activity.ts';
import type { WorkerConfiguration } from '../../src/agent/worker/configuration.ts';
import { notifiedActor } from '../../src/agent/worker/notified-actor.ts';
import type { DataplaneNotification } from '../../src/dataplane/control.ts';
import { Dataplane } from '../../src/dataplane/dataplane.ts';
import type { Timeouts } from '../../src/dataplane/timeouts.ts';
import type { CounterRegistration } from '../../src/model/metric.ts';
import { BEHAVIORS } from '../../supervisors/behaviors.ts';
import type { ActorSystem, SystemNotice } from '../../supervisors/system.ts';
import type { Prng } from '../prng.ts';
import type { Recorder } from '../world/recorder.ts';
import { WorkerActors } from '../world/worker-actors.ts';
import { MemoryWatch } from './memory-watch.ts';
import type { Network } from './network.ts';
import type { Shortage } from './shortage.ts';
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
  readonly shortage: Shortage;
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
  readonly #actors: WorkerActors;
  readonly #counters = new SharedArrayBuffer(COUNTER_BYTES, { maxByteLength: 16 * COUNTER_BYTES });
  readonly #registrations: CounterRegistration[] = [];

  constructor(options: TrafficWorkerOptions) {
    const { node, worker, network, prng, recorder, drainTimeoutMs } = options;
    const { clock } = network;
    this.worker = worker;
    const memory = new MemoryWatch(options.onFault);
    this.thread = new ThreadSystem(node, network, prng, options.onSocket, memory, options.shortage);
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
    const { thread } = this;
    this.#actors = new WorkerActors({
      node,
      worker,
      clock,
      prng,
      recorder,
      behaviors: BEHAVIORS,
      drainTimeoutMs,
      dataplane: this.dataplane,
      activity: new Activity(Activity.memory()),
      after: (ms, callback) => thread.after(ms, callback),
      onNotice: options.onNotice,
      onCut: () => {},
      onRestarted: () => {},
      onIsolated: (kind, child, reason) =>
        recorder.note(clock.now, `${kind}/${child} is left out: ${reason}`),
      forward: () => {},
    });
    this.system = this.#actors.system;
    this.configuration = this.#actors.configuration;
    this.#actors.start();
  }

  /** Its whole tree has ended. */
  get ended(): boolean {
    return this.#actors.ended;
  }

  /** Ends all its actors, as the thread's `drain` does. */
  stop(): void {
    this.#actors.drain(() => {});
  }

  state(kind: string, name: string): string | undefined {
    return this.system.state(this.#actors.supervision.address(kind, name));
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
    else this.system.send(this.#actors.supervision.address(...notifiedActor(notification)), notification);
  }
}
