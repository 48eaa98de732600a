import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HashTables } from '../../src/agent/hash-tables.ts';
import type { TableRequest } from '../../src/dataplane/balance/hash-table.ts';
import { buildOrdered } from '../../src/dataplane/balance/table-builder.ts';

const IDS = ['10.0.0.3:80', '10.0.0.1:80', '10.0.0.2:80'];
const WEIGHTS = [3, 1, 2];

test('a table from the other thread is the one that is built here', async (context) => {
  const tables = new HashTables();
  context.after(() => tables.close());
  for (const policy of ['RingHash', 'Maglev'] as const) {
    const request: TableRequest = { policy, ids: IDS, weights: WEIGHTS };
    const { table, order } = await tables.build(request);
    const here = buildOrdered(request);
    assert.deepEqual(Array.from(order), [1, 2, 0]);
    assert.deepEqual(Array.from(table.owners), Array.from(here.table.owners));
    assert.deepEqual(
      table.points === null ? null : Array.from(table.points),
      here.table.points && Array.from(here.table.points),
    );
  }
});

test('who asks for the same targets in another order gets the same memory, with their own order', async (context) => {
  const tables = new HashTables();
  context.after(() => tables.close());
  const one = await tables.build({ policy: 'Maglev', ids: IDS, weights: WEIGHTS });
  const other = await tables.build({
    policy: 'Maglev',
    ids: IDS.toReversed(),
    weights: WEIGHTS.toReversed(),
  });
  assert.deepEqual(Array.from(other.order), [1, 0, 2]);
  assert.ok(one.table.owners.buffer instanceof SharedArrayBuffer);
  const before = other.table.owners[0]!;
  one.table.owners[0] = before + 7;
  assert.equal(other.table.owners[0], before + 7);
  const heavier = await tables.build({ policy: 'Maglev', ids: IDS, weights: [3, 1, 9] });
  assert.notEqual(heavier.table.owners[0], before + 7);
});
