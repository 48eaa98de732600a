import {
  LIMIT_CONNECTIONS,
  LIMIT_PENDING,
  LIMIT_SLOTS,
  limitBytes,
  limitTotalIndex,
  limitWorkerIndex,
} from '../model/limits.ts';

const FIELDS = [LIMIT_CONNECTIONS, LIMIT_PENDING] as const;

/** Gives each cluster its slot in the shared limits and takes back what a dead worker held. */
export class LimitSlots {
  readonly memory: SharedArrayBuffer;
  readonly #values: Int32Array;
  readonly #slots = new Map<string, number>();
  /** Slots of clusters that are gone, oldest first; given to another once no worker holds anything there. */
  readonly #released = new Map<string, number>();
  #next = 0;

  constructor(workers: number) {
    this.memory = new SharedArrayBuffer(limitBytes(workers));
    this.#values = new Int32Array(this.memory);
  }

  /** The cluster's slot, the same each time; undefined when all are taken. */
  slot(cluster: string): number | undefined {
    const known = this.#slots.get(cluster);
    if (known !== undefined) return known;
    // A cluster that comes back may still drain there.
    const slot = this.#released.get(cluster) ?? (this.#next < LIMIT_SLOTS ? this.#next : this.#reusable());
    if (slot === undefined) return undefined;
    if (slot === this.#next) this.#next += 1;
    this.#released.delete(cluster);
    this.#slots.set(cluster, slot);
    return slot;
  }

  release(cluster: string): void {
    const slot = this.#slots.get(cluster);
    if (slot === undefined) return;
    this.#slots.delete(cluster);
    this.#released.set(cluster, slot);
  }

  /** After the worker's thread has ended. */
  takeBack(worker: number): void {
    for (let slot = 0; slot < this.#next; slot += 1) {
      for (const field of FIELDS) {
        const held = Atomics.exchange(this.#values, limitWorkerIndex(worker, slot, field), 0);
        if (held !== 0) Atomics.sub(this.#values, limitTotalIndex(slot, field), held);
      }
    }
  }

  #reusable(): number | undefined {
    for (const [cluster, slot] of this.#released) {
      if (FIELDS.some((field) => Atomics.load(this.#values, limitTotalIndex(slot, field)) !== 0)) continue;
      this.#released.delete(cluster);
      return slot;
    }
    return undefined;
  }
}
