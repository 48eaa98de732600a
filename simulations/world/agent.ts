import type { Event as WorkerEvent } from '../../actors/dataplane-worker.ts';
import type { Context as RolloutContext, Event as RolloutEvent } from '../../actors/rollout.ts';
import { ConfigurationStore } from '../../src/agent/configuration-store.ts';
import { configStreamBindings } from '../../src/agent/effects/config-stream.ts';
import { dataplaneWorkerBindings } from '../../src/agent/effects/dataplane-worker.ts';
import { rolloutBindings } from '../../src/agent/effects/rollout.ts';
import type { LastGoodFile } from '../../src/agent/last-good.ts';
import { LastGoodSaver } from '../../src/agent/last-good-saver.ts';
import { LimitSlots } from '../../src/agent/limit-slots.ts';
import { restoreLastGood } from '../../src/agent/restore-last-good.ts';
import type { ConfigStreamClient, StreamEvent } from '../../src/agent/stream/client.ts';
import { Supervision, supervisorBindings } from '../../src/agent/supervision.ts';
import { bindFailure } from '../../src/agent/worker/bind-failure.ts';
import type { WorkerMessage } from '../../src/agent/worker/contract.ts';
import type { WorkerPool } from '../../src/agent/worker-pool.ts';
import type { ActorAddress } from '../../src/model/actor.ts';
import type { Resource, ResourceSet } from '../../src/model/resource.ts';
import type { ObjectFailure, SnapshotChanges } from '../../src/model/snapshot.ts';
import { actorAddress } from '../../supervisors/address.ts';
import { ActorSystem } from '../../supervisors/system.ts';
import { TREE } from '../../supervisors/tree.ts';
import type { World } from '../../supervisors/world.ts';
import type { Prng } from '../prng.ts';
import { type PlantedBug, plant } from './planted.ts';
import type { WorkerWorld } from './worker.ts';
import { EPOCH } from './worker-actors.ts';
import { SimulatedPool, type StartFault } from './worker-pool.ts';

const START_TIMEOUT_MS = 10_000;
const ANSWER_TIMEOUT_MS = 30_000;
const CONNECT_TIMEOUT_MS = 12_000;
const REPORT_INTERVAL_MS = 5_000;
const LOOK_MS = 20;

export interface SimulatedAgentOptions {
  readonly world: WorkerWorld;
  readonly prng: Prng;
  readonly workers: number;
  readonly client: () => ConfigStreamClient;
  readonly lastGood: LastGoodFile;
  readonly planted: PlantedBug | null;
  readonly startFault: (worker: number) => StartFault;
  /** The whole tree has ended. */
  readonly onEnded: () => void;
}

/**
 * One life of an agent's main thread, wired as `src/agent/agent.ts` and `src/agent/actor-host.ts` wire the real one: the production actor system,
 * supervision, stores and effects over simulated threads, a simulated disk and a simulated stream.
 */
export class SimulatedAgent {
  readonly system: ActorSystem;
  readonly store = new ConfigurationStore();
  readonly pool: SimulatedPool;
  readonly workers: number;
  readonly #node: string;
  readonly #supervision: Supervision;
  readonly #toStream: (event: StreamEvent) => void;
  readonly #lastGood: LastGoodFile;
  readonly #saver: LastGoodSaver;
  readonly #recorder: { note(text: string): void };
  #restored: Promise<void> = Promise.resolve();
  #restarts = 0;
  #alive = true;

