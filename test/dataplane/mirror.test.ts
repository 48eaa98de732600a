import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { test } from 'node:test';
import { REQUEST_BLOCK_BYTES } from '../../src/dataplane/client/outgoing-request.ts';
import type { Cluster } from '../../src/model/cluster.ts';
import type { Mirror } from '../../src/model/route.ts';
import type { Harness } from './harness.ts';
import { cluster, endpoint, LISTENER, route, rule, start } from './harness.ts';
import { answering, exchange, OK, RawClient, rawBackend } from './raw.ts';

const GET = 'GET /path?q HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n';
const SHADOW = 'default/shadow';

async function proxy(
  context: TestContext,
  backend: { readonly port: number },
  shadow: { readonly port: number } | null,
  mirrors: readonly Mirror[] = [{ cluster: SHADOW, share: 1 }],
  settings: Partial<Cluster> = {},
): Promise<Harness> {
  const harness = await start({
    resources: [
      { kind: 'cluster', value: cluster() },
      { kind: 'endpoint', value: endpoint(backend.port) },
      { kind: 'cluster', value: cluster({ name: SHADOW, ...settings }) },
      ...(shadow === null
        ? []
        : [{ kind: 'endpoint', value: endpoint(shadow.port, { cluster: SHADOW }) } as const]),
      { kind: 'route', value: route({ rules: [rule({ mirrors })] }) },
    ],
    timeouts: { backend: 150 },
  });
  context.after(() => harness.dataplane.shutdown());
  return harness;
}

const outcomes = (harness: Harness, outcome: string) =>
  harness.count('upstream_mirrored_requests', { cluster: SHADOW, outcome });
async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 2));
}

test('a copy, byte for byte, goes to the other cluster, and its answer to nobody', async (context) => {
  const backend = await rawBackend(context, answering(OK));
  const shadow = await rawBackend(
    context,
    answering('HTTP/1.1 500 No\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nbad\r\n0\r\n\r\n'),
  );
  const harness = await proxy(context, backend, shadow);
  for (const request of [
    GET,
    GET.replace('GET', 'HEAD'),
    'POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n',
  ])
    assert.match(await exchange(harness.port, request), /^HTTP\/1\.1 200 /);
  await until(() => outcomes(harness, 'answered') === 3);
  assert.equal(shadow.received.join(''), backend.received.join(''));
  assert.match(shadow.received.join(''), /Host: a\r\n/);
  // Their connection is kept, as anybody's, but for the answer to HEAD that has a body.
  assert.equal(shadow.connections.length, 2);
});

test('a body that comes later is part of the copy; one that does not fit is not mirrored', async (context) => {
  const backend = await rawBackend(context, (socket, bytes) => {
    if (bytes.toString('latin1').endsWith('!')) socket.write(OK);
  });
  const shadow = await rawBackend(context, (socket, bytes) => {
    if (bytes.toString('latin1').endsWith('!')) socket.write(OK);
  });
  const harness = await proxy(context, backend, shadow);
  const ask = async (length: number) => {
    const client = new RawClient(harness.port);
    client.send(`PUT / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: ${length}\r\n\r\n12345`);
    const before = backend.received.join('').length;
    await until(() => backend.received.join('').length > before);
    client.send(`${'x'.repeat(length - 6)}!`);
    await client.untilOver();
    assert.match(client.text, /^HTTP\/1\.1 200 /);
  };
  await ask(1000);
  await until(() => outcomes(harness, 'answered') === 1);
  assert.match(shadow.received.join(''), /\r\n\r\n12345x{994}!$/);
  await ask(REQUEST_BLOCK_BYTES);
  assert.equal(outcomes(harness, 'too_large'), 1);
  assert.equal(shadow.received.join('').split('PUT').length, 2);
});

