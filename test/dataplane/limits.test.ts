import assert from 'node:assert/strict';
import type { Socket } from 'node:net';
import { test } from 'node:test';
import { SharedLimits } from '../../src/dataplane/limits.ts';
import { LIMIT_CONNECTIONS, limitBytes, limitTotalIndex, limitWorkerIndex } from '../../src/model/limits.ts';
import { cluster, endpoint, route, start, startProxy } from './harness.ts';
import { OK, RawClient, rawBackend } from './raw.ts';

const GET = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';

test('connections and waiting requests are bounded exactly over two workers', async (context) => {
  const limits = new SharedArrayBuffer(limitBytes(2));
  const cells = new Int32Array(limits);
  const busy: Socket[] = [];
  const backend = await rawBackend(context, (socket) => busy.push(socket));
  const resources = [
    { kind: 'cluster', value: cluster({ maxConnections: 3, maxPendingRequests: 2 }) },
    { kind: 'endpoint', value: endpoint(backend.port) },
    { kind: 'route', value: route() },
  ] as const;
  const workers = [
    await start({ resources, limits, worker: 0 }),
    await start({ resources, limits, worker: 1 }),
  ];
  context.after(() => {
    for (const worker of workers) worker.dataplane.shutdown();
  });
  const slot = 16;
  const clients = Array.from({ length: 12 }, (_, index) => new RawClient(workers[index % 2]!.port));
  for (const client of clients) client.send(GET);
  // Three are with the backend, two wait, seven are told at once.
  const refused = (): RawClient[] => clients.filter((client) => client.text.includes('\r\n\r\n'));
  while (refused().length < 7 || busy.length < 3) await new Promise((resolve) => setImmediate(resolve));
  for (const client of refused())
    assert.match(client.text, /^HTTP\/1\.1 503 .*x-novaedge-reason: pending_limit/s);
  assert.equal(backend.connections.length, 3);
  assert.equal(cells[limitTotalIndex(slot, 0)], 3);
  assert.equal(cells[limitTotalIndex(slot, 1)], 2);
  assert.equal(cells[limitWorkerIndex(0, slot, 0)]! + cells[limitWorkerIndex(1, slot, 0)]!, 3);
  assert.ok(workers.some((worker) => worker.notifications.some(({ type }) => type === 'limit.reached')));
  // As answers come, those that wait are served, whichever worker has the connections.
  const answered = (): number => clients.filter((client) => client.text.endsWith('ok')).length;
  while (answered() < 5) {
    for (const socket of busy.splice(0)) socket.write(OK);
    await new Promise((resolve) => setImmediate(resolve));
  }
  assert.ok(backend.connections.filter((socket) => !socket.destroyed).length <= 3);
  assert.equal(refused().length, 12);
  while (!workers.some((worker) => worker.notifications.some(({ type }) => type === 'limit.cleared'))) {
    await new Promise((resolve) => setImmediate(resolve));
  }
  for (const worker of workers) worker.dataplane.closePool('default/api');
  assert.equal(cells[limitTotalIndex(slot, 0)], 0);
  assert.equal(cells[limitTotalIndex(slot, 1)], 0);
  for (const client of clients) client.socket.destroy();
});

test('a pool drains when its last request has ended', async (context) => {
  const busy: Socket[] = [];
  const backend = await rawBackend(context, (socket) => busy.push(socket));
  const harness = await startProxy(context, [backend.port]);
  const client = new RawClient(harness.port);
  client.send(GET);
  while (busy.length === 0) await new Promise((resolve) => setImmediate(resolve));
  harness.dataplane.drainPool('default/api');
  const late = new RawClient(harness.port);
  late.send(GET);
  await late.untilText('draining');
  assert.ok(!harness.notifications.some(({ type }) => type === 'pool.drained'));
  busy[0]!.write(OK);
  await client.untilText('ok');
  await harness.notified('pool.drained');
  client.socket.destroy();
  late.socket.destroy();
});

test('an ejected endpoint is passed over, unless all are', async (context) => {
  const served = [0, 0];
  const backends = await Promise.all(
    [0, 1].map((index) =>
      rawBackend(context, (socket) => {
        served[index]! += 1;
        socket.write(OK);
      }),
    ),
  );
  const harness = await start({
    resources: [
      { kind: 'cluster', value: cluster() },
      ...backends.map((backend) => ({ kind: 'endpoint', value: endpoint(backend.port) }) as const),
      { kind: 'route', value: route() },
    ],
  });
  context.after(() => harness.dataplane.shutdown());
  const ask = async (times: number): Promise<number[]> => {
    served.fill(0);
    const client = new RawClient(harness.port);
    for (let turn = 0; turn < times; turn += 1) {
      client.text = '';
      client.send(GET);
      await client.untilText('ok');
    }
    client.socket.destroy();
    return [...served];
  };
  assert.deepEqual(await ask(4), [2, 2]);
  harness.dataplane.ejectEndpoint('default/api', `127.0.0.1:${backends[0]!.port}`);
  assert.deepEqual(await ask(4), [0, 4]);
  harness.dataplane.ejectEndpoint('default/api', `127.0.0.1:${backends[1]!.port}`);
  assert.deepEqual(await ask(4), [2, 2]);
  harness.dataplane.restoreEndpoint('default/api', `127.0.0.1:${backends[0]!.port}`);
  assert.deepEqual(await ask(4), [4, 0]);
});

