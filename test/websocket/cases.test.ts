import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startProxy } from '../dataplane/harness.ts';
import type { Case } from './case.ts';
import { CLOSING } from './cases/closing.ts';
import { COMPRESSION } from './cases/compression.ts';
import { FRAMING } from './cases/framing.ts';
import { TEXTS } from './cases/text.ts';
import type { Transcript } from './conversation.ts';
import { connections, converse } from './conversation.ts';
import { hub } from './hub.ts';

const CHAPTERS = { framing: FRAMING, text: TEXTS, closing: CLOSING, compression: COMPRESSION };
const AT_ONCE = 8;

/** The endpoint does what the row says: so the rows are right, whatever is between both. */
function assertAnswered(rows: readonly Case[], from: string, { answers }: Transcript): void {
  for (const [index, row] of rows.entries()) {
    const wanted = row.ends === 'no' ? row.answers : [...row.answers, 'ends'];
    assert.deepEqual(answers[index], wanted, `${row.id} from the ${from}: ${row.what}`);
  }
}

/** Each side has every byte of the other, in its order. */
function assertWhole(rows: readonly Case[], from: string, seen: Transcript): void {
  const names = `${rows[0]!.id} to ${rows.at(-1)!.id} from the ${from}`;
  assert.ok(seen.endpointGot.equals(seen.testerSent), `${names}: what the endpoint got`);
  assert.ok(seen.testerGot.equals(seen.endpointSent), `${names}: what the sender got`);
}

for (const [name, cases] of Object.entries(CHAPTERS))
  for (const from of ['client', 'server'] as const) {
    const rows = cases.filter((row) => row.from === null || row.from === from);
    test(`${name}: ${rows.length} cases from the ${from} are through the proxy as they are without it`, async (context) => {
      const opposite = await hub(context);
      const proxy = await startProxy(context, [opposite.port]);
      const left = connections(rows);
      await Promise.all(
        Array.from({ length: AT_ONCE }, async () => {
          for (let group = left.shift(); group !== undefined; group = left.shift()) {
            const direct = await converse(opposite, opposite.port, from, group);
            assertAnswered(group, from, direct);
            assertWhole(group, from, direct);
            const proxied = await converse(opposite, proxy.port, from, group);
            assertAnswered(group, from, proxied);
            assertWhole(group, from, proxied);
            assert.deepEqual(proxied.testerSaw, direct.testerSaw);
            assert.deepEqual(proxied.endpointSaw, direct.endpointSaw);
            assert.ok(proxied.testerSent.equals(direct.testerSent));
            assert.ok(proxied.endpointSent.equals(direct.endpointSent));
          }
        }),
      );
      assert.equal(proxy.count('local_response_count'), 0);
    });
  }

test('there are as many cases as the project promises', () => {
  const ids = Object.values(CHAPTERS).flatMap((cases) => cases.map(({ id }) => id));
  assert.equal(new Set(ids).size, ids.length);
  assert.ok(ids.length >= 250, `${ids.length}`);
});
