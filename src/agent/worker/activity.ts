/** Length of the text, and how often it has changed. */
const HEAD_BYTES = 8;
const TEXT_BYTES = 504;

/**
 * What a thread is doing, in memory that outlives it: whoever finds it hung or dead reads what it was at.
 * One thread writes, others read. A text that is being written while it is read may come out mixed, so it is for
 * threads that have stopped.
 */
export class Activity {
  readonly #head: Int32Array;
  readonly #text: Buffer;
  #current = '';

  /** `memory`: as `Activity.memory` made it. */
  constructor(memory: SharedArrayBuffer) {
    this.#head = new Int32Array(memory, 0, 2);
    this.#text = Buffer.from(memory, HEAD_BYTES, TEXT_BYTES);
  }

  static memory(): SharedArrayBuffer {
    return new SharedArrayBuffer(HEAD_BYTES + TEXT_BYTES);
  }

  /** Notes what begins. Returns what it interrupts, for `leave`. */
  enter(what: string): string {
    const before = this.#current;
    this.#write(what);
    return before;
  }

  /** Back to what was interrupted; empty is nothing. */
  leave(before: string): void {
    this.#write(before);
  }

  /** Empty: nothing in particular, the thread waits or serves requests. Long texts are cut. */
  read(): string {
    return this.#text.toString('utf8', 0, Atomics.load(this.#head, 0));
  }

  /** Rises with each change, wrapping around: a thread that works its way through objects gets on. */
  get changes(): number {
    return Atomics.load(this.#head, 1);
  }

  #write(what: string): void {
    this.#current = what;
    Atomics.store(this.#head, 0, 0);
    Atomics.store(this.#head, 0, what === '' ? 0 : this.#text.write(what, 0, TEXT_BYTES, 'utf8'));
    Atomics.add(this.#head, 1, 1);
  }
}