test('a worker that met a limit which another worker had filled hears that there is room again', async (context) => {
  const limits = new SharedArrayBuffer(limitBytes(2));
  const busy: Socket[] = [];
  const backend = await rawBackend(context, (socket) => busy.push(socket));
  const resources = [
    { kind: 'cluster', value: cluster({ maxConnections: 1, maxPendingRequests: 1 }) },
    { kind: 'endpoint', value: endpoint(backend.port) },
    { kind: 'route', value: route() },
  ] as const;
  const [one, other] = [
    await start({ resources, limits, worker: 0 }),
    await start({ resources, limits, worker: 1 }),
  ];
  context.after(() => {
    one.dataplane.shutdown();
    other.dataplane.shutdown();
  });
  const waiting = [new RawClient(one.port).send(GET), new RawClient(one.port).send(GET)];
  while (new Int32Array(limits)[limitTotalIndex(16, 1)] !== 1) await new Promise(setImmediate);
  const refused = await new RawClient(other.port).send(GET).untilText('pending_limit');
  assert.deepEqual(
    other.notifications.map((each) => [each.type, 'limit' in each && each.limit]),
    [
      ['limit.reached', 'maxConnections'],
      ['limit.reached', 'maxPendingRequests'],
    ],
  );
  while (!waiting.every(({ text }) => text.endsWith('ok'))) {
    for (const socket of busy.splice(0)) socket.write(OK);
    await new Promise(setImmediate);
  }
  const cleared = () =>
    other.notifications.some((each) => each.type === 'limit.cleared' && each.limit === 'maxPendingRequests');
  while (!cleared()) await new Promise(setImmediate);
  for (const client of [...waiting, refused]) client.socket.destroy();
});

test('where nobody may wait, a refused request says that connections have run out, and no other limit', async (context) => {
  const backend = await rawBackend(context, () => {});
  const harness = await startProxy(context, [backend.port], {
    more: [{ kind: 'cluster', value: cluster({ maxConnections: 1, maxPendingRequests: 0 }) }],
  });
  const busy = new RawClient(harness.port).send(GET);
  while (backend.received.join('') === '') await new Promise(setImmediate);
  const refused = await new RawClient(harness.port).send(GET).untilText('connection_limit');
  busy.socket.resetAndDestroy();
  await harness.notified('limit.cleared');
  assert.deepEqual(
    harness.notifications.map((each) => [each.type, 'limit' in each && each.limit]),
    [
      ['limit.reached', 'maxConnections'],
      ['limit.cleared', 'maxConnections'],
    ],
  );
  refused.socket.destroy();
});

for (const [how, goes] of [
  ['drained', 'drainPool'],
  ['closed', 'closePool'],
] as const)
  test(`a pool that was ${how} while a limit was reached, and comes again, tells its new breaker anew`, async (context) => {
    const backend = await rawBackend(context, () => {});
    const settings = cluster({ maxConnections: 1, maxPendingRequests: 1 });
    const limits = new SharedArrayBuffer(limitBytes(2));
    const harness = await start({
      limits,
      resources: [
        { kind: 'cluster', value: settings },
        { kind: 'endpoint', value: endpoint(backend.port) },
        { kind: 'route', value: route() },
      ],
    });
    context.after(() => harness.dataplane.shutdown());
    const another = new SharedLimits(limits, 1);
    assert.ok(another.take(16, LIMIT_CONNECTIONS, 1));
    const reached = () => harness.notifications.filter(({ type }) => type === 'limit.reached').length;
    const breaker = () => harness.dataplane.report('whole').clusters[0]!.breaker;
    const first = new RawClient(harness.port).send(GET);
    context.after(() => first.socket.destroy());
    while (reached() < 1) await new Promise(setImmediate);
    assert.equal(breaker(), 'open');
    harness.dataplane[goes]('default/api');
    harness.dataplane.openPool(settings, 16);
    assert.equal(
      breaker(),
      reached() > 1 ? 'open' : 'closed',
      'its actor is a new one: it knows what it is told',
    );
    const second = new RawClient(harness.port).send(GET);
    context.after(() => second.socket.destroy());
    while (reached() < 2) await new Promise(setImmediate);
    assert.equal(breaker(), 'open');
  });
