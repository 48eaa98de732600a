import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { test } from 'node:test';
import { REQUEST_BLOCK_BYTES } from '../../src/dataplane/client/outgoing-request.ts';
import type { RetryBudget } from '../../src/model/cluster.ts';
import type { RetryPolicy } from '../../src/model/route.ts';
import type { Harness } from './harness.ts';
import { cluster, endpoint, route, rule, start } from './harness.ts';
import type { RawBackend } from './raw.ts';
import { exchange, OK, RawClient, rawBackend } from './raw.ts';

const GET = 'GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n';
const BUSY = 'HTTP/1.1 503 Busy\r\nContent-Length: 4\r\nX-From: busy\r\n\r\nbusy';
const POST = 'POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 5\r\n\r\nhello';

const POLICY: RetryPolicy = {
  attempts: 2,
  conditions: ['Reset', 'Timeout', 'Status'],
  codes: [503],
  grpcCodes: [],
  methods: 'Idempotent',
  backoffMs: 0,
  maxBackoffMs: 0,
};

interface Options {
  readonly retry?: Partial<RetryPolicy> | null;
  readonly backendTimeoutMs?: number;
  readonly requestTimeoutMs?: number;
  readonly budget?: RetryBudget;
  readonly accessLog?: string;
}

async function proxy(
  context: TestContext,
  backends: readonly { readonly port: number }[],
  { retry = {}, budget, accessLog, ...times }: Options = {},
): Promise<Harness> {
  const harness = await start({
    resources: [
      { kind: 'cluster', value: cluster(budget === undefined ? {} : { retryBudget: budget }) },
      ...backends.map(({ port }) => ({ kind: 'endpoint', value: endpoint(port) }) as const),
      {
        kind: 'route',
        value: route({ rules: [rule({ retry: retry === null ? null : { ...POLICY, ...retry }, ...times })] }),
      },
    ],
    ...(accessLog === undefined ? {} : { accessLog }),
  });
  context.after(() => harness.dataplane.shutdown());
  return harness;
}

/** Answers each request as the next of `answers` says, the last for ever: bytes, `reset`, `close` or `silence`. */
async function scripted(
  context: TestContext,
  ...answers: readonly string[]
): Promise<RawBackend & { asked: number }> {
  let pending = '';
  const backend = await rawBackend(context, (socket, bytes) => {
    pending += bytes.toString('latin1');
    for (let end = pending.indexOf('\r\n\r\n'); end !== -1; end = pending.indexOf('\r\n\r\n')) {
      const length = Number(/content-length: (\d+)/i.exec(pending.slice(0, end))?.[1] ?? 0);
      if (pending.length < end + 4 + length) return;
      pending = pending.slice(end + 4 + length);
      const answer = answers[Math.min(result.asked, answers.length - 1)]!;
      result.asked += 1;
      if (answer === 'reset') socket.resetAndDestroy();
      else if (answer === 'close') socket.end('HTTP/1.1 200 O');
      else if (answer !== 'silence') socket.write(answer);
    }
  });
  const result = { ...backend, asked: 0 };
  return result;
}

test('an answer with a listed status is withheld, and the request goes to an endpoint that was not tried', async (context) => {
  const backends = [
    await scripted(context, BUSY),
    await scripted(context, BUSY),
    await scripted(context, OK),
  ];
  const harness = await proxy(context, backends);
  for (let turn = 0; turn < 6; turn += 1)
    assert.match(await exchange(harness.port, GET), /^HTTP\/1\.1 200 .*ok$/s);
  assert.equal(backends[2]!.asked, 6);
  assert.equal(
    harness.count('upstream_retries', { reason: 'status' }),
    backends[0]!.asked + backends[1]!.asked,
  );
  assert.ok(backends[0]!.asked > 0 && backends[1]!.asked > 0);
});

test('the answer of the last attempt goes through as it is', async (context) => {
  const backend = await scripted(context, BUSY);
  const harness = await proxy(context, [backend]);
  assert.match(await exchange(harness.port, GET), /^HTTP\/1\.1 503 .*X-From: busy.*busy$/s);
  assert.equal(backend.asked, 3);
  // What was withheld has been read to its end, so that its connection could serve again.
  assert.ok(backend.connections.length <= 2, `${backend.connections.length} connections`);
});

test('a withheld answer without an end, or too long to be read, costs its connection alone', async (context) => {
  const open = 'HTTP/1.1 503 Busy\r\n\r\nbusy';
  const long = `HTTP/1.1 503 Busy\r\nContent-Length: 1000000\r\n\r\n${'x'.repeat(200_000)}`;
  const backend = await scripted(context, open, long, OK);
  const harness = await proxy(context, [backend]);
  assert.match(await exchange(harness.port, GET), /^HTTP\/1\.1 200 .*ok$/s);
  assert.equal(backend.connections.length, 3);
});

