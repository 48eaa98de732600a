import type { BuildTable, HashTable, OrderedTable, TableRequest } from './hash-table.ts';
import { buildMaglev } from './maglev.ts';
import { buildRing } from './ring.ts';

/** Places of the targets in ascending order of their ids, so that every thread and node comes to the same table. */
export function orderOf(ids: readonly string[]): Uint32Array {
  const order = Array.from(ids, (_, index) => index);
  order.sort((a, b) => (ids[a]! < ids[b]! ? -1 : 1));
  return Uint32Array.from(order);
}

export function buildTable({ policy, ids, weights }: TableRequest, order: Uint32Array): HashTable {
  const sortedIds = Array.from(order, (index) => ids[index]!);
  const sortedWeights = Array.from(order, (index) => weights[index]!);
  if (policy === 'RingHash') return buildRing(sortedIds, sortedWeights);
  return { points: null, owners: buildMaglev(sortedIds, sortedWeights) };
}

export function buildOrdered(request: TableRequest): OrderedTable {
  const order = orderOf(request.ids);
  return { table: buildTable(request, order), order };
}

/** On the thread that asks, at once. */
export const buildInPlace: BuildTable = (request, done) => done(buildOrdered(request));
