import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cluster, startProxy } from '../dataplane/harness.ts';
import type { Case } from './case.ts';
import { CLOSING } from './cases/closing.ts';
import { COMPRESSION } from './cases/compression.ts';
import { FRAMING } from './cases/framing.ts';
import { TEXTS } from './cases/text.ts';
import type { Path, Transcript } from './conversation.ts';
import { connections, converse } from './conversation.ts';
import { hub } from './hub.ts';
import { CLIENTS, SERVERS } from './paths.ts';

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

const PROTOCOLS = ['HTTP/1.1', 'HTTP/2'] as const;
const WAYS = PROTOCOLS.flatMap((client) => PROTOCOLS.map((server) => ({ client, server })));

/** Goes through all of them, some connections at once; the transcripts are in the groups' order. */
async function all(way: Path, from: 'client' | 'server', groups: readonly Case[][]): Promise<Transcript[]> {
  const transcripts: Transcript[] = [];
  let next = 0;
  await Promise.all(
    Array.from({ length: AT_ONCE }, async () => {
      for (let index = next++; index < groups.length; index = next++)
        transcripts[index] = await converse(way, from, groups[index]!);
    }),
  );
  for (const [index, group] of groups.entries()) {
    assertAnswered(group, from, transcripts[index]!);
    assertWhole(group, from, transcripts[index]!);
  }
  return transcripts;
}

for (const [name, cases] of Object.entries(CHAPTERS))
  for (const from of ['client', 'server'] as const) {
    const rows = cases.filter((row) => row.from === null || row.from === from);
    test(`${name}: ${rows.length} cases from the ${from} are with the proxy as they are without`, async (context) => {
      const groups = connections(rows);
      const opposite = await hub(context);
      const direct = await all(
        { take: opposite.take, open: await CLIENTS['HTTP/1.1'](context, opposite.port) },
        from,
        groups,
      );
      for (const { client, server } of WAYS)
        await context.test(`${client} to ${server}`, async (each) => {
          const serverSide = await SERVERS[server](each);
          const more = [
            {
              kind: 'cluster' as const,
              value: cluster({ protocol: server === 'HTTP/2' ? 'HTTP2' : 'HTTP1' }),
            },
          ];
          const proxy = await startProxy(each, [serverSide.port], { more });
          const way = { take: serverSide.take, open: await CLIENTS[client](each, proxy.port) };
          const proxied = await all(way, from, groups);
          for (const [index, seen] of proxied.entries()) {
            assert.deepEqual(seen.testerSaw, direct[index]!.testerSaw);
            assert.deepEqual(seen.endpointSaw, direct[index]!.endpointSaw);
            assert.ok(seen.testerSent.equals(direct[index]!.testerSent));
            assert.ok(seen.endpointSent.equals(direct[index]!.endpointSent));
          }
          assert.equal(proxy.count('local_response_count'), 0);
        });
    });
  }

test('there are as many cases as the project promises', () => {
  const ids = Object.values(CHAPTERS).flatMap((cases) => cases.map(({ id }) => id));
  assert.equal(new Set(ids).size, ids.length);
  assert.ok(ids.length >= 250, `${ids.length}`);
});