for (const [name, reason, answer] of [
  ['broke before an answer', 'reset', 'reset'],
  ['broke in the middle of the head', 'reset', 'close'],
  ['was silent', 'timeout', 'silence'],
] as const)
  test(`a connection that ${name} is left for another`, async (context) => {
    const backend = await scripted(context, answer, OK);
    const harness = await proxy(context, [backend], { backendTimeoutMs: 50 });
    assert.match(await exchange(harness.port, GET), /^HTTP\/1\.1 200 .*ok$/s);
    assert.equal(harness.count('upstream_retries', { reason }), 1);
  });

test('conditions that are not named, and requests without a policy, are not tried again', async (context) => {
  for (const [retry, answers] of [
    [null, ['reset', OK]],
    [{ conditions: ['Timeout', 'Status'] }, ['reset', OK]],
    [{ conditions: ['Reset', 'Status'] }, ['silence', OK]],
    [{ conditions: ['Reset', 'Timeout'] }, [BUSY, OK]],
    [{ codes: [500] }, [BUSY, OK]],
    [{ attempts: 0 }, [BUSY, OK]],
  ] as const) {
    const backend = await scripted(context, ...answers);
    const harness = await proxy(context, [backend], { retry, backendTimeoutMs: 50 });
    assert.match(await exchange(harness.port, GET), /^HTTP\/1\.1 50[234] /);
    assert.equal(backend.asked, 1, JSON.stringify(retry));
  }
});

test('what is not idempotent is tried again only where the user says that it does no harm', async (context) => {
  const careful = await scripted(context, BUSY, OK);
  assert.match(await exchange((await proxy(context, [careful])).port, POST), /^HTTP\/1\.1 503 /);
  assert.equal(careful.asked, 1);
  const careless = await scripted(context, BUSY, OK);
  const harness = await proxy(context, [careless], { retry: { methods: 'All' } });
  assert.match(await exchange(harness.port, POST), /^HTTP\/1\.1 200 /);
  assert.equal(careless.received.join('').split('\r\n\r\nhello').length, 3, 'the body was sent again');
});

test('a body that comes piece by piece is sent again whole, chunked or not, as far as it fits', async (context) => {
  const body = 'x'.repeat(3000);
  const chunked = 'PUT / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n';
  const sized = (length: number) =>
    `PUT / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: ${length}\r\n\r\n`;
  for (const [head, pieces, last, sent] of [
    [chunked, [`bb8\r\n${body}\r\n`, `bb8\r\n${body}\r\n`], '0\r\n\r\n', 2],
    [sized(6000), [body], body, 2],
    [sized(REQUEST_BLOCK_BYTES), [body], 'y'.repeat(REQUEST_BLOCK_BYTES - 3000), 1],
  ] as const) {
    let asked = 0;
    const backend = await rawBackend(context, (socket, bytes) => {
      if (!/(0\r\n\r\n|[^x]x{3000}x{3000}|y)$/.test(backend.received.at(-1)!) || bytes.length === 0) return;
      asked += 1;
      socket.write(asked === 1 ? BUSY : OK);
    });
    const harness = await proxy(context, [backend]);
    const client = new RawClient(harness.port).send(head);
    for (const piece of [...pieces, last]) {
      const before = backend.received.join('').length;
      client.send(piece);
      if (piece !== last)
        while (backend.received.join('').length < before + 3000) await new Promise(setImmediate);
    }
    await client.untilOver();
    assert.match(client.text, sent === 2 ? /^HTTP\/1\.1 200 / : /^HTTP\/1\.1 503 .*busy$/s);
    const requests = backend.received.join('').split('PUT / HTTP/1.1').slice(1);
    assert.equal(requests.length, sent);
    const decoded = (text: string) => text.replace(/\r\n[0-9a-f]+\r\n/g, '').split('x').length - 1;
    for (const request of requests) assert.equal(decoded(request), decoded(requests[0]!));
  }
});

test('nothing is tried again once an answer has begun to go to the client', async (context) => {
  const half = 'HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf';
  const backend = await rawBackend(context, (socket) => {
    socket.write(half, () => setTimeout(() => socket.resetAndDestroy(), 20));
  });
  const harness = await proxy(context, [backend]);
  const client = new RawClient(harness.port).send(GET);
  await client.untilOver();
  assert.match(client.text, /half$/);
  assert.equal(backend.received.length, 1);
});

