import type { Logger } from 'pino';
import { type Event as WorkerEvent, whileAt } from '../../actors/dataplane-worker.ts';
import { threadName } from './worker/contract.ts';
import type { WorkerPoolOptions } from './worker-pool.ts';

/** What goes wrong with the dataplane threads: said in the log, to their actors, and to whoever asks for readiness. */
export class WorkerTroubles {
  readonly #logger: Logger;
  readonly #forget: (worker: number) => void;
  readonly #last = new Map<number, string>();
  readonly #givenUp = new Map<number, string>();

  /** `forget`: what was known of the worker's thread holds no longer. */
  constructor(logger: Logger, forget: (worker: number) => void) {
    this.#logger = logger;
    this.#forget = forget;
  }

  /** What the pool tells; `send` to the worker's actor. */
  of(
    send: (worker: number, event: WorkerEvent) => void,
  ): Pick<WorkerPoolOptions, 'onExit' | 'onHung' | 'onSpareLost'> {
    return {
      onExit: (worker, { code, message, fault }, doing) => {
        this.#forget(worker);
        if (fault !== '') {
          const text = whileAt(`ended: ${message}`, doing);
          this.#last.set(worker, text);
          this.#logger.error({ worker, code, doing, fault }, `${threadName(worker)} ${text}`);
        }
        send(worker, { type: 'worker.exited', code, message, doing });
      },
      onHung: (worker, call, silentMs, doing) => {
        const what =
          call === 'start' ? `did not come up within ${silentMs} ms` : `did not answer for ${silentMs} ms`;
        const text = whileAt(what, doing);
        this.#last.set(worker, text);
        this.#logger.error({ worker, doing }, `${threadName(worker)} ${text}`);
        send(worker, { type: 'worker.hung', call, silentMs, doing });
      },
      onSpareLost: (message) =>
        this.#logger.warn({ message }, 'the spare worker thread is lost; another one is started'),
    };
  }

  givenUp(worker: number): void {
    this.#givenUp.set(worker, this.#last.get(worker) ?? 'it does not start');
  }

  serves(worker: number): void {
    this.#givenUp.delete(worker);
  }

  /** Empty: it is not given up. */
  whyGivenUp(worker: number): string {
    return this.#givenUp.get(worker) ?? '';
  }

  get workersGivenUp(): readonly number[] {
    return [...this.#givenUp.keys()];
  }
}
