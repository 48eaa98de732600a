/** Well below the time between two looks, so that a thread that runs is never found without a beat. */
const BEAT_MS = 50;

/** A count in shared memory that a thread raises for as long as its event loop turns. */
export class Heartbeat {
  readonly #beats: Int32Array;

  /** `memory`: as `Heartbeat.memory` made it. */
  constructor(memory: SharedArrayBuffer) {
    this.#beats = new Int32Array(memory);
  }

  static memory(): SharedArrayBuffer {
    return new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT);
  }

  /** Called in the thread that is watched. */
  start(): void {
    setInterval(() => Atomics.add(this.#beats, 0, 1), BEAT_MS).unref();
  }

  get beats(): number {
    return Atomics.load(this.#beats, 0);
  }
}
