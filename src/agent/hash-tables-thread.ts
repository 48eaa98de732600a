import { hash } from 'node:crypto';
import type { HashTable, OrderedTable, TableRequest } from '../dataplane/balance/hash-table.ts';
import { buildTable, orderOf } from '../dataplane/balance/table-builder.ts';

/** Of tables that are kept for the next worker that asks, as long as this thread lives. */
const MOST_BYTES = 128 * 1024 * 1024;

/** The latest last. */
const tables = new Map<string, HashTable>();
let bytes = 0;

/** What the thread of HashTables runs. */
export default function build(request: TableRequest): OrderedTable {
  const order = orderOf(request.ids);
  const key = contentKey(request, order);
  const known = tables.get(key);
  const table = known ?? buildTable(request, order);
  if (known !== undefined) tables.delete(key);
  else bytes += bytesOf(table);
  tables.set(key, table);
  for (const [oldest, old] of tables) {
    if (bytes <= MOST_BYTES || oldest === key) break;
    tables.delete(oldest);
    bytes -= bytesOf(old);
  }
  return { table, order };
}

function bytesOf({ owners, points }: HashTable): number {
  return owners.byteLength + (points?.byteLength ?? 0);
}

/** The same for the same targets in any order. */
function contentKey({ policy, ids, weights }: TableRequest, order: Uint32Array): string {
  let text: string = policy;
  for (const index of order) text += `\n${ids[index]!} ${weights[index]!}`;
  return hash('sha256', text);
}
