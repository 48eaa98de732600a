import type { Remote } from 'comlink';
import type { WorkerCalls, WorkerMessage } from '../../src/agent/worker/contract.ts';
import type { SteppingClock } from '../clock.ts';
import type { Prng } from '../prng.ts';
import { ThreadStops } from './deadly.ts';
import { SimulatedWorker, type WorkerWorld } from './worker.ts';

export type StartFault = 'none' | 'crash' | 'hang';

export interface SimulatedPoolOptions {
  readonly prng: Prng;
  readonly world: WorkerWorld;
  readonly onMessage: (worker: number, message: WorkerMessage) => void;
  /** `doing`: what the thread was at. */
  readonly onExit: (worker: number, code: number, message: string, doing: string) => void;
  readonly onHung: (worker: number, call: string, silentMs: number, doing: string) => void;
  /** What the worker held in memory that all share is given back. */
  readonly takeBack: (worker: number) => void;
  /** What goes wrong while the thread starts. */
  readonly startFault: (worker: number) => StartFault;
}

/** Until a thread has loaded its modules. */
const LOAD_MS = 200;
/** Until a loaded one has taken its role. */
const ROLE_MS = 10;
const LATENCY_MS = 5;
/** As `src/agent/heartbeat-watch.ts` and `src/agent/worker-pool.ts` have them. */
const LOOK_MS = 100;
const SILENT_MS = 500;
const SILENT_CONFIGURING_MS = 5_000;
const OVERTAKEN_MS = 500;

/**
 * The dataplane threads that run now; what `src/agent/worker-pool.ts` is to the agent. There is no spare thread as
 * such, but the time when one would be loaded; and no look every 100 ms, but the one that would find a thread hung.
 */
export class SimulatedPool {
  readonly #options: SimulatedPoolOptions;
  readonly #threads = new Map<number, SimulatedThread>();
  #lives = 0;
  #spareLoadedAt = Number.POSITIVE_INFINITY;

  constructor(options: SimulatedPoolOptions) {
    this.#options = options;
  }

  start(worker: number): void {
    this.#lives += 1;
    const prng = this.#options.prng.split(`life-${this.#lives}`);
    const { now } = this.#options.world.clock;
    const loadMs = this.#spareLoadedAt <= now ? 0 : prng.between(1, LOAD_MS);
    this.#spareLoadedAt = now + loadMs + prng.between(LOOK_MS, LOOK_MS + LOAD_MS);
    const thread: SimulatedThread = new SimulatedThread({
      ...this.#options,
      worker,
      prng,
      startMs: loadMs + prng.between(1, ROLE_MS),
      onExit: (code, message) => {
        // One that was abandoned is nobody's.
        if (this.#threads.get(worker) !== thread) return;
        this.#threads.delete(worker);
        this.#options.takeBack(worker);
        this.#options.onExit(worker, code, message, thread.doing);
      },
      onHung: (call, silentMs) => {
        if (this.#threads.get(worker) === thread) this.#options.onHung(worker, call, silentMs, thread.doing);
      },
    });
    this.#threads.set(worker, thread);
  }

  abandon(worker: number): void {
    this.#threads.get(worker)?.abandon();
    this.#threads.delete(worker);
    this.#options.takeBack(worker);
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
  readonly #onHung: (call: string, silentMs: number) => void;
  readonly #open = new Set<(error: Error) => void>();
  readonly #remote: Remote<WorkerCalls>;
  #inside: SimulatedWorker | null = null;
  /** Calls that came before it was there. */
  #waiting: (() => void)[] = [];
  /** Calls under way that change its configuration. */
  #configuring = 0;
  #ended = false;
  #vanished = false;
  #exited = false;
  #lastIn = 0;
  #lastOut = 0;

  constructor(
    options: Omit<SimulatedPoolOptions, 'onExit' | 'onHung'> & {
      readonly worker: number;
      readonly startMs: number;
      readonly onExit: (code: number, message: string) => void;
      readonly onHung: (call: string, silentMs: number) => void;
    },
  ) {
    const { world, worker, prng } = options;
    this.#clock = world.clock;
    this.#prng = prng;
    this.#onExit = options.onExit;
    this.#onHung = options.onHung;
    const fault = options.startFault(worker);
    const method =
      <Name extends keyof WorkerCalls>(name: Name) =>
      (...parameters: Parameters<WorkerCalls[Name]>) =>
        this.#invoke(name, (api) => (api[name] as (...all: typeof parameters) => unknown)(...parameters));
    // Comlink's proxy type has more than calls, which nobody uses.
    this.#remote = {
      prepare: method('prepare'),
      commit: method('commit'),
      discard: method('discard'),
      drain: method('drain'),
      report: method('report'),
    } as unknown as Remote<WorkerCalls>;
    if (fault === 'hang') {
      this.#clock.after(OVERTAKEN_MS + prng.between(0, LOOK_MS), () => {
        if (!this.#ended) this.#onHung('start', OVERTAKEN_MS);
      });
      return;
    }
    this.#clock.after(options.startMs, () => {
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
      this.#inside.onBlocked = () => this.#findOut();
      this.#inside.onEnded = (message) => this.crash(message);
      for (const call of this.#waiting.splice(0)) call();
    });
  }

  get inside(): SimulatedWorker | null {
    return this.#inside;
  }

  /** As `WorkerThread.doing`. */
  get doing(): string {
    return this.#inside?.doing ?? '';
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
    if (this.#inside?.stuck === true) return;
    this.#end(1, 'exited with code 1');
  }

  crash(message: string): void {
    this.#end(7, message);
  }

  /** Nobody waits for its end any more, and nothing that it did runs on. */
  abandon(): void {
    this.#ended = true;
    this.#exited = true;
    this.#inside?.end();
    this.#rejectOpen('the thread cannot be ended');
  }

  /** The look that finds it hung, if it still is then. */
  #findOut(): void {
    const since = this.#clock.now;
    const look = () => {
      if (this.#ended || this.#inside?.blocked !== true) return;
      const silentMs = this.#clock.now - since;
      if (this.#configuring === 0 || silentMs >= SILENT_CONFIGURING_MS)
        this.#onHung('heartbeat', Math.floor(silentMs / LOOK_MS) * LOOK_MS);
      else this.#clock.after(LOOK_MS, look);
    };
    this.#clock.after(SILENT_MS + this.#prng.between(0, LOOK_MS), look);
  }

  #rejectOpen(message: string): void {
    for (const reject of this.#open) reject(new Error(message));
    this.#open.clear();
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
      this.#rejectOpen(message);
      this.#onExit(code, message);
    });
    this.#ended = true;
  }

  async #invoke(name: keyof WorkerCalls, run: (api: WorkerCalls) => unknown): Promise<unknown> {
    const changes = name !== 'report' && name !== 'drain';
    if (changes) this.#configuring += 1;
    try {
      return await this.#enter(run);
    } finally {
      if (changes) this.#configuring -= 1;
    }
  }

  #enter(run: (api: WorkerCalls) => unknown): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const inside = () =>
        this.#inside?.run(() => {
          // A synchronous throw inside is a rejection outside, as through a message channel.
          new Promise((done) => done(run(this.#inside!.api))).then(
            (result) => this.#out(() => resolve(result)),
            (error: Error) => {
              if (!(error instanceof ThreadStops)) this.#out(() => reject(error));
            },
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
