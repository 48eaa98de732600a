import assert from 'node:assert/strict';
import type { Socket } from 'node:net';
import { test } from 'node:test';
import { clocked, until } from './clocked.ts';
import type { Harness } from './harness.ts';
import { cluster, endpoint, listener, route, start, startProxy } from './harness.ts';
import { answering, exchange, OK, RawClient, rawBackend } from './raw.ts';

const GET = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';
const UPGRADE = 'GET / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: echo\r\n\r\n';
const SWITCHED = 'HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: echo\r\n\r\n';
const NAME = 'default/edge/http';

function ask(port: number, host: string): Promise<string> {
  return exchange(port, `GET / HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`);
}

/** Two listeners for a host each on one port. */
async function shared(harness: Harness, port: number): Promise<readonly [string, string]> {
  const names = ['default/edge/one', 'default/edge/two'] as const;
  for (const [index, name] of names.entries()) {
    const config = listener({ name, port, hostnames: [`${index}.example`] });
    await harness.dataplane.bindListener(config);
    harness.change([
      { kind: 'listener', value: config },
      {
        kind: 'route',
        value: route({ name: `default/${index}`, attachments: [{ listener: name, hostnames: [] }] }),
      },
    ]);
    harness.dataplane.activateListener(name);
  }
  return names;
}

test('while a process stops, hosts of a listener that has gone hear 503, and are served when it is back', async (context) => {
  const backend = await rawBackend(context, answering(OK));
  const harness = await start({
    resources: [
      { kind: 'cluster', value: cluster() },
      { kind: 'endpoint', value: endpoint(backend.port) },
    ],
  });
  context.after(() => harness.dataplane.shutdown());
  const free = await rawBackend(context, () => {});
  free.close();
  const [one, two] = await shared(harness, free.port);
  // Still in the configuration: nobody took it away, the process ends what it has.
  harness.dataplane.drainListener(one);
  await harness.notified('listener.drained');
  harness.dataplane.closeListener(one);
  const kept = await new RawClient(free.port).send('GET / HTTP/1.1\r\nHost: 0.example\r\n\r\n').untilOver();
  assert.match(kept.text, /^HTTP\/1\.1 503 .*x-novaedge-reason: draining\r\nConnection: close/s);
  assert.match(await ask(free.port, '1.example'), /^HTTP\/1\.1 200 /);
  assert.match(await ask(free.port, '2.example'), /^HTTP\/1\.1 404 /);
  // A changed route does not bring it back.
  harness.change([
    { kind: 'route', value: route({ name: 'default/0', attachments: [{ listener: one, hostnames: [] }] }) },
  ]);
  assert.match(await ask(free.port, '0.example'), /^HTTP\/1\.1 503 /);
  // Bound anew, as its actor does after a restart.
  await harness.dataplane.bindListener(listener({ name: one, port: free.port, hostnames: ['0.example'] }));
  harness.dataplane.activateListener(one);
  assert.match(await ask(free.port, '0.example'), /^HTTP\/1\.1 200 /);
  // Taken out of the configuration it is nobody's host any more.
  harness.dataplane.closeListener(one);
  assert.match(await ask(free.port, '0.example'), /^HTTP\/1\.1 503 /);
  harness.change([], [`listener/${one}`]);
  assert.match(await ask(free.port, '0.example'), /^HTTP\/1\.1 404 /);
  harness.dataplane.drainListener(two);
  harness.dataplane.closeListener(two);
  await assert.rejects(
    new RawClient(free.port).send(GET).until(({ ended }) => ended),
    /ECONNREFUSED/,
  );
});

test('answers of a drain say close, idle connections go, and nobody new is taken', async (context) => {
  const busy: Socket[] = [];
  const backend = await rawBackend(context, (socket) => busy.push(socket));
  const { system, advance } = clocked();
  const harness = await startProxy(context, [backend.port], {
    system,
  });
  const idle = new RawClient(harness.port);
  const working = new RawClient(harness.port).send(GET);
  await until(() => busy.length === 1 && harness.count('open_connections') === 2);
  harness.change([], [`listener/${NAME}`]);
  harness.dataplane.drainListener(NAME);
  const refused = async (): Promise<boolean> => {
    const late = new RawClient(harness.port);
    await new Promise((resolve) => late.socket.once('close', resolve).once('connect', resolve));
    late.socket.destroy();
    return late.error === 'ECONNREFUSED';
  };
  while (!(await refused())) await new Promise((resolve) => setImmediate(resolve));
  advance(700);
  await idle.untilOver();
  assert.equal(idle.text, '');
  busy[0]!.write(OK);
  await working.untilOver();
  assert.match(working.text, /^HTTP\/1\.1 200 .*\r\nConnection: close\r\n.*ok$/s);
  await harness.notified('listener.drained');
  assert.equal(harness.dataplane.closeListener(NAME), 0);
  assert.equal(harness.count('connections_cut'), 0);
  assert.equal(harness.count('open_connections'), 0);
});

test('at the deadline requests and tunnels are cut and counted, idle connections are not', async (context) => {
  const backend = await rawBackend(context, (socket, bytes) => {
    const text = bytes.toString('latin1');
    if (/upgrade/i.test(text)) socket.write(SWITCHED);
    else if (text.startsWith('GET /begun'))
      socket.write('HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nsome');
    else if (!text.startsWith('GET')) socket.write(bytes);
  });
  const harness = await startProxy(context, [backend.port]);
  const idle = new RawClient(harness.port);
  const waiting = new RawClient(harness.port).send(GET);
  const begun = await new RawClient(harness.port).send(GET.replace('/', '/begun')).untilText('some');
  const tunnel = await new RawClient(harness.port).send(UPGRADE).untilText('101');
  await until(() => backend.connections.length === 3 && harness.count('open_connections') === 4);
  harness.dataplane.drainListener(NAME);
  // A tunnel goes on until the deadline.
  tunnel.send('still here');
  await tunnel.untilText('still here');
  assert.ok(harness.dataplane.closeListener(NAME) >= 3);
  for (const client of [idle, waiting, begun, tunnel]) await client.untilOver();
  assert.equal(harness.count('connections_cut', { listener: NAME }), 3);
  assert.equal(harness.count('local_response_count', { reason: 'draining' }), 3);
  assert.equal(harness.count('open_connections'), 0);
  assert.equal(harness.count('active_connections'), 0);
  await until(() => backend.connections.every(({ destroyed }) => destroyed));
  for (const { activeRequests } of harness.dataplane.report('whole').endpoints)
    assert.equal(activeRequests, 0);
});
