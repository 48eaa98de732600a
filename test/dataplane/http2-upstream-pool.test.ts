import assert from 'node:assert/strict';
import type { ServerHttp2Stream } from 'node:http2';
import type { TestContext } from 'node:test';
import { test } from 'node:test';
import { limitBytes } from '../../src/model/limits.ts';
import { cluster, endpoint } from './harness.ts';
import type { Http2Backend } from './http2-backend.ts';
import { http2Backend, http2Proxy, saying } from './http2-backend.ts';
import { answering, exchange, OK, RawClient, rawBackend } from './raw.ts';

const GET = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';
const CLOSING = 'GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n';
const turn = () => new Promise(setImmediate);

interface Held extends Http2Backend {
  readonly held: ServerHttp2Stream[];
  /** Answers what is held, and from now on at once. */
  release(): void;
}

/** Answers when it is told to. */
async function holding(context: TestContext, settings = {}): Promise<Held> {
  const held: ServerHttp2Stream[] = [];
  let isOpen = false;
  const backend = await http2Backend(
    context,
    (stream, headers) => {
      if (isOpen) saying('ok')(stream, headers);
      else held.push(stream);
    },
    settings,
  );
  const release = (): void => {
    isOpen = true;
    for (const stream of held.splice(0)) saying('ok')(stream, {});
  };
  return { ...backend, held, release };
}

function clients(context: TestContext, port: number, count: number): RawClient[] {
  const all = Array.from({ length: count }, () => new RawClient(port).send(GET));
  context.after(() => {
    for (const client of all) client.socket.destroy();
  });
  return all;
}

const answered = (all: RawClient[]) => Promise.all(all.map((client) => client.untilText('ok')));

test('a connection is closed after as many requests as it may have', async (context) => {
  const perSession = new Map<unknown, number>();
  const backend = await http2Backend(context, (stream, headers) => {
    perSession.set(stream.session, (perSession.get(stream.session) ?? 0) + 1);
    saying('ok')(stream, headers);
  });
  const harness = await http2Proxy(context, [backend.port], { maxRequestsPerConnection: 3 });
  for (let round = 0; round < 7; round += 1) assert.match(await exchange(harness.port, CLOSING), /ok$/);
  assert.deepEqual([...perSession.values()], [3, 3, 1]);
  assert.equal(harness.count('upstream_open_connections'), 1);
});

test('an unused connection is closed when its time is over, and the backend is told so', async (context) => {
  const backend = await http2Backend(context, saying('ok'));
  const harness = await http2Proxy(context, [backend.port], { idleTimeoutMs: 50 });
  const goodbye = new Promise<number>((resolve) => {
    const look = (): void => {
      if (backend.sessions[0] === undefined) setImmediate(look);
      else backend.sessions[0].on('goaway', (code: number) => resolve(code));
    };
    look();
  });
  await exchange(harness.port, CLOSING);
  assert.equal(await goodbye, 0);
  while (harness.count('upstream_open_connections') > 0) await turn();
});

test('an endpoint that is removed finishes what it has and gets nothing new', async (context) => {
  const [old, young] = [await holding(context), await http2Backend(context, saying('new'))];
  const harness = await http2Proxy(context, [old.port]);
  const waiting = clients(context, harness.port, 5);
  while (old.held.length < 5) await turn();
  harness.change(
    [{ kind: 'endpoint', value: endpoint(young.port) }],
    [`endpoint/default/api/127.0.0.1:${old.port}`],
  );
  assert.match(await exchange(harness.port, CLOSING), /new$/);
  old.release();
  await answered(waiting);
  assert.equal(old.count(), 5);
  while (harness.count('upstream_open_connections') > 1) await turn();
});

test('requests wait where the limits leave no room, and are told when they wait too long', async (context) => {
  const backend = await holding(context, { maxConcurrentStreams: 2 });
  const limits = new SharedArrayBuffer(limitBytes(2));
  const settings = { maxConnections: 1, maxPendingRequests: 3, pendingTimeoutMs: 60_000 };
  const harness = await http2Proxy(context, [backend.port], settings, { limits });
  const first = clients(context, harness.port, 2);
  while (backend.held.length < 2) await turn();
  const waiting = clients(context, harness.port, 3);
  while (harness.dataplane.report('whole').clusters[0]!.pendingRequests < 3) await turn();
  assert.match(await exchange(harness.port, CLOSING), /^HTTP\/1\.1 503 [\s\S]*pending_limit/);
  backend.release();
  await answered([...first, ...waiting]);
  assert.equal(backend.sessions.length, 1);
});

