import assert from 'node:assert/strict';
import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { TestContext } from 'node:test';
import { test } from 'node:test';
import { HashTables } from '../../src/agent/hash-tables.ts';
import type { TableRequest } from '../../src/dataplane/balance/hash-table.ts';
import { buildOrdered } from '../../src/dataplane/balance/table-builder.ts';
import { CLUSTER_DEFAULTS } from '../../src/model/cluster.ts';
import type { Resource } from '../../src/model/resource.ts';
import { RULE_DEFAULTS } from '../../src/model/route.ts';
import { agent, controller, FakeSource, freePort, listener, temporaryDirectory, until } from './harness.ts';

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

async function backend(context: TestContext): Promise<Resource> {
  const server = createServer((_, response) => response.end(String((server.address() as AddressInfo).port)));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  context.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return {
    kind: 'endpoint',
    value: {
      cluster: 'test/sticky',
      address: '127.0.0.1',
      port,
      weight: 1,
      ready: true,
      zone: '',
      nodeName: '',
    },
  };
}

/** On a connection of its own, which may be any worker's. */
function ask(port: number, user: string): Promise<string> {
  return new Promise((resolve, reject) => {
    request(
      { host: '127.0.0.1', port, agent: false, headers: { 'X-User': user, Connection: 'close' } },
      (answer) => {
        let text = '';
        answer.on('data', (bytes: Buffer) => {
          text += bytes.toString();
        });
        answer.on('end', () => resolve(text));
      },
    )
      .on('error', reject)
      .end();
  });
}

test('real workers agree on the endpoint of every key, also after endpoints have come', async (context) => {
  const port = await freePort();
  const backends = await Promise.all(Array.from({ length: 4 }, () => backend(context)));
  const source = new FakeSource([
    listener('http', port),
    {
      kind: 'cluster',
      value: {
        name: 'test/sticky',
        ...CLUSTER_DEFAULTS,
        lbPolicy: 'Maglev',
        hash: { type: 'Header', name: 'x-user' },
      },
    },
    {
      kind: 'route',
      value: {
        name: 'test/all',
        createdAt: 0,
        attachments: [{ listener: 'test/web/http', hostnames: [] }],
        rules: [
          {
            matches: [
              { path: { type: 'PathPrefix', value: '/' }, method: null, headers: [], queryParams: [] },
            ],
            filters: [],
            clusters: [{ cluster: 'test/sticky', weight: 1 }],
            ...RULE_DEFAULTS,
          },
        ],
      },
    },
    ...backends.slice(0, 3),
  ]);
  const control = await controller(source);
  context.after(() => control.stop());
  const edge = await agent(control.address, temporaryDirectory(), {
    workerEntry: new URL('../../src/agent/worker/main.ts', import.meta.url),
  });
  context.after(() => edge.stop());
  await until('ready', () => edge.admin.readiness().ready);

  const requestsOf = async () => {
    const { totals } = await edge.admin.report('whole');
    return totals['request_count{code="2xx"}'] ?? 0;
  };
  const agreed = () =>
    until('all connections lead a user to one endpoint', async () => {
      const homes: string[] = [];
      for (let user = 0; user < 12; user += 1) {
        const ports = await Promise.all(Array.from({ length: 8 }, () => ask(port, `user ${user}`)));
        if (new Set(ports).size > 1) return null;
        homes.push(ports[0]!);
      }
      return homes;
    });
  const before = await agreed();
  assert.ok(new Set(before).size > 1);
  assert.ok((await requestsOf()) >= 96);

  const fresh = backends[3]!;
  source.change([fresh]);
  assert.ok(fresh.kind === 'endpoint');
  const freshPort = String(fresh.value.port);
  let user = 100;
  await until('the new endpoint gets users', async () => {
    user += 1;
    return (await ask(port, `user ${user}`)) === freshPort;
  });
  const after = await agreed();
  const kept = after.filter((home, index) => home === before[index]).length;
  assert.ok(kept > 0, 'a fourth of the users has moved, not all of them');
});
