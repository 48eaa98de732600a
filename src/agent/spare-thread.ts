import type { ThreadEnd, WorkerThread } from './worker-thread.ts';

/** A spare that is not there after so many looks (10 s) is given up. */
const START_LOOKS = 100;
/** Looks before the next spare where one is lost: 1 s, doubled with each further one up to 64 s. */
const PAUSE_LOOKS = 10;
const MOST_DOUBLINGS = 6;

/** Keeps at most one thread in reserve. One that ends or hangs is given up, and the next is waited for the longer. */
export class SpareThread {
  readonly #onLost: (message: string) => void;
  #current: WorkerThread | null = null;
  #pause = 0;
  #lost = 0;
  #closed = false;

  constructor(onLost: (message: string) => void) {
    this.#onLost = onLost;
  }

  get current(): WorkerThread | null {
    return this.#current;
  }

  /** None is there, and another may be started. */
  get isWanted(): boolean {
    return this.#current === null && this.#pause === 0 && !this.#closed;
  }

  keep(thread: WorkerThread): void {
    this.#current = thread;
  }

  /** Also one that has not loaded yet: it is ahead of one that is started now. */
  take(): WorkerThread | null {
    const thread = this.#current;
    this.#current = null;
    if (thread?.loaded === true) this.#lost = 0;
    return thread;
  }

  /** One look at it, see HeartbeatWatch. */
  look(isOvertaken: (thread: WorkerThread) => boolean): void {
    if (this.#pause > 0) this.#pause -= 1;
    const thread = this.#current;
    if (thread === null) return;
    const silentMs = thread.look();
    const late = !thread.loaded && (isOvertaken(thread) || thread.looks >= START_LOOKS);
    if (silentMs === 0 && !late) return;
    this.#lose(late ? 'did not start' : `did not answer for ${silentMs} ms`);
    thread.terminate();
  }

  /** Whether the thread was the spare. */
  exited(thread: WorkerThread, end: ThreadEnd): boolean {
    if (thread !== this.#current) return false;
    this.#lose(end.message);
    return true;
  }

  close(): void {
    this.#closed = true;
    this.#current?.terminate();
    this.#current = null;
  }

  #lose(message: string): void {
    this.#current = null;
    this.#pause = PAUSE_LOOKS * 2 ** Math.min(this.#lost, MOST_DOUBLINGS);
    this.#lost += 1;
    this.#onLost(message);
  }
}
