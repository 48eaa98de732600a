import type { Behavior } from '../../supervisors/behavior.ts';
import { BEHAVIORS } from '../../supervisors/behaviors.ts';
import type { SystemNotice } from '../../supervisors/system.ts';
import { SteppingClock } from '../clock.ts';
import { Prng } from '../prng.ts';
import { SimulatedAgent } from './agent.ts';
import { type Answer, SimulatedController } from './controller.ts';
import type { PlantedBug } from './planted.ts';
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
  readonly drainTimeoutMs: number;
  readonly planted: PlantedBug | null;
  readonly behaviors?: Readonly<Record<string, Behavior>>;
}

/** One agent with its workers, its controller, its users, and a clock that all of them share. */
export class Universe {
  readonly clock = new SteppingClock();
  readonly ports = new SimulatedPorts();
  readonly recorder = new Recorder();
  readonly prng: Prng;
  readonly workload: Workload;
  readonly controller: SimulatedController;
  readonly agent: SimulatedAgent;
  readonly notices: SystemNotice[] = [];
  readonly drainTimeoutMs: number;
  /** What the next start of a worker runs into. */
  startFault: (worker: number) => StartFault = () => 'none';
  /** Called when the agent answers an update. */
  onAnswer: (answer: Answer) => void = () => {};
  ended = false;

  constructor(options: UniverseOptions) {
    this.prng = new Prng(String(options.seed));
    this.drainTimeoutMs = options.drainTimeoutMs;
    this.workload = new Workload(this.prng.split('workload'), options.workers, options.badness);
    const world: WorkerWorld = {
      node: 'edge-1',
      clock: this.clock,
      ports: this.ports,
      recorder: this.recorder,
      behaviors: options.behaviors ?? BEHAVIORS,
      drainTimeoutMs: options.drainTimeoutMs,
      onNotice: (notice) => this.notices.push(notice),
      seen: (worker, resource) => this.workload.seen(worker, resource),
    };
    this.controller = new SimulatedController({
      clock: this.clock,
      prng: this.prng.split('stream'),
      emit: (event) => this.agent.receive(event),
      onAnswer: (answer) => this.onAnswer(answer),
    });
    this.agent = new SimulatedAgent({
      world,
      prng: this.prng.split('agent'),
      workers: options.workers,
      client: () => this.controller,
      planted: options.planted,
      startFault: (worker) => this.startFault(worker),
      onEnded: () => {
        this.ended = true;
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
