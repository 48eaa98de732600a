import { MessageChannel, Worker } from 'node:worker_threads';
import type { Remote } from 'comlink';
import * as Comlink from 'comlink';
import nodeEndpoint from 'comlink/dist/esm/node-adapter.mjs';
import { culprit } from '../../actors/rollout-memory.ts';
import { waitedForProcessor } from '../os/thread-schedule.ts';
import type { TableCalls } from './hash-tables.ts';
import { HeartbeatWatch } from './heartbeat-watch.ts';
import { Activity } from './worker/activity.ts';
import type {
  ThreadSettings,
  WorkerCalls,
  WorkerMessage,
  WorkerRole,
  WorkerSettings,
} from './worker/contract.ts';
import { Heartbeat } from './worker/heartbeat.ts';

/** How a thread ended. */
export interface ThreadEnd {
  readonly code: number;
  readonly message: string;
  /** Why it ended though nobody had asked for it, with the stack where something was thrown; else empty. */
  readonly fault: string;
}

export interface WorkerThreadOptions {
  readonly entry: URL;
  /** As the system shows it. */
  readonly name: string;
  /** Most memory of its JavaScript heap, in MiB; with more it ends, and nothing else does. */
  readonly heapMb: number;
  /** What it may ask for. */
  readonly tables: TableCalls;
  readonly onMessage: (message: WorkerMessage) => void;
  readonly onExit: (end: ThreadEnd) => void;
}

/** Calls that tell of the thread and do not change what it is at. */
const LIGHT_CALLS: ReadonlySet<string> = new Set(['report', 'drain']);

/**
 * A dataplane worker's thread, from start to exit: first without a role, then for one worker. Calls that are open when
 * it exits are rejected.
 */
export class WorkerThread {
  /** It has said that all its modules are there. */
  loaded = false;
  /** It has said that it can take configuration. */
  ready = false;
  /** Looks since its start, see HeartbeatWatch. */
  looks = 0;
  /** How many of them it took until it had loaded. */
  loadLooks = 0;
  /** Looks in a row that found it not loaded, though a later one was. */
  overtakenLooks = 0;
  readonly #worker: Worker;
  readonly #remote: Remote<WorkerCalls>;
  readonly #open = new Set<(error: Error) => void>();
  readonly #heartbeat: Heartbeat;
  readonly #activity: Activity;
  readonly #watch = new HeartbeatWatch();
  #schedule = '';
  #waitedMs = 0;
  #lookedAt = 0;
  #configuring = 0;
  #exited = false;
  #ending = false;

  constructor(options: WorkerThreadOptions) {
    const { port1, port2 } = new MessageChannel();
    const tables = new MessageChannel();
    const { build } = options.tables;
    Comlink.expose({ build } satisfies TableCalls, nodeEndpoint(tables.port1));
    const heartbeat = Heartbeat.memory();
    const activity = Activity.memory();
    this.#heartbeat = new Heartbeat(heartbeat);
    this.#activity = new Activity(activity);
    this.#worker = new Worker(options.entry, {
      name: options.name,
      workerData: { calls: port2, tables: tables.port2, heartbeat, activity } satisfies ThreadSettings,
      transferList: [port2, tables.port2],
      resourceLimits: { maxOldGenerationSizeMb: options.heapMb },
    });
    this.#remote = this.#counting(Comlink.wrap<WorkerCalls>(nodeEndpoint(port1)));
    let problem = '';
    let stack = '';
    this.#worker.on('message', (message: WorkerMessage) => {
      if (message.type === 'loaded') {
        this.loaded = true;
        this.#schedule = message.schedule;
        this.loadLooks = this.looks;
      } else {
        if (message.type === 'ready') this.ready = true;
        options.onMessage(message);
      }
    });
    this.#worker.on('error', (error) => {
      problem = error instanceof Error ? error.message : String(error);
      stack = error instanceof Error ? (error.stack ?? '') : '';
    });
    this.#worker.on('exit', (code) => {
      this.#exited = true;
      port1.close();
      tables.port1.close();
      const message = problem === '' ? `exited with code ${code}` : problem;
      this.#reject(message);
      options.onExit({ code, message, fault: this.#ending ? '' : stack || message });
    });
  }

  /** From now on it is this worker; also before it has loaded. */
  assume(settings: WorkerSettings): void {
    this.#worker.postMessage({ type: 'role', settings } satisfies WorkerRole);
  }

  /** Calls into the thread. Rejects with what was thrown there, or when the thread exits first. */
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

  /** One look at its heartbeat, once it has loaded. Returns the milliseconds of a silence that is too long, else 0. */
  look(): number {
    this.looks += 1;
    if (!this.loaded) return 0;
    // To get from one object to the next is a sign of life too, and one object alone is no work for so long.
    const signs = this.#heartbeat.beats + this.#activity.changes;
    const patient = this.#configuring > 0 && !isAtObject(this.doing);
    return this.#watch.look(signs, patient, this.#isStarved());
  }

  /** Since the last look it was ready to run most of the time, and did not. */
  #isStarved(): boolean {
    const [waitedMs, now] = [waitedForProcessor(this.#schedule), performance.now()];
    const starved = waitedMs - this.#waitedMs > (now - this.#lookedAt) / 2;
    this.#waitedMs = waitedMs;
    this.#lookedAt = now;
    return starved;
  }

  /** It has a change of configuration to work on. */
  get configuring(): boolean {
    return this.#configuring > 0;
  }

  /** What it is at, or was when it stopped; empty is nothing in particular. */
  get doing(): string {
    return this.#activity.read();
  }

  get ending(): boolean {
    return this.#ending;
  }

  /** Ends the thread at once. */
  terminate(): void {
    this.#ending = true;
    void this.#worker.terminate();
  }

  /** It cannot be ended: nobody waits for it any more, nor does the process. */
  abandon(): void {
    this.#ending = true;
    this.#worker.unref();
    this.#reject('the thread cannot be ended');
  }

  #reject(message: string): void {
    for (const reject of this.#open) reject(new Error(message));
    this.#open.clear();
  }

  /** The same calls, but it is known whether one is open that may keep the thread busy. */
  #counting(remote: Remote<WorkerCalls>): Remote<WorkerCalls> {
    return new Proxy(remote, {
      get: (target, name, receiver) => {
        const method: unknown = Reflect.get(target, name, receiver);
        if (typeof name !== 'string' || LIGHT_CALLS.has(name) || typeof method !== 'function') return method;
        return async (...parameters: unknown[]) => {
          this.#configuring += 1;
          try {
            return (await method(...parameters)) as unknown;
          } finally {
            this.#configuring -= 1;
          }
        };
      },
    });
  }
}

function isAtObject(doing: string): boolean {
  const object = culprit(doing);
  return object !== null && object !== '';
}
