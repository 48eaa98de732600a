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
  /** Slots of clusters that are gone, oldest first; used again once no worker holds anything there. */
  readonly #released: number[] = [];
  #next = 0;

  constructor(workers: number) {
    this.memory = new SharedArrayBuffer(limitBytes(workers));
    this.#values = new Int32Array(this.memory);
  }

  /** The cluster's slot, the same each time; undefined when all are taken. */
  slot(cluster: string): number | undefined {
    const known = this.#slots.get(cluster);
    if (known !== undefined) return known;
    const slot = this.#next < LIMIT_SLOTS ? this.#next : this.#reusable();
    if (slot === undefined) return undefined;
    if (slot === this.#next) this.#next += 1;
    this.#slots.set(cluster, slot);
    return slot;
  }

  release(cluster: string): void {
    const slot = this.#slots.get(cluster);
    if (slot === undefined) return;
    this.#slots.delete(cluster);
    this.#released.push(slot);
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
    const index = this.#released.findIndex((slot) =>
      FIELDS.every((field) => Atomics.load(this.#values, limitTotalIndex(slot, field)) === 0),
    );
    return index === -1 ? undefined : this.#released.splice(index, 1)[0];
  }
}
