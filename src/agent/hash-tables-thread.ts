import { hash } from 'node:crypto';
import type { HashTable, OrderedTable, TableRequest } from '../dataplane/balance/hash-table.ts';
import { buildTable, orderOf } from '../dataplane/balance/table-builder.ts';

/** Tables that are kept for the next worker that asks; a few hundred KB each. */
const MOST_TABLES = 64;

/** The latest last. */
const tables = new Map<string, HashTable>();

/** What the thread of HashTables runs. */
export default function build(request: TableRequest): OrderedTable {
  const order = orderOf(request.ids);
  const key = contentKey(request, order);
  const table = tables.get(key) ?? buildTable(request, order);
  tables.delete(key);
  tables.set(key, table);
  if (tables.size > MOST_TABLES) tables.delete(tables.keys().next().value!);
  return { table, order };
}

/** The same for the same targets in any order. */
function contentKey({ policy, ids, weights }: TableRequest, order: Uint32Array): string {
  let text: string = policy;
  for (const index of order) text += `\n${ids[index]!} ${weights[index]!}`;
  return hash('sha256', text);
}
