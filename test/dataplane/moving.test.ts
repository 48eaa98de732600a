import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { test } from 'node:test';
import { clocked, until } from './clocked.ts';
import type { Harness } from './harness.ts';
import { cluster, LISTENER, listener, route, rule, startProxy, untilRefused } from './harness.ts';
import { answering, exchange, OK, RawClient, rawBackend } from './raw.ts';

const GET = 'GET / HTTP/1.1\r\nHost: a.example\r\n\r\n';
const GET_CLOSE = 'GET / HTTP/1.1\r\nHost: a.example\r\nConnection: close\r\n\r\n';

async function freePort(context: TestContext): Promise<number> {
  const backend = await rawBackend(context, () => {});
  backend.close();
  return backend.port;
}

async function serving(context: TestContext, port: number): Promise<Harness> {
  const backend = await rawBackend(context, answering(OK));
  const harness = await startProxy(context, [backend.port], {
    port,
    timeouts: { drainIdle: 300, linger: 50 },
  });
  return harness;
}

/** A connection that has had one answer. */
async function kept(port: number): Promise<RawClient> {
  const client = new RawClient(port);
  await client.send(GET).untilText('\r\n\r\nok');
  client.text = '';
  return client;
}

const refused = (port: number): Promise<boolean> =>
  new RawClient(port).untilOver().then((client) => client.error === 'ECONNREFUSED');

const eventually = async (condition: () => Promise<boolean>): Promise<void> => {
  while (!(await condition())) await new Promise((resolve) => setTimeout(resolve, 10));
};

test('a listener that moves is bound beside, switches at the commit and leaves the old port', async (context) => {
  const [old, next] = [await freePort(context), await freePort(context)];
  const { dataplane } = await serving(context, old);
  const client = await kept(old);
  const moved = listener({ port: next });
  const upserts = [{ kind: 'listener', value: moved }] as const;
  const preparation = dataplane.prepare({ base: '1', version: '2', upserts, removals: [] });
  assert.deepEqual(preparation.listeners.changed, [moved]);
  await dataplane.bindListener(moved);
  assert.equal(dataplane.portOf(LISTENER), old);
  const early = new RawClient(next);
  early.send(GET_CLOSE);
  assert.match(await exchange(old, GET_CLOSE), /^HTTP\/1\.1 200 /, 'still served where it was');
  dataplane.commit([]);
  dataplane.activateListener(LISTENER);
  assert.equal(dataplane.portOf(LISTENER), next);
  await early.untilOver();
  assert.match(early.text, /^HTTP\/1\.1 200 /, 'what came to the new port waited for the commit');
  await untilRefused(old);
  client.send(GET);
  await client.untilOver();
  assert.match(client.text, /^HTTP\/1\.1 200 .*Connection: close\r\n\r\nok$/s);
  assert.match(await exchange(next, GET_CLOSE), /^HTTP\/1\.1 200 /);
});

test('a move that is dropped leaves everything as it was, however late its bind is done', async (context) => {
  const [old, next] = [await freePort(context), await freePort(context)];
  const { dataplane } = await serving(context, old);
  const client = await kept(old);
  const moved = listener({ port: next });
  const changes = {
    base: '1',
    version: '2',
    upserts: [{ kind: 'listener', value: moved }] as const,
    removals: [],
  };
  dataplane.prepare(changes);
  await dataplane.bindListener(moved);
  dataplane.discard();
  assert.ok(await refused(next));
  dataplane.prepare(changes);
  const late = assert.rejects(dataplane.bindListener(moved), { code: 'ECANCELED' });
  dataplane.discard();
  dataplane.prepare(changes);
  const again = dataplane.bindListener(moved);
  await Promise.all([late, again]);
  dataplane.commit([`listener/${LISTENER}`]);
  assert.ok(await refused(next), 'refused by another worker');
  assert.equal(dataplane.portOf(LISTENER), old);
  await client.send(GET).untilText('\r\n\r\nok');
  assert.doesNotMatch(client.text, /Connection: close/);
  client.socket.destroy();
});

test('a listener that is closed while it moves, and bound again where it was, is there and nowhere else', async (context) => {
  const [old, next] = [await freePort(context), await freePort(context)];
  const { dataplane } = await serving(context, old);
  const moved = listener({ port: next });
  dataplane.prepare({
    base: '1',
    version: '2',
    upserts: [{ kind: 'listener', value: moved }],
    removals: [],
  });
  const move = assert.rejects(dataplane.bindListener(moved), { code: 'ECANCELED' });
  dataplane.closeListener(LISTENER);
  await Promise.all([move, dataplane.bindListener(listener({ port: old }))]);
  dataplane.activateListener(LISTENER);
  assert.equal(dataplane.portOf(LISTENER), old);
  assert.ok(await refused(next));
  assert.match(await exchange(old, GET_CLOSE), /^HTTP\/1\.1 200 /);
  dataplane.discard();
  assert.match(await exchange(old, GET_CLOSE), /^HTTP\/1\.1 200 /);
});

