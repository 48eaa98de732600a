import type { Event as RolloutEvent } from '../../actors/rollout.ts';
import { Activity } from '../../src/agent/worker/activity.ts';
import type { WorkerCalls, WorkerMessage } from '../../src/agent/worker/contract.ts';
import { threadName } from '../../src/agent/worker/contract.ts';
import { type ActorNotification, notifiedActor } from '../../src/agent/worker/notified-actor.ts';
import { type Resource, resourceKey } from '../../src/model/resource.ts';
import { actorAddress } from '../../supervisors/address.ts';
import type { Behavior } from '../../supervisors/behavior.ts';
import type { ActorSystem, SystemNotice } from '../../supervisors/system.ts';
import type { SteppingClock } from '../clock.ts';
import type { Prng } from '../prng.ts';
import { SimulatedDataplane } from './dataplane.ts';
import { type Deadly, ThreadStops } from './deadly.ts';
import type { SimulatedPorts } from './ports.ts';
import type { Recorder } from './recorder.ts';
import { WorkerActors } from './worker-actors.ts';

/** Chance that a thread which hangs cannot be ended either. */
const HELD = 0.2;

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
  readonly #actors: WorkerActors;
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

  constructor(options: {
    readonly worker: number;
    readonly prng: Prng;
    readonly world: WorkerWorld;
    readonly say: (message: WorkerMessage) => void;
  }) {
    const { worker, prng, world, say } = options;
    const { clock, node } = world;
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
    this.#actors = new WorkerActors({
      node,
      worker,
      clock,
      prng,
      recorder: world.recorder,
      behaviors: world.behaviors,
      drainTimeoutMs: world.drainTimeoutMs,
      dataplane: this.dataplane,
      activity: this.activity,
      after,
      onNotice: world.onNotice,
      onCut: (connections) => {
        this.#cut += connections;
      },
      onRestarted: () => say({ type: 'restarted' }),
      onIsolated: (...isolated) => this.#isolated(...isolated),
      forward: (envelope) => say({ type: 'envelope', envelope }),
    });
    const { system, configuration } = this.#actors;
    this.system = system;
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
        await new Promise<void>((resolve) => this.#actors.drain(resolve));
        return this.#cut;
      },
      report: () => ({ ...this.dataplane.report(), actors: this.system.report() }),
    };
    this.#actors.start();
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
    if (this.#actors.isDraining) throw new Error('the worker is going away');
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
    const actor = this.#actors.supervision.address(...notifiedActor(notification));
    this.run(() => this.system.send(actor, notification));
  }

  #isolated(kind: string, name: string, reason: string, event: string): void {
    const { supervision, configuration } = this.#actors;
    const resource = kind === 'listener' ? 'listener' : 'cluster';
    configuration.answer(name, { code: 'FAILED', message: reason, event });
    this.system.deliver<RolloutEvent>({
      to: actorAddress(this.#world.node, 'main', 'rollout'),
      from: supervision.address(kind, name),
      cause: this.system.cause,
      event: {
        type: 'object.failed',
        failure: {
          key: `${resource}/${name}`,
          reason: kind === 'listener' ? 'ListenerFailed' : 'PoolFailed',
          message: `gave up on ${threadName(this.worker)}: ${reason}`,
          event,
        },
      },
    });
  }
}
