import type { TableCalls } from './hash-tables.ts';
import { LOOK_MS } from './heartbeat-watch.ts';
import type { LimitSlots } from './limit-slots.ts';
import { SpareThread } from './spare-thread.ts';
import type { WorkerMessage, WorkerSettings } from './worker/contract.ts';
import { threadName } from './worker/contract.ts';
import type { CounterMemories } from './worker-counters.ts';
import type { ThreadEnd } from './worker-thread.ts';
import { WorkerThread } from './worker-thread.ts';

export interface WorkerPoolOptions {
  readonly entry: URL;
  readonly settings: Omit<WorkerSettings, 'worker' | 'counters' | 'limits'>;
  /** See WorkerThreadOptions. */
  readonly heapMb: number;
  readonly limits: LimitSlots;
  readonly counters: CounterMemories;
  readonly tables: TableCalls;
  readonly onMessage: (worker: number, message: WorkerMessage) => void;
  /** `doing`: what the thread was at, see Activity. */
  readonly onExit: (worker: number, end: ThreadEnd, doing: string) => void;
  readonly onHung: (worker: number, call: 'heartbeat' | 'start', silentMs: number, doing: string) => void;
  /** A configuration is in use: from now on a spare does not slow the start down. */
  readonly settled: () => boolean;
  /** The spare thread ended or hung; it is replaced. */
  readonly onSpareLost: (message: string) => void;
}

/**
 * A thread that has not loaded for so many looks (300 ms) after a later one has, hangs in its start. Where loading
 * took that later one longer, the machine is busy, and it is waited as long again.
 */
const OVERTAKEN_LOOKS = 3;
/** A thread that is not there after so many looks (500 ms), though others are, is late: another one is started. */
const LATE_LOOKS = 5;
/** Where no thread at all has come up after so many looks (2 s), another one is started to tell slow from hung. */
const RIVAL_LOOKS = 20;
/** Without a configuration for so many looks (10 s), a spare is kept all the same. */
const UNSETTLED_LOOKS = 100;

/**
 * The dataplane threads that run now, and one more, loaded and idle, that takes the place of the next that ends:
 * loading its modules is most of the time a new thread needs. Watches that all of them turn.
 *
 *     spare ──start(worker)──> thread of a worker ──exit──> gone
 *       ^                                │ cannot be ended
 *     the next one                       └──abandon──> abandoned ──exit──> gone
 */
export class WorkerPool {
  readonly #options: WorkerPoolOptions;
  readonly #threads = new Map<number, WorkerThread>();
  readonly #abandoned = new Map<WorkerThread, number>();
  readonly #spare: SpareThread;
  readonly #looking: NodeJS.Timeout;
  /** Order of start of threads, to see which one is overtaken. */
  readonly #order = new WeakMap<WorkerThread, number>();
  /** Threads that have been reported as hung. */
  readonly #hung = new WeakSet<WorkerThread>();
  #started = 0;
  #looks = 0;
  #closed = false;

  constructor(options: WorkerPoolOptions) {
    this.#options = options;
    this.#spare = new SpareThread(options.onSpareLost);
    this.#looking = setInterval(() => this.#look(), LOOK_MS);
    this.#looking.unref();
  }

  start(worker: number): void {
    const { limits, counters, settings } = this.#options;
    const { memory } = counters.start(worker);
    const thread = this.#spare.take() ?? this.#create(threadName(worker));
    this.#threads.set(worker, thread);
    thread.assume({ ...settings, worker, counters: memory, limits: limits.memory });
  }

  get(worker: number): WorkerThread | undefined {
    return this.#threads.get(worker);
  }