test('who waits too long is told', async (context) => {
  const backend = await holding(context, { maxConcurrentStreams: 1 });
  const harness = await http2Proxy(context, [backend.port], { maxConnections: 1, pendingTimeoutMs: 60 });
  clients(context, harness.port, 1);
  while (backend.held.length < 1) await turn();
  assert.match(await exchange(harness.port, CLOSING), /^HTTP\/1\.1 503 [\s\S]*pending_timeout/);
});

test('a worker gives its connection to another whose requests wait', { timeout: 30_000 }, async (context) => {
  const backend = await http2Backend(context, (stream, headers) =>
    setTimeout(() => saying('ok')(stream, headers), 2),
  );
  const limits = new SharedArrayBuffer(limitBytes(2));
  const settings = { maxConnections: 1, maxPendingRequests: 100, pendingTimeoutMs: 60_000 };
  const one = await http2Proxy(context, [backend.port], settings, { limits, worker: 0 });
  const other = await http2Proxy(context, [backend.port], settings, { limits, worker: 1 });
  let isOver = false;
  const busy = (async () => {
    while (!isOver) await exchange(one.port, CLOSING);
  })();
  while (backend.count() < 5) await turn();
  assert.match(await exchange(other.port, CLOSING), /ok$/);
  isOver = true;
  await busy;
});

test('a drain waits for streams, and then says so', async (context) => {
  const backend = await holding(context);
  const harness = await http2Proxy(context, [backend.port]);
  const waiting = clients(context, harness.port, 3);
  while (backend.held.length < 3) await turn();
  harness.dataplane.drainPool('default/api');
  assert.ok(!harness.notifications.some(({ type }) => type === 'pool.drained'));
  backend.release();
  await answered(waiting);
  await harness.notified('pool.drained');
  while (harness.count('upstream_open_connections') > 0) await turn();
});

test('a cluster that is shut cuts its streams', async (context) => {
  const backend = await holding(context);
  const harness = await http2Proxy(context, [backend.port]);
  const waiting = clients(context, harness.port, 3);
  while (backend.held.length < 3) await turn();
  assert.equal(harness.dataplane.closePool('default/api'), 3);
  for (const client of waiting) await client.untilText('HTTP/1.1 503');
  assert.equal(harness.count('upstream_open_connections'), 0);
});

test('connections are made ahead of need, and kept', async (context) => {
  const backend = await http2Backend(context, saying('ok'));
  const harness = await http2Proxy(context, [backend.port], { warmConnections: 2, idleTimeoutMs: 100 });
  while (backend.sessions.length < 2) await turn();
  await exchange(harness.port, CLOSING);
  backend.sessions[0]!.destroy();
  while (backend.sessions.length < 3) await turn();
  assert.match(await exchange(harness.port, CLOSING), /ok$/);
});

for (const lbPolicy of ['LeastRequest', 'P2C'] as const)
  test(`${lbPolicy} counts streams, not connections`, async (context) => {
    const backends = [await holding(context), await http2Backend(context, saying('quick'))] as const;
    const harness = await http2Proxy(context, [backends[0].port, backends[1].port], { lbPolicy });
    clients(context, harness.port, 40);
    while (backends[0].held.length === 0) await turn();
    for (let round = 0; round < 40; round += 1) await exchange(harness.port, CLOSING);
    // The one that answers nothing soon has more under way than the other ever has.
    assert.ok(backends[0].count() <= 20, `${backends[0].count()} at the one that is slow`);
    backends[0].release();
  });

test('a cluster that changes its protocol loses no request', async (context) => {
  const http1 = await rawBackend(context, answering(OK));
  const http2 = await holding(context);
  const harness = await http2Proxy(context, [http2.port]);
  const waiting = clients(context, harness.port, 2);
  while (http2.held.length < 2) await turn();
  const change = (protocol: 'HTTP1' | 'HTTP2', to: number, from: number): void => {
    const value = cluster({ protocol });
    harness.change(
      [
        { kind: 'cluster', value },
        { kind: 'endpoint', value: endpoint(to) },
      ],
      [`endpoint/default/api/127.0.0.1:${from}`],
    );
    harness.dataplane.openPool(value, 16);
  };
  change('HTTP1', http1.port, http2.port);
  assert.match(await exchange(harness.port, CLOSING), /ok$/);
  http2.release();
  await answered(waiting);
  change('HTTP2', http2.port, http1.port);
  assert.match(await exchange(harness.port, CLOSING), /ok$/);
  assert.equal(http1.received.length, 1);
  assert.equal(http2.count(), 3);
});
