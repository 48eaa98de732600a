export type HashPolicy = 'RingHash' | 'Maglev';

/** The targets that a table is for: those with weight. */
export interface TableRequest {
  readonly policy: HashPolicy;
  readonly ids: readonly string[];
  readonly weights: readonly number[];
}

export type Owners = Uint16Array | Uint32Array;

/** Which target a key belongs to. Its memory is shared by all threads of a node that have the same targets. */
export interface HashTable {
  /** RingHash: positions on the ring in ascending order, with `owners` beside them. Maglev: null. */
  readonly points: Uint32Array | null;
  /** Targets by their place in the order of ids. */
  readonly owners: Owners;
}

/** A table, and which place of the request each place in the order of ids has: `order[owner]` is a place of `ids`. */
export interface OrderedTable {
  readonly table: HashTable;
  readonly order: Uint32Array;
}

/** Builds a table, in this very call or later on another thread, and calls `done` exactly once. */
export type BuildTable = (request: TableRequest, done: (table: OrderedTable) => void) => void;

/** Memory for the owners of `slots`, of `targets` different ones. */
export function ownersMemory(slots: number, targets: number): Owners {
  return targets <= 0x10000
    ? new Uint16Array(new SharedArrayBuffer(slots * Uint16Array.BYTES_PER_ELEMENT))
    : new Uint32Array(new SharedArrayBuffer(slots * Uint32Array.BYTES_PER_ELEMENT));
}
