import { lastGoodFile } from '../../src/agent/last-good.ts';
import { type Resource, type ResourceKey, resourceKey } from '../../src/model/resource.ts';
import { Turns } from '../../src/os/turns.ts';
import type { Behavior } from '../../supervisors/behavior.ts';
import { BEHAVIORS } from '../../supervisors/behaviors.ts';
import type { SystemNotice } from '../../supervisors/system.ts';
import { SteppingClock } from '../clock.ts';
import { Prng } from '../prng.ts';
import { SimulatedAgent } from './agent.ts';
import { type Answer, SimulatedController } from './controller.ts';
import { SimulatedDisk } from './disk.ts';
import { LastGoodWatch } from './last-good-watch.ts';
import { type PlantedBug, plantInBehaviors, plantOnDisk } from './planted.ts';
import { SimulatedPorts } from './ports.ts';
import { Recorder } from './recorder.ts';
import type { SimulatedWorker, WorkerWorld } from './worker.ts';
import type { StartFault } from './worker-pool.ts';
import { Workload } from './workload.ts';

export interface UniverseOptions {
  readonly seed: number;
  readonly workers: number;
  /** Chance that a new route cannot be prepared somewhere. */
  readonly badness: number;
  /** Chance that a new object harms the workers that take it. */
  readonly deadliness: number;
  readonly drainTimeoutMs: number;
  readonly planted: PlantedBug | null;
  readonly behaviors?: Readonly<Record<string, Behavior>>;
}

const DATA_DIRECTORY = '/data';
export const LAST_GOOD_PATH = `${DATA_DIRECTORY}/last-good.snapshot`;

/** Requests are drained, calls to workers time out, and a slow disk takes its time. */
const STOP_MS = 120_000;

/** One agent with its workers, its controller, its users, and a clock that all of them share. */
export class Universe {
  readonly clock = new SteppingClock();
  readonly ports = new SimulatedPorts();
  readonly recorder = new Recorder();
  readonly prng: Prng;
  readonly workload: Workload;
  readonly controller: SimulatedController;
  readonly disk: SimulatedDisk;
  readonly lastGood = new LastGoodWatch(
    (resource) => this.controller.wants(resourceKey(resource)) && !this.workload.isFlawed(resource),
  );
  readonly notices: SystemNotice[] = [];
  readonly drainTimeoutMs: number;
  /** What the next start of a worker runs into. */
  startFault: (worker: number) => StartFault = () => 'none';
  /** Called when the agent answers an update. */
  onAnswer: (answer: Answer) => void = () => {};
  /** Called when an object that harms workers has met one. */
  onDeadly: (worker: number, resource: Resource) => void = () => {};
  ended = false;
  /** Why the agent has not stopped in time; null: it has. */
  stuck: string | null = null;
  readonly #options: UniverseOptions;
  readonly #world: WorkerWorld;
  #agent: SimulatedAgent;
  #lives = 0;
  /** What follows once the agent has stopped by itself; null: nobody has asked it to. */
  #afterStop: (() => void) | null = null;

