import type { Remote } from 'comlink';
import type { WorkerCalls, WorkerMessage } from '../../src/agent/worker/contract.ts';
import type { SteppingClock } from '../clock.ts';
import type { Prng } from '../prng.ts';
import { SimulatedWorker, type WorkerWorld } from './worker.ts';

export type StartFault = 'none' | 'crash' | 'hang';

export interface SimulatedPoolOptions {
  readonly prng: Prng;
  readonly world: WorkerWorld;
  readonly onMessage: (worker: number, message: WorkerMessage) => void;
  readonly onExit: (worker: number, code: number, message: string) => void;
  /** What goes wrong while the thread starts. */
  readonly startFault: (worker: number) => StartFault;
}

const START_MS = 200;
const LATENCY_MS = 5;

/** The dataplane threads that run now; what `src/agent/worker-pool.ts` is to the agent. */
export class SimulatedPool {
  readonly #options: SimulatedPoolOptions;
  readonly #threads = new Map<number, SimulatedThread>();
  #lives = 0;

  constructor(options: SimulatedPoolOptions) {
    this.#options = options;
  }

  start(worker: number): void {
    this.#lives += 1;
    const thread: SimulatedThread = new SimulatedThread({
      ...this.#options,
      worker,
      prng: this.#options.prng.split(`life-${this.#lives}`),
      onExit: (code, message) => {
        if (this.#threads.get(worker) === thread) this.#threads.delete(worker);
        this.#options.onExit(worker, code, message);
      },
    });
    this.#threads.set(worker, thread);
  }

  get(worker: number): SimulatedThread | undefined {
    return this.#threads.get(worker);
  }

  /** All threads end with their process: nobody is told. */
  vanish(): void {
    for (const thread of this.#threads.values()) thread.vanish();
  }

  running(): readonly (readonly [worker: number, thread: SimulatedThread])[] {
    return [...this.#threads];
  }
}

/** A thread as the main thread has it: calls in, messages out, both in order and with latency. */
export class SimulatedThread {
  readonly #clock: SteppingClock;
  readonly #prng: Prng;
  readonly #onExit: (code: number, message: string) => void;
  readonly #open = new Set<(error: Error) => void>();
  readonly #remote: Remote<WorkerCalls>;
  #inside: SimulatedWorker | null = null;
  /** Calls that came before it was there. */
  #waiting: (() => void)[] = [];
  #ended = false;
  #vanished = false;
  #exited = false;
  #lastIn = 0;
  #lastOut = 0;

  constructor(
    options: Omit<SimulatedPoolOptions, 'onExit'> & {
      readonly worker: number;
      readonly onExit: (code: number, message: string) => void;
    },
  ) {
    const { world, worker, prng } = options;
    this.#clock = world.clock;
    this.#prng = prng;
    this.#onExit = options.onExit;
    const fault = options.startFault(worker);
    const method =
      <Name extends keyof WorkerCalls>(name: Name) =>
      (...parameters: Parameters<WorkerCalls[Name]>) =>
        this.#invoke((api) => (api[name] as (...all: typeof parameters) => unknown)(...parameters));
    // Comlink's proxy type has more than calls, which nobody uses.
    this.#remote = {
      prepare: method('prepare'),
      commit: method('commit'),
      discard: method('discard'),
      drain: method('drain'),
      report: method('report'),
    } as unknown as Remote<WorkerCalls>;
    if (fault === 'hang') return;
    this.#clock.after(prng.between(1, START_MS), () => {
      if (this.#ended) return;
      if (fault === 'crash') {
        this.crash('failed to start');
        return;
      }
      this.#inside = new SimulatedWorker({
        worker,
        prng,
        world,
        say: (message) => this.#out(() => options.onMessage(worker, message)),
      });
      for (const call of this.#waiting.splice(0)) call();
    });
  }

  get inside(): SimulatedWorker | null {
    return this.#inside;
  }

  /** Calls into the thread, as `WorkerThread.call` does. */
  call<Result>(run: (remote: Remote<WorkerCalls>) => Promise<Result>): Promise<Result> {
    return new Promise((resolve, reject) => {
      if (this.#exited) {
        reject(new Error('the thread has exited'));
        return;
      }
      this.#open.add(reject);
      run(this.#remote)
        .then(resolve, reject)
        .finally(() => this.#open.delete(reject));
    });
  }

  terminate(): void {
    this.#end(1, 'exited with code 1');
  }

  crash(message: string): void {
    this.#end(7, message);
  }

  /** Ends without a word, and what it had sent never arrives. */
  vanish(): void {
    this.#inside?.end();
    this.#ended = true;
    this.#vanished = true;
  }

  /** What it had sent before arrives before its end does. */
  #end(code: number, message: string): void {
    if (this.#ended) return;
    this.#inside?.end();
    this.#out(() => {
      this.#exited = true;
      for (const reject of this.#open) reject(new Error(message));
      this.#open.clear();
      this.#onExit(code, message);
    });
    this.#ended = true;
  }

  #invoke(run: (api: WorkerCalls) => unknown): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const inside = () =>
        this.#inside?.run(() => {
          // A synchronous throw inside is a rejection outside, as through a message channel.
          new Promise((done) => done(run(this.#inside!.api))).then(
            (result) => this.#out(() => resolve(result)),
            (error: Error) => this.#out(() => reject(error)),
          );
        });
      this.#lastIn = this.#later(this.#lastIn, () => {
        if (this.#inside === null) this.#waiting.push(inside);
        else inside();
      });
    });
  }

  #out(deliver: () => void): void {
    if (this.#ended) return;
    this.#lastOut = this.#later(this.#lastOut, deliver);
  }

  /** In order: never before what was sent before. */
  #later(last: number, run: () => void): number {
    const at = Math.max(last, this.#clock.now + this.#prng.between(0, LATENCY_MS));
    this.#clock.after(at - this.#clock.now, () => {
      if (!this.#vanished) run();
    });
    return at;
  }
}
