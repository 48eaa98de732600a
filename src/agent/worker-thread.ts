import { MessageChannel, Worker } from 'node:worker_threads';
import type { Remote } from 'comlink';
import * as Comlink from 'comlink';
import nodeEndpoint from 'comlink/dist/esm/node-adapter.mjs';
import type { WorkerCalls, WorkerMessage, WorkerSettings } from './worker/contract.ts';
import { threadName } from './worker/contract.ts';

/** A dataplane worker's thread, from start to exit. Calls that are open when it exits are rejected. */
export class WorkerThread {
  readonly #worker: Worker;
  readonly #remote: Remote<WorkerCalls>;
  readonly #open = new Set<(error: Error) => void>();
  #exited = false;
  #ending = false;

  constructor(options: {
    readonly entry: URL;
    readonly settings: WorkerSettings;
    readonly onMessage: (message: WorkerMessage) => void;
    /** `fault`: why it ended though nobody had asked for it, with the stack where something was thrown; else empty. */
    readonly onExit: (code: number, message: string, fault: string) => void;
  }) {
    const { port1, port2 } = new MessageChannel();
    this.#worker = new Worker(options.entry, {
      name: threadName(options.settings.worker),
      workerData: { settings: options.settings, calls: port2 },
      transferList: [port2],
    });
    this.#remote = Comlink.wrap<WorkerCalls>(nodeEndpoint(port1));
    let problem = '';
    let stack = '';
    this.#worker.on('message', options.onMessage);
    this.#worker.on('error', (error) => {
      problem = error instanceof Error ? error.message : String(error);
      stack = error instanceof Error ? (error.stack ?? '') : '';
    });
    this.#worker.on('exit', (code) => {
      this.#exited = true;
      port1.close();
      const message = problem === '' ? `exited with code ${code}` : problem;
      for (const reject of this.#open) reject(new Error(message));
      this.#open.clear();
      options.onExit(code, message, this.#ending ? '' : stack || message);
    });
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

  /** Ends the thread at once. */
  terminate(): void {
    this.#ending = true;
    void this.#worker.terminate();
  }
}