test('the share of requests is drawn', async (context) => {
  const backend = await rawBackend(context, answering(OK));
  const shadow = await rawBackend(context, answering(OK));
  const harness = await proxy(context, backend, shadow, [
    { cluster: SHADOW, share: 0.3 },
    { cluster: SHADOW, share: 0 },
  ]);
  const client = new RawClient(harness.port);
  const count = 600;
  client.send(GET.replace('Connection: close\r\n', '').repeat(count));
  await client.until(({ text }) => text.split('\r\n\r\nok').length === count + 1);
  client.socket.destroy();
  await until(() => outcomes(harness, 'answered') + outcomes(harness, 'no_connection') > 0);
  const copies = () => outcomes(harness, 'answered') + outcomes(harness, 'no_connection');
  let before = -1;
  while (before !== copies()) {
    before = copies();
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  // Five standard deviations (11.2) around 180.
  assert.ok(copies() > 124 && copies() < 236, `${copies()} of ${count}`);
});

for (const [name, serve, outcome] of [
  ['silent', () => {}, 'failed'],
  ['endless', (socket: { write(text: string): void }) => void endless(socket), 'failed'],
  ['broken', (socket: { destroy(): void }) => socket.destroy(), 'failed'],
] as const)
  test(`a ${name} mirror neither delays nor harms the original, and is given up`, async (context) => {
    const backend = await rawBackend(context, answering(OK));
    const shadow = await rawBackend(context, serve);
    const harness = await proxy(context, backend, shadow);
    assert.match(await exchange(harness.port, GET), /^HTTP\/1\.1 200 .*ok$/s);
    await until(() => outcomes(harness, outcome) === 1);
    await until(() => harness.count('upstream_open_connections', { cluster: SHADOW }) === 0);
  });

function endless(socket: { write(text: string): void; readonly destroyed?: boolean }): void {
  socket.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n');
  const timer = setInterval(() => {
    if (socket.destroyed) clearInterval(timer);
    else socket.write('1\r\nx\r\n');
  }, 10);
}

test('a mirror that is dead, full, without endpoints or not there is passed over, and counted', async (context) => {
  const backend = await rawBackend(context, answering(OK));
  const gone = await rawBackend(context, () => {});
  gone.close();
  const dead = await proxy(context, backend, gone);
  assert.match(await exchange(dead.port, GET), /^HTTP\/1\.1 200 /);
  await until(() => outcomes(dead, 'failed') === 1);
  assert.equal(dead.count('upstream_retries'), 0);

  const silent = await rawBackend(context, () => {});
  const full = await proxy(context, backend, silent, undefined, { maxConnections: 1 });
  for (let turn = 0; turn < 3; turn += 1) assert.match(await exchange(full.port, GET), /^HTTP\/1\.1 200 /);
  assert.equal(outcomes(full, 'no_connection'), 2);
  assert.equal(full.count('upstream_pending_requests'), 0);
  assert.ok(!full.notifications.some(({ type }) => type === 'limit.reached'));

  const empty = await proxy(context, backend, null);
  assert.match(await exchange(empty.port, GET), /^HTTP\/1\.1 200 /);
  assert.equal(outcomes(empty, 'no_connection'), 1);

  const missing = await proxy(context, backend, null, [{ cluster: 'default/none', share: 1 }]);
  assert.match(await exchange(missing.port, GET), /^HTTP\/1\.1 200 /);
});

test('requests that wait for a connection come before copies', async (context) => {
  const backend = await rawBackend(context, answering(OK));
  const held: { write(text: string): void }[] = [];
  const shadow = await rawBackend(context, (socket) => held.push(socket));
  const harness = await proxy(context, backend, shadow, undefined, { maxConnections: 1 });
  harness.change([
    {
      kind: 'route',
      value: route({
        name: 'default/direct',
        rules: [
          rule({
            clusters: [{ cluster: SHADOW, weight: 1 }],
            matches: [
              { path: { type: 'Exact', value: '/direct' }, method: null, headers: [], queryParams: [] },
            ],
          }),
        ],
      }),
    },
  ]);
  const direct = [0, 1].map(() => new RawClient(harness.port).send(GET.replace('/path?q', '/direct')));
  await until(() => held.length === 1 && harness.count('upstream_pending_requests') === 1);
  assert.match(await exchange(harness.port, GET), /^HTTP\/1\.1 200 /);
  assert.equal(outcomes(harness, 'no_connection'), 1);
  for (let answered = 0; answered < 2; ) {
    for (const socket of held.splice(0)) {
      socket.write(OK);
      answered += 1;
    }
    await new Promise(setImmediate);
  }
  for (const client of direct) assert.match((await client.untilOver()).text, /ok$/);
});

test('a listener that drains mirrors on to a cluster that is gone', async (context) => {
  const backend = await rawBackend(context, answering(OK));
  const shadow = await rawBackend(context, answering(OK));
  const harness = await proxy(context, backend, shadow);
  const client = new RawClient(harness.port).send(GET.replace('Connection: close\r\n', ''));
  await client.untilText('ok');
  await until(() => outcomes(harness, 'answered') === 1);
  harness.change([], [`listener/${LISTENER}`, `cluster/${SHADOW}`]);
  harness.dataplane.drainListener(LISTENER);
  harness.dataplane.drainPool(SHADOW);
  client.send(GET);
  await client.untilOver();
  await until(() => outcomes(harness, 'answered') === 2);
  await harness.notified('listener.drained');
  harness.dataplane.closeListener(LISTENER);
  await harness.notified('pool.drained');
});
