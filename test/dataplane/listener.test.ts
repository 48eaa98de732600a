import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { Agent, createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { HeaderChanges } from '../../src/model/filter.ts';
import type { Resource } from '../../src/model/resource.ts';
import {
  cluster,
  endpoint,
  filtered,
  listener,
  route,
  rule,
  start,
  startProxy,
  withHttp,
} from './harness.ts';
import { answering, exchange, OK, RawClient, rawBackend } from './raw.ts';

const GET_CLOSE = 'GET / HTTP/1.1\r\nHost: a.example\r\nConnection: close\r\n\r\n';

test('slow clients are sent away: in the head and the body with 408, idle ones without a word', async (context) => {
  const backend = await rawBackend(context, () => {});
  const harness = await startProxy(context, [backend.port], {
    timeouts: { linger: 50 },
    listener: withHttp({ headerMs: 100, bodyIdleMs: 100, idleMs: 200 }),
  });
  const [head, body, idle] = await Promise.all([
    exchange(harness.port, 'GET / HTTP/1.1\r\nHos'),
    exchange(harness.port, 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nabc'),
    exchange(harness.port, ''),
  ]);
  assert.match(head, /^HTTP\/1\.1 408 .*x-novaedge-reason: request_timeout\r\nConnection: close/s);
  assert.match(body, /^HTTP\/1\.1 408 .*x-novaedge-reason: request_timeout\r\nConnection: close/s);
  assert.equal(idle, '');
});

test('bytes that trickle in do not put the head off for ever', async (context) => {
  const harness = await start({
    resources: [],
    timeouts: { linger: 50 },
    listener: withHttp({ headerMs: 150 }),
  });
  context.after(() => harness.dataplane.shutdown());
  const client = new RawClient(harness.port);
  client.send('GET / HTTP/1.1\r\n');
  const trickle = setInterval(() => client.send('X: 1\r\n'), 20);
  await client.untilOver();
  clearInterval(trickle);
  assert.match(client.text, /^HTTP\/1\.1 408 /);
});

test('a backend without a free connection is waited for, but not for ever', async (context) => {
  const backend = await rawBackend(context, () => {});
  const harness = await startProxy(context, [backend.port], {
    more: [{ kind: 'cluster', value: cluster({ maxConnections: 1, pendingTimeoutMs: 100 }) }],
  });
  const first = new RawClient(harness.port);
  first.send(GET_CLOSE);
  while (backend.connections.length === 0) await new Promise((resolve) => setImmediate(resolve));
  assert.match(await exchange(harness.port, GET_CLOSE), /^HTTP\/1\.1 503 .*pending_timeout/s);
  first.socket.destroy();
});

test('listeners share a port by hostname, and one can go while the other serves', async (context) => {
  const backend = await rawBackend(context, answering(OK));
  const harness = await start({
    resources: [
      { kind: 'cluster', value: cluster() },
      { kind: 'endpoint', value: endpoint(backend.port) },
    ],
  });
  context.after(() => harness.dataplane.shutdown());
  const names = ['default/edge/one', 'default/edge/two'];
  const free = await rawBackend(context, () => {});
  free.close();
  for (const [index, name] of names.entries()) {
    const config = listener({ name, port: free.port, hostnames: [`${index}.example`] });
    await harness.dataplane.bindListener(config);
    harness.change([
      { kind: 'listener', value: config },
      {
        kind: 'route',
        value: route({
          name: `default/${index}`,
          attachments: [{ listener: name, hostnames: [] }],
          rules: [rule()],
        }),
      },
    ]);
    harness.dataplane.activateListener(name);
  }
  const ask = (host: string): Promise<string> =>
    exchange(free.port, `GET / HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`);
  assert.match(await ask('0.example'), /^HTTP\/1\.1 200 /);
  assert.match(await ask('1.example'), /^HTTP\/1\.1 200 /);
  assert.match(await ask('2.example'), /^HTTP\/1\.1 404 /);
  harness.change([], ['listener/default/edge/one']);
  harness.dataplane.drainListener('default/edge/one');
  await harness.notified('listener.drained');
  harness.dataplane.closeListener('default/edge/one');
  assert.match(await ask('0.example'), /^HTTP\/1\.1 404 /);
  assert.match(await ask('1.example'), /^HTTP\/1\.1 200 /);
});

test('connections that come before the listener is active wait for it', async (context) => {
  const backend = await rawBackend(context, answering(OK));
  const harness = await start({
    resources: [
      { kind: 'cluster', value: cluster() },
      { kind: 'endpoint', value: endpoint(backend.port) },
    ],
  });
  context.after(() => harness.dataplane.shutdown());
  const config = listener({ name: 'default/edge/late' });
  await harness.dataplane.bindListener(config);
  const early = new RawClient(harness.dataplane.portOf(config.name));
  early.send(GET_CLOSE);
  await new Promise<void>((resolve) => early.socket.on('connect', () => setImmediate(resolve)));
  harness.change([
    { kind: 'listener', value: config },
    { kind: 'route', value: route({ attachments: [{ listener: config.name, hostnames: [] }] }) },
  ]);
  assert.equal(early.text, '');
  harness.dataplane.activateListener(config.name);
  await early.untilOver();
  assert.match(early.text, /^HTTP\/1\.1 200 /);
});

test("a port that is taken is refused with the system's code", async (context) => {
  const other = await rawBackend(context, () => {});
  const harness = await start({ resources: [] });
  context.after(() => harness.dataplane.shutdown());
  await assert.rejects(harness.dataplane.bindListener(listener({ name: 'x', port: other.port })), {
    code: 'EADDRINUSE',
  });
});

test('a worker that drains under load loses no request to its neighbour', async (context) => {
  const server = createServer({ keepAliveTimeout: 0 }, (_message, response) => response.end('ok'));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  context.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const resources = [
    { kind: 'cluster', value: cluster() },
    { kind: 'endpoint', value: endpoint((server.address() as AddressInfo).port) },
    { kind: 'route', value: route() },
  ] as const;
  const first = await start({ resources });
  const second = await start({ resources, port: first.port });
  context.after(() => {
    first.dataplane.shutdown();
    second.dataplane.shutdown();
  });
  const agent = new Agent({ keepAlive: true, maxSockets: 24 });
  context.after(() => agent.destroy());
  let running = true;
  let answered = 0;
  const failures: string[] = [];
  const load = Array.from({ length: 24 }, async () => {
    while (running) {
      await new Promise<void>((resolve) => {
        const outgoing = request({ port: first.port, host: '127.0.0.1', agent }, (response) => {
          if (response.statusCode !== 200) failures.push(String(response.statusCode));
          response.resume();
          response.on('end', resolve);
          answered += 1;
        });
        outgoing.on('error', (error: NodeJS.ErrnoException) => {
          failures.push(error.code ?? error.message);
          resolve();
        });
        outgoing.end();
      });
    }
  });
  while (answered < 200) await new Promise((resolve) => setImmediate(resolve));
  first.dataplane.drainListener('default/edge/http');
  await first.notified('listener.drained');
  const before = answered;
  while (answered < before + 100) await new Promise((resolve) => setImmediate(resolve));
  running = false;
  await Promise.all(load);
  assert.deepEqual(failures, []);
});

test('the access log has a line for each request, whoever answered', async (context) => {
  const directory = mkdtempSync(join(tmpdir(), 'novaedge-'));
  context.after(() => rmSync(directory, { recursive: true }));
  const file = join(directory, 'access.log');
  const backend = await rawBackend(context, answering(OK));
  const harness = await startProxy(context, [backend.port], {
    accessLog: file,
  });
  await exchange(
    harness.port,
    'GET /a?b HTTP/1.1\r\nHost: a\r\nX-Request-Id: known-id-1\r\nConnection: close\r\n\r\n',
  );
  await exchange(harness.port, 'GET / HTTP/1.1\r\n\r\n');
  let lines: string[] = [];
  while (lines.length < 2) {
    await new Promise((resolve) => setTimeout(resolve, 10));
    lines = readFileSync(file, 'utf8').split('\n').slice(0, -1);
  }
  const [first, second] = lines.map((line) => JSON.parse(line) as Record<string, unknown>);
  assert.equal(first!.path, '/a');
  assert.equal(first!.requestId, 'known-id-1');
  assert.equal(first!.upstream, `127.0.0.1:${backend.port}`);
  assert.equal(first!.bytesOut, 2);
  assert.equal(first!.route, 'default/all');
  assert.equal(second!.reason, 'bad_request');
  assert.equal(second!.status, 400);
  assert.equal(second!.detail, 'missing_host');
  assert.equal(second!.bytesOut, '400 Bad Request: bad_request (missing_host)\n'.length);
  const [upstreamMs, durationMs] = [Number(first!.upstreamMs), Number(first!.durationMs)];
  assert.ok(upstreamMs > 0 && upstreamMs <= durationMs, `${upstreamMs} of ${durationMs}`);
});

test('the access log has the request id that the backend got: kept, made, replaced, set or removed by a filter', async (context) => {
  const directory = mkdtempSync(join(tmpdir(), 'novaedge-'));
  context.after(() => rmSync(directory, { recursive: true }));
  const file = join(directory, 'access.log');
  const backend = await rawBackend(context, answering(OK));
  const changed = (path: string, changes: Partial<HeaderChanges>): Resource => ({
    kind: 'route',
    value: {
      ...filtered([{ type: 'RequestHeaders', changes: { set: [], add: [], remove: [], ...changes } }], {
        type: 'PathPrefix',
        value: path,
      }),
      name: `default${path}`,
    },
  });
  const harness = await start({
    accessLog: file,
    resources: [
      { kind: 'cluster', value: cluster() },
      { kind: 'endpoint', value: endpoint(backend.port) },
      { kind: 'route', value: route() },
      changed('/set', { set: [{ name: 'X-Request-Id', value: 'of-a-filter' }] }),
      changed('/removed', { remove: ['x-request-id'] }),
    ],
  });
  context.after(() => harness.dataplane.shutdown());
  const asked = [
    ['/kept', 'X-Request-Id: known-id-1\r\n'],
    ['/made', ''],
    ['/replaced', 'X-Request-Id: a b\r\n'],
    ['/set', 'X-Request-Id: known-id-1\r\n'],
    ['/removed', 'X-Request-Id: known-id-1\r\n'],
  ] as const;
  for (const [path, field] of asked)
    await exchange(harness.port, `GET ${path} HTTP/1.1\r\nHost: a\r\n${field}Connection: close\r\n\r\n`);
  let lines: string[] = [];
  while (lines.length < asked.length) {
    await new Promise((resolve) => setTimeout(resolve, 10));
    lines = readFileSync(file, 'utf8').split('\n').slice(0, -1);
  }
  const heads = backend.received.join('').split(/(?=GET \/)/);
  for (const [index, [path]] of asked.entries()) {
    const logged = JSON.parse(lines[index]!) as { path: string; requestId: string };
    assert.equal(logged.path, path);
    const head = heads.find((text) => text.startsWith(`GET ${path} `))!;
    assert.equal(logged.requestId, /\r\nx-request-id: ([^\r]*)/i.exec(head)?.[1] ?? '');
  }
  const ids = lines.map((line) => (JSON.parse(line) as { requestId: string }).requestId);
  assert.deepEqual([ids[0], ids[3], ids[4]], ['known-id-1', 'of-a-filter', '']);
  for (const made of [ids[1]!, ids[2]!]) assert.match(made, /^[0-9a-f]{32}$/);
});

test('an object that does not compile keeps its last good version, and its neighbours change', async (context) => {
  const backend = await rawBackend(context, answering(OK));
  const harness = await startProxy(context, [backend.port]);
  const path = (value: string) =>
    ({ path: { type: 'RegularExpression', value }, method: null, headers: [], queryParams: [] }) as const;
  const preparation = harness.dataplane.prepare({
    base: 'x',
    version: 'y',
    upserts: [
      { kind: 'route', value: route({ rules: [rule({ matches: [path('(')] })] }) },
      {
        kind: 'route',
        value: route({ name: 'default/other', rules: [rule({ matches: [path('/o.*')], clusters: [] })] }),
      },
      {
        kind: 'route',
        value: route({
          name: 'default/evil',
          rules: [
            rule({
              filters: [
                {
                  type: 'ResponseHeaders',
                  changes: { set: [{ name: 'X', value: 'a\r\nb: c' }], add: [], remove: [] },
                },
              ],
            }),
          ],
        }),
      },
      // What no producer should send, and what must not cost its neighbours either.
      { kind: 'route', value: { ...route({ name: 'default/poison' }), rules: [null] as never } },
    ],
    removals: [],
  });
  assert.deepEqual(
    preparation.failures.map(({ key, reason }) => `${key} ${reason}`),
    [
      'route/default/all InvalidRegularExpression',
      'route/default/evil InvalidHeader',
      'route/default/poison PrepareFailed',
    ],
  );
  assert.match(preparation.failures[0]!.message, /rules\[0\]\.matches\[0\]\.path\.value "\("/);
  harness.dataplane.commit(preparation.failures.map(({ key }) => key));
  assert.match(await exchange(harness.port, GET_CLOSE), /^HTTP\/1\.1 200 /);
  assert.match(await exchange(harness.port, GET_CLOSE.replace('/ ', '/other ')), /^HTTP\/1\.1 500 /);
});

test('a whole snapshot takes away what it does not have', async (context) => {
  const backend = await rawBackend(context, answering(OK));
  const harness = await startProxy(context, [backend.port]);
  const preparation = harness.dataplane.prepare({
    base: '',
    version: 'z',
    upserts: [
      { kind: 'listener', value: listener() },
      { kind: 'route', value: route({ name: 'default/new', rules: [rule({ clusters: [] })] }) },
    ],
    removals: [],
  });
  assert.deepEqual(preparation.clusters.removed, ['default/api']);
  assert.deepEqual(preparation.listeners, { added: [], changed: [], removed: [] });
  harness.dataplane.commit([]);
  assert.match(await exchange(harness.port, GET_CLOSE), /^HTTP\/1\.1 500 .*cluster_not_found/s);
});
