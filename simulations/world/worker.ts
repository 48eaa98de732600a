import type { Event as RolloutEvent } from '../../actors/rollout.ts';
import { Supervision, supervisorBindings } from '../../src/agent/supervision.ts';
import { Activity } from '../../src/agent/worker/activity.ts';
import { workerBindings } from '../../src/agent/worker/bindings.ts';
import { WorkerConfiguration } from '../../src/agent/worker/configuration.ts';
import type { WorkerCalls, WorkerMessage } from '../../src/agent/worker/contract.ts';
import { threadName } from '../../src/agent/worker/contract.ts';
import { type ActorNotification, notifiedActor } from '../../src/agent/worker/notified-actor.ts';
import { releaseHeld } from '../../src/agent/worker/release-held.ts';
import { type Resource, resourceKey } from '../../src/model/resource.ts';
import { actorAddress } from '../../supervisors/address.ts';
import type { Behavior } from '../../supervisors/behavior.ts';
import type { SystemNotice } from '../../supervisors/system.ts';
import { ActorSystem } from '../../supervisors/system.ts';
import { TREE } from '../../supervisors/tree.ts';
import type { SteppingClock } from '../clock.ts';
import type { Prng } from '../prng.ts';
import { SimulatedDataplane } from './dataplane.ts';
import { type Deadly, ThreadStops } from './deadly.ts';
import type { SimulatedPorts } from './ports.ts';
import type { Recorder } from './recorder.ts';

/** Chance that a thread which hangs cannot be ended either. */
const HELD = 0.2;

/** Wall clock at the start of every simulation: 2026-01-01T00:00:00Z. */
export const EPOCH = 1_767_225_600_000;

export interface WorkerWorld {
  readonly node: string;
  readonly clock: SteppingClock;
  readonly ports: SimulatedPorts;
  readonly recorder: Recorder;
  readonly behaviors: Readonly<Record<string, Behavior>>;
  readonly drainTimeoutMs: number;
  readonly onNotice: (notice: SystemNotice) => void;
  readonly seen: (worker: number, resource: Resource) => Resource;
  /** What the object's version does to workers; undefined: no harm. */
  readonly deadly: (resource: Resource) => Deadly | undefined;
  /** Called when one has met a worker, before anything else is. */
  readonly onDeadly: (worker: number, resource: Resource) => void;
}

/**
 * One life of a dataplane worker's thread, wired as `src/agent/worker/thread.ts` wires the real one: the production
 * actor system, supervision and two-phase configuration over a simulated data plane.
 */
export class SimulatedWorker {
  readonly worker: number;
  readonly dataplane: SimulatedDataplane;
  readonly system: ActorSystem;
  readonly api: WorkerCalls;
  readonly activity = new Activity(Activity.memory());
  readonly #world: WorkerWorld;
  readonly #supervision: Supervision;
  /** Whether a hang for good is one in a system call. */
  readonly #isHeld: boolean;
  /** Called when its event loop begins to stand still. */
  onBlocked: () => void = () => {};
  /** Called when it ends by itself. */
  onEnded: (message: string) => void = () => {};
  #alive = true;
  /** Its event loop is blocked until then. */
  #blockedUntil = 0;
  #cut = 0;
  /** What it was at when an object stopped it. */
  #stoppedAt: string | null = null;
  #drained: (() => void) | null = null;

