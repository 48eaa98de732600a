import type { LimitSlots } from './limit-slots.ts';
import type { WorkerMessage, WorkerSettings } from './worker/contract.ts';
import type { CounterMemories } from './worker-counters.ts';
import { WorkerThread } from './worker-thread.ts';

export interface WorkerPoolOptions {
  readonly entry: URL;
  readonly settings: Omit<WorkerSettings, 'worker' | 'counters' | 'limits'>;
  readonly limits: LimitSlots;
  readonly counters: CounterMemories;
  readonly onMessage: (worker: number, message: WorkerMessage) => void;
  readonly onExit: (worker: number, code: number, message: string, fault: string) => void;
}

/** The dataplane threads that run now. */
export class WorkerPool {
  readonly #options: WorkerPoolOptions;
  readonly #threads = new Map<number, WorkerThread>();

  constructor(options: WorkerPoolOptions) {
    this.#options = options;
  }

  start(worker: number): void {
    const { memory, registrations } = this.#options.counters.start(worker);
    const thread: WorkerThread = new WorkerThread({
      entry: this.#options.entry,
      settings: {
        ...this.#options.settings,
        worker,
        counters: memory,
        limits: this.#options.limits.memory,
      },
      onMessage: (message) => {
        if (message.type === 'registered') registrations.push(message.registration);
        else this.#options.onMessage(worker, message);
      },
      onExit: (code, message, fault) => {
        if (this.#threads.get(worker) === thread) this.#threads.delete(worker);
        this.#options.limits.takeBack(worker);
        this.#options.counters.retire(worker);
        this.#options.onExit(worker, code, message, fault);
      },
    });
    this.#threads.set(worker, thread);
  }

  get(worker: number): WorkerThread | undefined {
    return this.#threads.get(worker);
  }

  running(): readonly (readonly [worker: number, thread: WorkerThread])[] {
    return [...this.#threads];
  }
}