test('no connection is a reset that nothing was sent on: tried by itself, then by the policy, also for POST', async (context) => {
  const free = await rawBackend(context, () => {});
  free.close();
  const by = async (retry: Partial<RetryPolicy> | null, attempts: number) => {
    const harness = await proxy(context, [free], { retry });
    const text = await exchange(harness.port, POST);
    assert.match(text, /^HTTP\/1\.1 502 .*x-novaedge-reason: upstream_connect_failed/s);
    assert.match(text, new RegExp(`x-novaedge-attempts: ${attempts}\r\n`));
    assert.equal(harness.count('upstream_retries', { reason: 'connect_failed' }), attempts - 1);
  };
  await by(null, 3);
  await by({}, 5);
  await by({ conditions: ['Status'] }, 3);
});

test('between attempts there is a pause, and the limit for the whole request holds for them too', async (context) => {
  const backend = await scripted(context, BUSY);
  const harness = await proxy(context, [backend], {
    retry: { attempts: 100, backoffMs: 20, maxBackoffMs: 60 },
    requestTimeoutMs: 400,
  });
  assert.match(await exchange(harness.port, GET), /^HTTP\/1\.1 50[34] /);
  // A pause is 10 to 60 ms, or the next tick: of a hundred attempts but some fit.
  assert.ok(backend.asked >= 2 && backend.asked <= 20, `${backend.asked} attempts`);
  // Where the next attempt would come too late the answer at hand goes through, at once.
  const late = await scripted(context, BUSY);
  const other = await proxy(context, [late], {
    retry: { backoffMs: 600_000, maxBackoffMs: 600_000 },
    requestTimeoutMs: 60_000,
  });
  assert.match(await exchange(other.port, GET), /^HTTP\/1\.1 503 .*busy$/s);
  assert.equal(late.asked, 1);
});

test('a client that goes while its request waits to be sent again leaves nothing behind', async (context) => {
  const backend = await scripted(context, BUSY);
  const harness = await proxy(context, [backend], { retry: { backoffMs: 60_000, maxBackoffMs: 60_000 } });
  const client = new RawClient(harness.port).send(GET);
  while (harness.count('upstream_retries') === 0) await new Promise(setImmediate);
  assert.equal(harness.count('active_connections'), 1);
  client.socket.resetAndDestroy();
  while (harness.count('active_connections') > 0) await new Promise(setImmediate);
  harness.dataplane.drainPool('default/api');
  await harness.notified('pool.drained');
});

test('a request that waits to be sent again is in flight: its pool drains after it', async (context) => {
  const backend = await scripted(context, BUSY, OK);
  const harness = await proxy(context, [backend], { retry: { backoffMs: 200, maxBackoffMs: 200 } });
  const client = new RawClient(harness.port).send(GET);
  while (harness.count('upstream_retries') === 0) await new Promise(setImmediate);
  harness.dataplane.drainPool('default/api');
  assert.ok(!harness.notifications.some(({ type }) => type === 'pool.drained'));
  await client.untilText('ok');
  await harness.notified('pool.drained');
});

test("retries beyond the cluster's budget are refused, counted, and the failure answered as it is", async (context) => {
  const backend = await scripted(context, BUSY);
  const harness = await proxy(context, [backend], {
    budget: { percent: 50, intervalMs: 3_600_000, minPerSecond: 0 },
    retry: { attempts: 1 },
  });
  for (let turn = 0; turn < 10; turn += 1) assert.match(await exchange(harness.port, GET), /busy$/);
  assert.equal(harness.count('upstream_retries'), 5);
  assert.equal(harness.count('upstream_retries_refused'), 5);
  assert.equal(backend.asked, 15);
});

test('Retry-After is the word of one endpoint: another is asked, that one is not', async (context) => {
  const later = BUSY.replace('X-From', 'Retry-After: 7\r\nX-From');
  const alone = await scripted(context, later, OK);
  assert.match(
    await exchange((await proxy(context, [alone])).port, GET),
    /^HTTP\/1\.1 503 .*Retry-After: 7/s,
  );
  assert.equal(alone.asked, 1);
  const one = await scripted(context, later);
  const other = await scripted(context, OK);
  const harness = await proxy(context, [one, other]);
  for (let turn = 0; turn < 2; turn += 1) assert.match(await exchange(harness.port, GET), /^HTTP\/1\.1 200 /);
});

test('the access log says how often a request was sent', async (context) => {
  const directory = mkdtempSync(join(tmpdir(), 'retry-'));
  context.after(() => rmSync(directory, { recursive: true }));
  const accessLog = join(directory, 'access.log');
  const backend = await scripted(context, BUSY, OK, OK);
  const harness = await proxy(context, [backend], { accessLog });
  await exchange(harness.port, GET);
  await exchange(harness.port, GET);
  const lines = () => readFileSync(accessLog, 'utf8').split('\n').filter(Boolean);
  while (lines().length < 2) await new Promise((resolve) => setTimeout(resolve, 5));
  assert.deepEqual(
    lines().map((line) => JSON.parse(line).attempts),
    [2, 1],
  );
});