  constructor(options: UniverseOptions) {
    this.prng = new Prng(String(options.seed));
    this.drainTimeoutMs = options.drainTimeoutMs;
    this.workload = new Workload(
      this.prng.split('workload'),
      options.workers,
      options.badness,
      options.deadliness,
    );
    this.#options = options;
    this.disk = new SimulatedDisk({
      prng: this.prng.split('disk'),
      after: (ms, callback) => this.clock.after(ms, callback),
    });
    this.#world = {
      node: 'edge-1',
      clock: this.clock,
      ports: this.ports,
      recorder: this.recorder,
      behaviors: plantInBehaviors(options.planted, options.behaviors ?? BEHAVIORS),
      drainTimeoutMs: options.drainTimeoutMs,
      onNotice: (notice) => this.notices.push(notice),
      seen: (worker, resource) => this.workload.seen(worker, resource),
      deadly: (resource) => this.workload.deadly(resource),
      onDeadly: (worker, resource) => this.onDeadly(worker, resource),
    };
    this.controller = new SimulatedController({
      clock: this.clock,
      prng: this.prng.split('stream'),
      emit: (event) => this.agent.receive(event),
      onAnswer: (answer) => this.onAnswer(answer),
    });
    this.#agent = this.#newAgent();
  }

  /** In its present life, or, while it is down, in the one before. */
  get agent(): SimulatedAgent {
    return this.#agent;
  }

  /** The agent's process is dead, and not yet started again. */
  get down(): boolean {
    return !this.#agent.alive;
  }

  /** Users change what they wish. */
  change(upserts: readonly Resource[], removals: readonly ResourceKey[]): void {
    this.lastGood.removed(removals);
    this.controller.change(upserts, removals);
  }

  /** The controller starts again and knows, for a while, only what was wished some time ago. */
  controllerLags(prng: Prng): void {
    this.note('the controller starts again, and has not read everything yet');
    this.controller.restart();
    this.lastGood.removed(this.controller.lag(prng));
  }

  controllerCatchesUp(): void {
    this.controller.catchUp();
  }

  /** The agent's process dies at once with all its threads, by a signal or with the machine; starts again after `ms`. */
  crash(how: 'killed' | 'power lost', ms: number): void {
    if (this.down) return;
    this.note(`the agent dies: ${how}`);
    if (how === 'killed') this.#die(() => this.disk.kill(), ms);
    else this.#die(() => this.disk.losePower(), ms);
  }

  /** The agent is asked to stop, in the middle of whatever it does, and starts again `ms` after it has. */
  restart(ms: number): void {
    if (this.down || this.#afterStop !== null) return;
    this.note('the agent is asked to stop and start again');
    const life = this.#lives;
    this.#afterStop = () => this.#die(() => this.disk.kill(), ms);
    this.agent.stop();
    this.clock.after(STOP_MS, () => {
      if (life === this.#lives && this.#afterStop !== null)
        this.stuck = `it was asked to stop ${STOP_MS / 1_000} s ago, and there is still: ${this.agent.system
          .report()
          .map(({ address, state }) => `${address} (${state})`)
          .join(', ')}`;
    });
  }

  #die(unmount: () => void, ms: number): void {
    this.#afterStop = null;
    this.#agent.kill();
    this.controller.lose();
    unmount();
    this.clock.after(ms, () => {
      this.note('the agent starts again');
      this.#agent = this.#newAgent();
      this.#agent.start();
    });
  }

  /** A bit of the newest last good turns, where there is one before it to fall back to. */
  damageLastGood(): void {
    if (this.lastGood.version === null || !this.disk.paths.includes(`${LAST_GOOD_PATH}.previous`)) return;
    this.note('the last good snapshot is damaged on disk');
    this.disk.rot(LAST_GOOD_PATH);
    this.lastGood.damaged();
  }

  #newAgent(): SimulatedAgent {
    this.#lives += 1;
    const life = this.#lives;
    const files = plantOnDisk(this.#options.planted, this.disk.mount());
    return new SimulatedAgent({
      world: this.#world,
      prng: this.prng.split(`agent-${life}`),
      workers: this.#options.workers,
      client: () => this.controller,
      lastGood: this.lastGood.watch(
        lastGoodFile(DATA_DIRECTORY, { files, turns: () => new Turns(Number.POSITIVE_INFINITY) }),
      ),
      planted: this.#options.planted,
      startFault: (worker) => this.startFault(worker),
      onEnded: () => {
        if (life !== this.#lives) return;
        if (this.#afterStop === null) this.ended = true;
        else this.#afterStop();
      },
    });
  }

  /** The threads that live, by worker. */
  get workers(): SimulatedWorker[] {
    return this.agent.pool.running().flatMap(([, { inside }]) => (inside?.alive === true ? [inside] : []));
  }

  worker(worker: number): SimulatedWorker | undefined {
    const inside = this.agent.pool.get(worker)?.inside;
    return inside?.alive === true ? inside : undefined;
  }

  /** A line in the timeline. */
  note(text: string): void {
    this.recorder.note(this.clock.now, text);
  }

  /** Lets time pass until `until` (ms), one timer after the other; `look` sees the world after each. */
  async run(until: number, look: () => void): Promise<void> {
    while (this.clock.next <= until) {
      this.clock.step();
      // All that follows from it without waiting follows now.
      await new Promise(setImmediate);
      look();
    }
    this.clock.skipTo(until);
  }
}
