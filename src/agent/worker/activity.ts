const LENGTH_BYTES = 4;
const TEXT_BYTES = 508;

/**
 * What a thread is doing, in memory that outlives it: whoever finds it hung or dead reads what it was at.
 * One thread writes, others read. A text that is being written while it is read may come out mixed, so it is for
 * threads that have stopped.
 */
export class Activity {
  readonly #length: Int32Array;
  readonly #text: Buffer;
  #current = '';

  /** `memory`: as `Activity.memory` made it. */
  constructor(memory: SharedArrayBuffer) {
    this.#length = new Int32Array(memory, 0, 1);
    this.#text = Buffer.from(memory, LENGTH_BYTES, TEXT_BYTES);
  }

  static memory(): SharedArrayBuffer {
    return new SharedArrayBuffer(LENGTH_BYTES + TEXT_BYTES);
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
    return this.#text.toString('utf8', 0, Atomics.load(this.#length, 0));
  }

  #write(what: string): void {
    this.#current = what;
    Atomics.store(this.#length, 0, 0);
    Atomics.store(this.#length, 0, what === '' ? 0 : this.#text.write(what, 0, TEXT_BYTES, 'utf8'));
  }
}