  running(): readonly (readonly [worker: number, thread: WorkerThread])[] {
    return [...this.#threads];
  }

  /** The worker's thread does not end: another one may take its place. */
  abandon(worker: number): void {
    const thread = this.#threads.get(worker);
    if (thread === undefined) return;
    this.#threads.delete(worker);
    this.#abandoned.set(thread, worker);
    this.#forget(worker);
    thread.abandon();
  }

  /** Workers of which an earlier thread is still there. */
  get abandoned(): ReadonlySet<number> {
    return new Set(this.#abandoned.values());
  }

  /** Ends the spare and stops watching; the workers' threads are ended by their actors. */
  close(): void {
    this.#closed = true;
    clearInterval(this.#looking);
    this.#spare.close();
    // A process that ends waits for all its threads; for these it would wait forever.
    process.once('exit', () => {
      if (this.#abandoned.size > 0) process.kill(process.pid, 'SIGKILL');
    });
  }

  #create(name: string): WorkerThread {
    const thread: WorkerThread = new WorkerThread({
      entry: this.#options.entry,
      name,
      heapMb: this.#options.heapMb,
      tables: this.#options.tables,
      onMessage: (message) => {
        const worker = this.#workerOf(thread);
        if (worker === undefined) return;
        if (message.type === 'registered') this.#options.counters.register(worker, message.registration);
        else this.#options.onMessage(worker, message);
      },
      onExit: (end) => this.#exited(thread, end),
    });
    this.#started += 1;
    this.#order.set(thread, this.#started);
    return thread;
  }

  #exited(thread: WorkerThread, end: ThreadEnd): void {
    if (this.#abandoned.delete(thread) || this.#spare.exited(thread, end)) return;
    const worker = this.#workerOf(thread);
    if (worker === undefined) return;
    this.#threads.delete(worker);
    this.#forget(worker);
    this.#options.onExit(worker, end, thread.doing);
  }

  /** Gives back what it held in memory that all share. */
  #forget(worker: number): void {
    this.#options.limits.takeBack(worker);
    this.#options.counters.retire(worker);
  }

  #workerOf(thread: WorkerThread): number | undefined {
    for (const [worker, one] of this.#threads) if (one === thread) return worker;
    return undefined;
  }

  #look(): void {
    this.#looks += 1;
    for (const [worker, thread] of this.#threads) {
      const silentMs = thread.look();
      if (thread.ending || this.#hung.has(thread)) continue;
      const overtaken = this.#isOvertaken(thread);
      if (silentMs === 0 && !overtaken) continue;
      this.#hung.add(thread);
      const call = overtaken ? 'start' : 'heartbeat';
      this.#options.onHung(worker, call, overtaken ? thread.looks * LOOK_MS : silentMs, thread.doing);
    }
    this.#spare.look((spare) => this.#isOvertaken(spare));
    if (!this.#closed && this.#spare.isWanted && this.#wantsSpare()) {
      this.#spare.keep(this.#create('dataplane-spare'));
    }
  }

  /** One look at whether others pass it by in its start. */
  #isOvertaken(thread: WorkerThread): boolean {
    const order = this.#order.get(thread)!;
    const later = this.#all().filter((other) => other.loaded && this.#order.get(other)! > order);
    thread.overtakenLooks = thread.loaded || later.length === 0 ? 0 : thread.overtakenLooks + 1;
    const most = Math.min(...later.map((other) => other.loadLooks));
    return thread.overtakenLooks >= Math.max(OVERTAKEN_LOOKS, most);
  }

  /**
   * Not while workers start or take a configuration, which it would slow down; but at once where a thread is late, as
   * only a later one can tell that it hangs.
   */
  #wantsSpare(): boolean {
    const threads = [...this.#threads.values()];
    const late = threads.some(
      (thread) =>
        !thread.loaded && thread.looks >= (threads.some((other) => other.loaded) ? LATE_LOOKS : RIVAL_LOOKS),
    );
    const calm =
      threads.length > 0 &&
      (this.#options.settled() || this.#looks >= UNSETTLED_LOOKS) &&
      threads.every((thread) => thread.ready && !thread.configuring && thread.looks >= LATE_LOOKS);
    return late || calm;
  }

  #all(): WorkerThread[] {
    const { current } = this.#spare;
    return current === null ? [...this.#threads.values()] : [...this.#threads.values(), current];
  }
}