test('a new listener whose bind is done after the preparation was dropped is closed', async (context) => {
  const port = await freePort(context);
  const { dataplane } = await serving(context, 0);
  const other = listener({ name: 'default/edge/other', port });
  dataplane.prepare({
    base: '1',
    version: '2',
    upserts: [{ kind: 'listener', value: other }],
    removals: [],
  });
  const bound = assert.rejects(dataplane.bindListener(other), { code: 'ECANCELED' });
  dataplane.discard();
  await bound;
  assert.ok(await refused(port));
});

test('what a removed listener served it serves to its connections until they have drained', async (context) => {
  const port = await freePort(context);
  const harness = await serving(context, port);
  const { dataplane } = harness;
  const [first, second] = [await kept(port), await kept(port)];
  harness.change(
    [],
    [
      ...harness.dataplane
        .report('whole')
        .endpoints.map(({ cluster: name, endpoint: id }) => `endpoint/${name}/${id}`),
      `listener/${LISTENER}`,
      'route/default/all',
      'cluster/default/api',
    ],
  );
  dataplane.drainListener(LISTENER);
  dataplane.drainPool('default/api');
  await untilRefused(port);
  first.send(GET);
  await first.untilOver();
  assert.match(first.text, /^HTTP\/1\.1 200 .*Connection: close\r\n\r\nok$/s);
  // A change while it drains does not reach it either.
  harness.change([{ kind: 'route', value: route({ rules: [rule({ clusters: [] })] }) }]);
  second.send(GET);
  await second.untilOver();
  assert.match(second.text, /^HTTP\/1\.1 200 .*Connection: close\r\n\r\nok$/s);
  await harness.notified('listener.drained');
  dataplane.closeListener(LISTENER);
  await harness.notified('pool.drained');
  assert.equal(dataplane.closePool('default/api'), 0);
  assert.deepEqual(dataplane.report('whole'), { listeners: [], clusters: [], endpoints: [] });
});

test('a listener that is wished again elsewhere while it drains gives its old port no more time', async (context) => {
  const [old, next] = [await freePort(context), await freePort(context)];
  const clock = clocked();
  const backend = await rawBackend(context, () => {});
  const harness = await startProxy(context, [backend.port], {
    port: old,
    system: clock.system,
  });
  const { dataplane } = harness;
  const client = new RawClient(old).send(GET);
  await until(() => backend.received[0]?.endsWith('\r\n\r\n') === true);
  // The harness gives five seconds to drain.
  harness.change([], [`listener/${LISTENER}`]);
  dataplane.drainListener(LISTENER);
  await untilRefused(old);
  clock.advance(3000);
  const moved = listener({ port: next });
  dataplane.prepare({
    base: '1',
    version: '2',
    upserts: [{ kind: 'listener', value: moved }],
    removals: [],
  });
  await dataplane.bindListener(moved);
  dataplane.commit([]);
  dataplane.activateListener(LISTENER);
  clock.advance(1500);
  await new Promise((resolve) => setTimeout(resolve, 20));
  assert.equal(client.closed, false, 'it still has half a second');
  clock.advance(1000);
  await until(() => client.closed || client.ended);
});

test('a request finishes with the route and the cluster it has chosen, also where it waits for a connection', async (context) => {
  const waiting: (() => void)[] = [];
  const backend = await rawBackend(context, (socket) => {
    waiting.push(() => socket.write(OK));
  });
  const harness = await startProxy(context, [backend.port], {
    timeouts: { linger: 50 },
    more: [{ kind: 'cluster', value: cluster({ maxConnections: 1 }) }],
  });
  const clients = [1, 2, 3].map(() => new RawClient(harness.port).send(GET));
  await eventually(async () => waiting.length === 1 && harness.count('upstream_pending_requests') === 2);
  harness.change(
    [],
    [`endpoint/default/api/127.0.0.1:${backend.port}`, 'cluster/default/api', 'route/default/all'],
  );
  harness.dataplane.drainPool('default/api');
  for (let answered = 0; answered < 3; answered += 1) {
    await eventually(async () => waiting.length > answered);
    waiting[answered]!();
  }
  for (const client of clients) {
    await client.untilText('\r\n\r\nok');
    assert.match(client.text, /^HTTP\/1\.1 200 /);
    client.socket.destroy();
  }
  await harness.notified('pool.drained');
  assert.equal(harness.count('upstream_open_connections'), 0);
  assert.equal(harness.count('upstream_pending_requests'), 0);
});

test('a port takes nobody new once its last wished listener has moved away, though another still drains there', {
  timeout: 20_000,
}, async (context) => {
  const [old, next] = [await freePort(context), await freePort(context)];
  const { dataplane, change } = await serving(context, old);
  const beside = (port: number) => listener({ name: 'default/edge/beside', hostnames: ['b.example'], port });
  await dataplane.bindListener(beside(old));
  change([{ kind: 'listener', value: beside(old) }]);
  dataplane.activateListener('default/edge/beside');
  dataplane.drainListener(LISTENER);
  assert.match(await exchange(old, GET_CLOSE), /^HTTP/, 'the other listener is still wished there');
  await dataplane.bindListener(beside(next));
  change([{ kind: 'listener', value: beside(next) }]);
  dataplane.activateListener('default/edge/beside');
  await untilRefused(old);
});
