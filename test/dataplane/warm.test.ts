import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { test } from 'node:test';
import type { Cluster } from '../../src/model/cluster.ts';
import { limitBytes } from '../../src/model/limits.ts';
import type { Harness } from './harness.ts';
import { cluster, endpoint, route, start } from './harness.ts';
import type { RawBackend } from './raw.ts';
import { answering, OK, RawClient, rawBackend } from './raw.ts';

const GET = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 2));
}
const alive = ({ connections }: RawBackend) => connections.filter((socket) => !socket.destroyed).length;
/** Ticks of the data plane, by which it does what it does by itself. */
const ticks = (count: number) => new Promise((resolve) => setTimeout(resolve, 50 * count));

async function proxy(
  context: TestContext,
  backends: readonly { readonly port: number }[],
  settings: Partial<Cluster>,
  limits?: SharedArrayBuffer,
): Promise<Harness> {
  const harness = await start({
    resources: [
      { kind: 'cluster', value: cluster({ warmConnections: 2, ...settings }) },
      ...backends.map(({ port }) => ({ kind: 'endpoint', value: endpoint(port) }) as const),
      { kind: 'route', value: route() },
    ],
    ...(limits === undefined ? {} : { limits }),
  });
  context.after(() => harness.dataplane.shutdown());
  return harness;
}

test('connections are there before the first request, stay beyond their idle time, and serve', async (context) => {
  const backends = [await rawBackend(context, answering(OK)), await rawBackend(context, answering(OK))];
  const harness = await proxy(context, backends, { idleTimeoutMs: 50 });
  await until(() => backends.every((backend) => alive(backend) === 2));
  await ticks(6);
  assert.deepEqual(
    backends.map(({ connections }) => connections.length),
    [2, 2],
    'none was closed and made anew',
  );
  const client = await new RawClient(harness.port).send(GET).untilText('ok');
  client.socket.destroy();
  assert.equal(harness.count('upstream_connection_count'), 4);
});

test('one that served and died is made again', async (context) => {
  const backend = await rawBackend(context, answering(OK));
  const harness = await proxy(context, [backend], {});
  await until(() => alive(backend) === 2);
  const client = await new RawClient(harness.port).send(GET).untilText('ok');
  for (const socket of backend.connections) socket.destroy();
  await until(() => alive(backend) === 2);
  client.socket.destroy();
});

test('a backend that takes connections and drops them is not flooded with more', async (context) => {
  const backend = await rawBackend(context, () => {});
  const accepted: number[] = [];
  const began = Date.now();
  const watch = setInterval(() => {
    for (const socket of backend.connections) socket.destroy();
    while (accepted.length < backend.connections.length) accepted.push(Date.now() - began);
  }, 1);
  context.after(() => clearInterval(watch));
  await proxy(context, [backend], { warmConnections: 1 });
  await until(() => accepted.length >= 4);
  // Pauses of 50, 100 and 200 ms at the least: a busy machine only makes them longer.
  assert.ok(accepted[3]! - accepted[0]! >= 300, accepted.join());
});

test('a dead endpoint is found before a request finds it, and then left alone', async (context) => {
  const gone = await rawBackend(context, () => {});
  gone.close();
  const harness = await proxy(context, [gone], {});
  const notice = await harness.notified('endpoint.failing');
  assert.equal(notice.type === 'endpoint.failing' && notice.endpoint, `127.0.0.1:${gone.port}`);
  harness.dataplane.ejectEndpoint('default/api', `127.0.0.1:${gone.port}`);
  const failures = () => harness.count('upstream_connect_failures');
  await ticks(2);
  const before = failures();
  await ticks(8);
  assert.equal(failures(), before);
});

test('at most half of the connections are made ahead of need, over all workers, and none while somebody waits', async (context) => {
  const backend = await rawBackend(context, answering(OK));
  const limits = new SharedArrayBuffer(limitBytes(2));
  const harness = await proxy(context, [backend], { warmConnections: 10, maxConnections: 6 }, limits);
  await until(() => alive(backend) === 3);
  await ticks(4);
  assert.equal(alive(backend), 3);
  assert.ok(!harness.notifications.some(({ type }) => type === 'limit.reached'));
});

test('they go when the endpoint, the wish or the cluster goes', async (context) => {
  const backends = [await rawBackend(context, answering(OK)), await rawBackend(context, answering(OK))];
  const harness = await proxy(context, backends, { idleTimeoutMs: 50 });
  const open = () => harness.count('upstream_open_connections');
  await until(() => open() === 4);
  harness.change([], [`endpoint/default/api/127.0.0.1:${backends[0]!.port}`]);
  // One that is still being made goes when it has been.
  await until(() => open() === 2);
  harness.dataplane.openPool(cluster({ warmConnections: 1, idleTimeoutMs: 50 }), 16);
  await until(() => open() === 1);
  harness.dataplane.drainPool('default/api');
  await until(() => open() === 0);
  await harness.notified('pool.drained');
  await ticks(3);
  assert.equal(open(), 0);
});
