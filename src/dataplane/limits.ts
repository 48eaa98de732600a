import { LIMIT_CONNECTIONS, LIMIT_PENDING, limitTotalIndex, limitWorkerIndex } from '../model/limits.ts';

/** One worker's hand on the limits that hold over all workers, see `model/limits`. */
export class SharedLimits {
  readonly #cells: Int32Array;
  readonly #worker: number;

  constructor(memory: SharedArrayBuffer, worker: number) {
    this.#cells = new Int32Array(memory);
    this.#worker = worker;
  }

  /** False where `most` are taken already, over all workers. */
  take(slot: number, field: 0 | 1, most: number): boolean {
    const cells = this.#cells;
    const index = limitTotalIndex(slot, field);
    // Not add and take back: what is too much for a moment would have another worker refused that has room.
    for (let before = Atomics.load(cells, index); ; ) {
      if (before >= most) return false;
      const found = Atomics.compareExchange(cells, index, before, before + 1);
      if (found === before) break;
      before = found;
    }
    Atomics.add(this.#cells, limitWorkerIndex(this.#worker, slot, field), 1);
    return true;
  }

  give(slot: number, field: 0 | 1): void {
    Atomics.sub(this.#cells, limitWorkerIndex(this.#worker, slot, field), 1);
    Atomics.sub(this.#cells, limitTotalIndex(slot, field), 1);
  }

  total(slot: number, field: 0 | 1): number {
    return Atomics.load(this.#cells, limitTotalIndex(slot, field));
  }

  own(slot: number, field: 0 | 1): number {
    return Atomics.load(this.#cells, limitWorkerIndex(this.#worker, slot, field));
  }

  /** Requests of other workers wait for a connection. */
  othersWait(slot: number): boolean {
    return this.total(slot, LIMIT_PENDING) > this.own(slot, LIMIT_PENDING);
  }

  connectionsLeft(slot: number, most: number): boolean {
    return this.total(slot, LIMIT_CONNECTIONS) < most;
  }
}
