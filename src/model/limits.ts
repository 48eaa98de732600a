/**
 * Shared memory for limits that hold over all workers of a node: one Int32 row of totals, then one row for what
 * each worker has added, so that a dead worker's share can be taken back.
 *
 *     row 0      totals            [slot 0: connections, pending][slot 1: …]…
 *     row 1 + w  added by worker w [slot 0: connections, pending]…
 *
 * The main thread gives each cluster a slot; a worker takes with Atomics.add and gives back where the limit is passed.
 */
export const LIMIT_SLOTS = 65_536;
export const LIMIT_CONNECTIONS = 0;
export const LIMIT_PENDING = 1;

const FIELDS = 2;

/** Bytes for `workers` workers; the kernel backs only the pages that are touched. */
export function limitBytes(workers: number): number {
  return (1 + workers) * LIMIT_SLOTS * FIELDS * Int32Array.BYTES_PER_ELEMENT;
}

export function limitTotalIndex(slot: number, field: 0 | 1): number {
  return slot * FIELDS + field;
}

export function limitWorkerIndex(worker: number, slot: number, field: 0 | 1): number {
  return ((1 + worker) * LIMIT_SLOTS + slot) * FIELDS + field;
}