  constructor(options: {
    readonly worker: number;
    readonly prng: Prng;
    readonly world: WorkerWorld;
    readonly say: (message: WorkerMessage) => void;
  }) {
    const { worker, prng, world, say } = options;
    const { clock, node } = world;
    const thread = threadName(worker);
    this.worker = worker;
    this.#world = world;
    this.#isHeld = prng.split('held').chance(HELD);
    // A timer that comes due while the thread stands still can still be cancelled: it has not run.
    const after = (ms: number, callback: () => void) => {
      let cancelled = false;
      const cancel = clock.after(ms, () => this.run(() => cancelled || callback()));
      return () => {
        cancelled = true;
        cancel();
      };
    };
    this.dataplane = new SimulatedDataplane({
      worker,
      prng: prng.split('dataplane'),
      ports: world.ports,
      after,
      notify: (notification) => this.notify(notification),
      seen: (resource) => world.seen(worker, resource),
      meet: (phase, resource) => this.#meet(phase, resource),
      drainMs: () => prng.between(0, world.drainTimeoutMs * 1.3),
    });
    this.system = new ActorSystem({
      node,
      thread,
      world: { now: () => clock.now, wallClock: () => EPOCH + clock.now, draw: () => prng.next(), after },
      behaviors: world.behaviors,
      bindings: {
        ...workerBindings(
          this.dataplane,
          () => configuration,
          (connections) => {
            this.#cut += connections;
          },
        ),
        supervisor: supervisorBindings(() => this.#supervision),
      },
      journal: world.recorder.sink(thread),
      onNotice: world.onNotice,
      forward: (envelope) => {
        if (envelope.event.type === 'child.exited' && this.#drained !== null) this.#drained();
        else say({ type: 'envelope', envelope });
      },
    });
    this.#supervision = new Supervision({
      node,
      thread,
      tree: TREE.dataplane,
      system: () => this.system,
      world: { now: () => clock.now, wallClock: () => EPOCH + clock.now, draw: () => prng.next() },
      drainTimeoutMs: world.drainTimeoutMs,
      source: {
        children: (kind) => configuration.names(kind),
        input: (kind, name) => configuration.input(kind, name, world.drainTimeoutMs),
        gone: () => {},
        killed: (kind, name) => {
          this.#cut += releaseHeld(this.dataplane, kind, name);
        },
        restarted: () => say({ type: 'restarted' }),
        isolated: (kind, name, reason, event) => {
          const resource = kind === 'listener' ? 'listener' : 'cluster';
          configuration.answer(name, { code: 'FAILED', message: reason, event });
          this.system.deliver<RolloutEvent>({
            to: actorAddress(node, 'main', 'rollout'),
            from: this.#supervision.address(kind, name),
            cause: this.system.cause,
            event: {
              type: 'object.failed',
              failure: {
                key: `${resource}/${name}`,
                reason: kind === 'listener' ? 'ListenerFailed' : 'PoolFailed',
                message: `gave up on ${thread}: ${reason}`,
                event,
              },
            },
          });
        },
      },
    });
    const configuration: WorkerConfiguration = new WorkerConfiguration({
      dataplane: this.dataplane,
      supervision: this.#supervision,
      system: this.system,
      bind: undefined,
      activity: this.activity,
    });
    this.api = {
      prepare: (changes, slots, cause) => {
        this.#mustStay();
        return this.system.caused(cause, () => configuration.prepare(changes, slots));
      },
      commit: (rejected, cause) => {
        this.#mustStay();
        return this.system.caused(cause, () => configuration.commit(rejected));
      },
      discard: () => configuration.discard(),
      drain: async () => {
        configuration.discard();
        await new Promise<void>((resolve) => {
          this.#drained = resolve;
          this.system.send(this.#supervision.address('supervisor', TREE.dataplane.supervisor), {
            type: 'stop',
          });
        });
        return this.#cut;
      },
      report: () => ({ ...this.dataplane.report(), actors: this.system.report() }),
    };
    this.#supervision.startTree(
      TREE.dataplane.supervisor,
      actorAddress(node, 'main', 'dataplane-worker', String(worker)),
    );
    say({ type: 'ready' });
  }

  get alive(): boolean {
    return this.#alive;
  }

  get blocked(): boolean {
    return this.#blockedUntil > this.#world.clock.now;
  }

  /** What it is at, or was when it stopped. */
  get doing(): string {
    return this.#stoppedAt ?? this.activity.read();
  }

  #mustStay(): void {
    if (this.#drained !== null) throw new Error('the worker is going away');
  }

  /** Nothing runs in it any more. */
  end(): void {
    this.#alive = false;
  }

  /** Its event loop stands still; Infinity: until it is ended. */
  block(ms: number): void {
    const { clock } = this.#world;
    const wasBlocked = this.blocked;
    this.#blockedUntil = Math.max(this.#blockedUntil, clock.now + ms);
    if (!wasBlocked) this.onBlocked();
  }

  #meet(phase: Deadly['at'], resource: Resource): void {
    const deadly = this.#world.deadly(resource);
    if (deadly?.at !== phase) return;
    this.#world.onDeadly(this.worker, resource);
    const key = resourceKey(resource);
    if (deadly.how === 'throws') throw new Error(`cannot live with ${key}`);
    this.#stoppedAt = this.activity.read();
    if (deadly.how === 'hangs') this.block(Number.POSITIVE_INFINITY);
    else this.onEnded('out of memory');
    throw new ThreadStops(`${deadly.how} over ${key}`);
  }

  /** For good, and not to be ended from outside: a system call holds it. */
  get stuck(): boolean {
    return this.#blockedUntil === Number.POSITIVE_INFINITY && this.#isHeld;
  }

  /** Runs in the thread: not at all when it is dead, later when it is blocked. */
  run(callback: () => void): void {
    if (!this.#alive) return;
    const wait = this.#blockedUntil - this.#world.clock.now;
    if (wait <= 0) callback();
    else if (Number.isFinite(wait)) this.#world.clock.after(wait, () => this.run(callback));
  }

  /** As the data plane tells the actors. */
  notify(notification: ActorNotification): void {
    const actor = this.#supervision.address(...notifiedActor(notification));
    this.run(() => this.system.send(actor, notification));
  }
}