  constructor(options: SimulatedAgentOptions) {
    const { world, prng, workers } = options;
    const { clock, node } = world;
    this.workers = workers;
    this.#node = node;
    const limits = new LimitSlots(workers);
    const runtime = {
      now: () => clock.now,
      wallClock: () => EPOCH + clock.now,
      draw: () => prng.next(),
      after: (ms: number, callback: () => void) => clock.after(ms, () => this.#alive && callback()),
    };
    const note = (text: string) => world.recorder.note(clock.now, text);
    this.#recorder = { note };
    this.#lastGood = options.lastGood;
    this.#saver = new LastGoodSaver({
      store: this.store,
      file: this.#lastGood,
      world: runtime,
      onFailure: (error) => note(`the last good snapshot could not be saved: ${error.message}`),
    });
    const stream = configStreamBindings({
      store: this.store,
      client: options.client,
      mayConnect: () => this.#restored,
      hello: { node, agentVersion: 'simulated', labels: {} },
      report: async () => ({
        detail: 'whole',
        node,
        version: this.store.servingVersion,
        ready: this.store.settled,
        notReadyReason: '',
        workers,
        startedAt: EPOCH,
        failures: this.store.failures,
        listeners: [],
        clusters: [],
        endpoints: [],
        actors: [],
        totals: {},
      }),
      rolloutAddress: this.address('rollout'),
      world: runtime,
    });
    this.#toStream = (event) => this.system.send(this.address('config-stream'), stream.toEvent(event));
    this.pool = new SimulatedPool({
      prng: prng.split('pool'),
      world,
      startFault: options.startFault,
      onMessage: (worker, message) => this.#message(worker, message),
      takeBack: (worker) => limits.takeBack(worker),
      onExit: (worker, code, message, doing) =>
        this.system.send<WorkerEvent>(this.address('dataplane-worker', String(worker)), {
          type: 'worker.exited',
          code,
          message,
          doing,
        }),
      onHung: (worker, call, silentMs, doing) =>
        this.system.send<WorkerEvent>(this.address('dataplane-worker', String(worker)), {
          type: 'worker.hung',
          call,
          silentMs,
          doing,
        }),
    });
    // Of the pool, the bindings use what the simulated one has too; the class has private members besides.
    const pool = () => this.pool as unknown as WorkerPool;
    const rollout = rolloutBindings({
      store: this.store,
      limits,
      pool,
      workerAddress: (worker) => this.address('dataplane-worker', String(worker)),
      streamAddress: this.address('config-stream'),
      onTaken: () => {},
      onFailed: () => {},
      onSettled: () => this.#saver.changed(),
      foreignPorts: (changes, serving) =>
        this.#foreignPorts(changes, serving, { ports: world.ports, after: runtime.after }, prng),
    });
    this.system = new ActorSystem({
      node,
      thread: 'main',
      world: runtime,
      behaviors: world.behaviors,
      bindings: {
        supervisor: supervisorBindings(() => this.#supervision),
        'config-stream': stream.bindings,
        rollout: plant(options.planted, rollout, () => this.pool),
        'dataplane-worker': dataplaneWorkerBindings({
          pool,
          rollout: this.address('rollout'),
          onDrained: () => {},
        }),
      },
      journal: world.recorder.sink('main'),
      onNotice: world.onNotice,
      forward: (envelope) => {
        if (envelope.event.type !== 'child.exited') return;
        void this.#saver.save().then(() => options.onEnded());
      },
    });
    this.#supervision = new Supervision({
      node,
      thread: 'main',
      tree: TREE.main,
      system: () => this.system,
      world: runtime,
      drainTimeoutMs: world.drainTimeoutMs,
      source: {
        children: () => Array.from({ length: workers }, (_, worker) => String(worker)),
        input: (kind, name) => this.#input(kind, Number(name), world.drainTimeoutMs),
        gone: () => {},
        killed: (kind, name) => {
          if (kind === 'dataplane-worker') this.pool.get(Number(name))?.terminate();
        },
        restarted: () => {
          this.#restarts += 1;
        },
        isolated: (kind, name, reason) => note(`${kind}/${name} is left out: ${reason}`),
      },
    });
  }

  start(): void {
    const log = (details: { readonly reason?: string; readonly version?: string }, text: string) =>
      this.#recorder.note(`${text}${details.reason === undefined ? '' : `: ${details.reason}`}`);
    this.#restored = restoreLastGood(this.#lastGood, this.store, {
      info: log,
      warn: log,
      error: log,
    } as never);
    void this.#restored.then(() => {
      const { wishedVersion } = this.store;
      if (wishedVersion !== '')
        this.system.send<RolloutEvent>(this.address('rollout'), {
          type: 'changes.staged',
          nonce: 0,
          version: wishedVersion,
        });
    });
    this.#supervision.startTree(TREE.main.supervisor, this.hostAddress);
  }

  stop(): void {
    this.system.send(this.address('supervisor', TREE.main.supervisor), { type: 'stop' });
  }

  /** Ends the process with all its threads, in the middle of whatever they do. */
  kill(): void {
    this.#alive = false;
    this.pool.vanish();
  }

  get alive(): boolean {
    return this.#alive;
  }

  /** From the simulated controller. */
  receive(event: StreamEvent): void {
    if (this.#alive) this.#toStream(event);
  }

  /** Parent of the tree's root; no actor. */
  get hostAddress(): ActorAddress {
    return actorAddress(this.#node, 'host', 'agent');
  }

  get rolloutState(): string | undefined {
    return this.system.state(this.address('rollout'));
  }

  get rollout(): RolloutContext | undefined {
    return this.system.describe(this.address('rollout')) as RolloutContext | undefined;
  }

  workerState(worker: number): string | undefined {
    return this.system.state(this.address('dataplane-worker', String(worker)));
  }

  address(kind: string, name = ''): ActorAddress {
    return actorAddress(this.#node, 'main', kind, name);
  }

  #input(kind: string, worker: number, drainTimeoutMs: number): unknown {
    switch (kind) {
      case 'rollout':
        return {
          workers: this.pool
            .running()
            .map(([running]) => running)
            .filter((running) => this.workerState(running) === 'ready'),
          expected: this.#restarts === 0 ? Array.from({ length: this.workers }, (_, each) => each) : [],
          pending: this.store.pending,
          nonce: 0,
          version: this.store.wishedVersion,
          answerTimeoutMs: ANSWER_TIMEOUT_MS,
        };
      case 'dataplane-worker':
        return { worker, startTimeoutMs: START_TIMEOUT_MS, drainTimeoutMs };
      case 'config-stream':
        return { connectTimeoutMs: CONNECT_TIMEOUT_MS, reportIntervalMs: REPORT_INTERVAL_MS };
      default:
        return undefined;
    }
  }

  /** As `src/agent/foreign-ports.ts` looks; who takes a port right after the look is met at the bind. */
  async #foreignPorts(
    changes: SnapshotChanges,
    serving: ResourceSet,
    { ports, after }: Pick<WorkerWorld, 'ports'> & Pick<World, 'after'>,
    prng: Prng,
  ): Promise<readonly ObjectFailure[]> {
    const portsOf = (resources: Iterable<Resource>) =>
      [...resources].flatMap((one) => (one.kind === 'listener' ? [one.value] : []));
    const ours = new Set(portsOf(serving.values()).map(({ port }) => port));
    const wished = portsOf(changes.upserts).filter(({ port }) => !ours.has(port));
    if (wished.length === 0) return [];
    await new Promise<void>((resolve) => after(prng.between(0, LOOK_MS), resolve));
    if (prng.chance(0.5)) return [];
    return wished
      .filter(({ port }) => ports.isBusy(port))
      .map((listener) => bindFailure(listener, undefined, 'EADDRINUSE', 'EADDRINUSE'));
  }

  #message(worker: number, message: WorkerMessage): void {
    if (message.type === 'ready')
      this.system.send<WorkerEvent>(this.address('dataplane-worker', String(worker)), {
        type: 'worker.ready',
      });
    else if (message.type === 'restarted') this.#restarts += 1;
    else if (message.type === 'envelope') this.system.deliver(message.envelope);
  }
}
