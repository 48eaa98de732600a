import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { test } from 'node:test';
import { GRPC_STATUS } from '../../src/model/grpc-status.ts';
import type { RouteRule } from '../../src/model/route.ts';
import type { Harness } from '../dataplane/harness.ts';
import { cluster, route, rule, startProxy, withHttp } from '../dataplane/harness.ts';
import { answerOf } from '../dataplane/http2-client.ts';
import { caller, message, messages, scriptedBackend, status } from './peers.ts';

const RETRY: NonNullable<RouteRule['retry']> = {
  attempts: 2,
  conditions: ['GRPCStatus'],
  codes: [],
  grpcCodes: [GRPC_STATUS.UNAVAILABLE],
  methods: 'All',
  backoffMs: 0,
  maxBackoffMs: 0,
};

function proxy(
  context: TestContext,
  ports: readonly number[],
  overrides: Partial<RouteRule> = {},
  clusterOverrides: Parameters<typeof cluster>[0] = {},
): Promise<Harness> {
  return startProxy(context, ports, {
    more: [
      { kind: 'cluster', value: cluster({ protocol: 'HTTP2', ...clusterOverrides }) },
      { kind: 'route', value: route({ rules: [rule(overrides)] }) },
    ],
  });
}

/** A backend that answers nothing. */
const silence = (): void => {};

test('what NovaEdge answers itself is trailers alone, with a status of gRPC', async (context) => {
  const backend = await scriptedBackend(context, silence);
  const matches = [
    { path: { type: 'PathPrefix', value: '/service' }, method: null, headers: [], queryParams: [] },
  ];
  const harness = await proxy(context, [backend.port], {
    matches: matches as RouteRule['matches'],
    bodyBytes: 100,
  });
  const { call } = caller(context, harness.port);
  for (const [headers, body, code, reason] of [
    [{ ':path': '/nobody/Method' }, 'x', 'UNIMPLEMENTED', 'route_not_found'],
    [{}, Buffer.alloc(101), 'RESOURCE_EXHAUSTED', 'body_too_large'],
    [
      { 'content-type': 'application/grpc+proto; a=b' },
      Buffer.alloc(101),
      'RESOURCE_EXHAUSTED',
      'body_too_large',
    ],
  ] as const) {
    const answered = await call(headers as Record<string, string>, body);
    assert.equal(answered.headers[':status'], 200);
    assert.equal(answered.headers['content-type'], 'application/grpc');
    assert.equal(answered.headers['grpc-status'], String(GRPC_STATUS[code]));
    assert.match(String(answered.headers['grpc-message']), new RegExp(reason));
    assert.equal(answered.headers['x-novaedge-reason'], reason);
    assert.equal(answered.body.length, 0);
    assert.equal(answered.trailers, null);
  }
  // Who does not call gRPC reads a status of HTTP.
  const plain = await call({ 'content-type': 'application/json' }, Buffer.alloc(101));
  assert.equal(plain.headers[':status'], 413);
  assert.equal(plain.headers['grpc-status'], undefined);
  assert.match(plain.body.toString(), /body_too_large/);
});

test('nobody to ask is UNAVAILABLE', async (context) => {
  const harness = await proxy(context, []);
  const answered = await caller(context, harness.port).call({}, message('a'));
  assert.equal(answered.headers['grpc-status'], String(GRPC_STATUS.UNAVAILABLE));
  assert.equal(answered.headers['x-novaedge-reason'], 'no_healthy_endpoint');
  assert.equal(harness.count('grpc_responses', { route: 'default/all', code: 'UNAVAILABLE' }), 1);
});

test("the client's deadline ends a call that nobody answers, and is the backend's too", async (context) => {
  const backend = await scriptedBackend(context, silence);
  const harness = await proxy(context, [backend.port]);
  const answered = await caller(context, harness.port).call({ 'grpc-timeout': '80m' }, message('a'));
  assert.equal(answered.headers['grpc-status'], String(GRPC_STATUS.DEADLINE_EXCEEDED));
  assert.equal(answered.headers['x-novaedge-reason'], 'deadline_exceeded');
  assert.match(String(backend.asked[0]!.headers['grpc-timeout']), /^\d{8}[um]$/);
  assert.equal(harness.count('grpc_responses', { code: 'DEADLINE_EXCEEDED' }), 1);
});

test("the rule's limit holds where it is shorter, and is no word of the client's", async (context) => {
  const backend = await scriptedBackend(context, silence);
  const harness = await proxy(context, [backend.port], { requestTimeoutMs: 60 });
  const { call } = caller(context, harness.port);
  for (const headers of [{}, { 'grpc-timeout': '1H' }] as Record<string, string>[]) {
    const answered = await call(headers, message('a'));
    assert.equal(answered.headers['grpc-status'], String(GRPC_STATUS.UNAVAILABLE));
    assert.equal(answered.headers['x-novaedge-reason'], 'upstream_timeout');
  }
  assert.equal(backend.asked[0]!.headers['grpc-timeout'], undefined);
  // Not the hour that the client has: the call will not be waited for.
  assert.match(String(backend.asked[1]!.headers['grpc-timeout']), /^000\d{5}u$/);
});

test('the access log has the status of a call, and of no other request', async (context) => {
  const directory = mkdtempSync(join(tmpdir(), 'grpc-'));
  context.after(() => rmSync(directory, { recursive: true }));
  const accessLog = join(directory, 'access.log');
  const backend = await scriptedBackend(context, messages(['a'], GRPC_STATUS.ABORTED));
  const harness = await startProxy(context, [backend.port], {
    accessLog,
    more: [{ kind: 'cluster', value: cluster({ protocol: 'HTTP2' }) }],
  });
  const { call } = caller(context, harness.port);
  await call({}, message('a'));
  await call({ 'content-type': 'application/json' }, 'a');
  const lines = () => readFileSync(accessLog, 'utf8').split('\n').filter(Boolean);
  while (lines().length < 2) await new Promise((resolve) => setTimeout(resolve, 5));
  assert.deepEqual(
    lines().map((line) => JSON.parse(line).grpcStatus),
    ['ABORTED', undefined],
  );
});

test('what is no timeout goes through as it is and limits nothing', async (context) => {
  const backend = await scriptedBackend(context, status(0));
  const harness = await proxy(context, [backend.port]);
  const { call } = caller(context, harness.port);
  for (const value of ['soon', '123456789m', '-1S']) {
    assert.equal((await call({ 'grpc-timeout': value }, message('a'))).headers['grpc-status'], '0');
    assert.equal(backend.asked.at(-1)!.headers['grpc-timeout'], value);
  }
});

test('a deadline that passes within an answer ends it by trailers', async (context) => {
  const backend = await scriptedBackend(context, (stream) => {
    stream.respond({ ':status': 200, 'content-type': 'application/grpc' });
    stream.write(message('first'));
  });
  const harness = await proxy(context, [backend.port]);
  const answered = await caller(context, harness.port).call({ 'grpc-timeout': '80m' }, message('a'));
  assert.deepEqual(answered.body, message('first'));
  assert.equal(answered.trailers?.['grpc-status'], String(GRPC_STATUS.DEADLINE_EXCEEDED));
  assert.equal(answered.trailers?.['x-novaedge-reason'], 'deadline_exceeded');
  assert.equal(answered.code, 0);
});

test('what is left of a deadline goes to each backend that is asked', async (context) => {
  const backend = await scriptedBackend(context, status(GRPC_STATUS.UNAVAILABLE), status(0));
  const harness = await proxy(context, [backend.port], {
    retry: { ...RETRY, backoffMs: 120, maxBackoffMs: 120 },
  });
  const answered = await caller(context, harness.port).call({ 'grpc-timeout': '60S' }, message('a'));
  assert.equal(answered.headers['grpc-status'], '0');
  const [first, second] = backend.asked.map(({ headers }) =>
    Number.parseInt(String(headers['grpc-timeout']), 10),
  );
  // In milliseconds; the pause is at least half of 120.
  assert.ok(first! <= 60_000 && first! > 50_000, String(first));
  assert.ok(second! <= first! - 60, `${first} ${second}`);
});

test('a status that is named is asked for again, whole as it was; others are not', async (context) => {
  const backend = await scriptedBackend(
    context,
    status(GRPC_STATUS.UNAVAILABLE),
    status(GRPC_STATUS.UNAVAILABLE),
    messages(['done']),
    status(GRPC_STATUS.INTERNAL),
  );
  const harness = await proxy(context, [backend.port], { retry: RETRY });
  const { call } = caller(context, harness.port);
  const answered = await call({}, message('asked'));
  assert.deepEqual(answered.body, message('done'));
  assert.equal(answered.trailers?.['grpc-status'], '0');
  assert.equal(backend.asked.length, 3);
  for (const { body } of backend.asked) assert.deepEqual(await body, message('asked'));
  assert.equal(harness.count('upstream_retries', { reason: 'grpc_status' }), 2);
  assert.equal((await call({}, message('asked'))).headers['grpc-status'], String(GRPC_STATUS.INTERNAL));
  assert.equal(backend.asked.length, 4);
  assert.equal(harness.count('grpc_responses', { code: 'OK' }), 1);
  assert.equal(harness.count('grpc_responses', { code: 'INTERNAL' }), 1);
  assert.equal(harness.count('grpc_responses'), 2);
});

test('a call is a POST: it is made again only where the user says that it does no harm', async (context) => {
  const backend = await scriptedBackend(context, status(GRPC_STATUS.UNAVAILABLE));
  const harness = await proxy(context, [backend.port], { retry: { ...RETRY, methods: 'Idempotent' } });
  await caller(context, harness.port).call({}, message('asked'));
  assert.equal(backend.asked.length, 1);
});

test('a status behind messages is the answer', async (context) => {
  const backend = await scriptedBackend(context, messages(['one'], GRPC_STATUS.UNAVAILABLE));
  const harness = await proxy(context, [backend.port], { retry: RETRY });
  const answered = await caller(context, harness.port).call({}, message('asked'));
  assert.equal(answered.trailers?.['grpc-status'], String(GRPC_STATUS.UNAVAILABLE));
  assert.equal(backend.asked.length, 1);
  assert.equal(harness.count('grpc_responses', { code: 'UNAVAILABLE' }), 1);
});

test('a request that is still being sent is not made again', async (context) => {
  const backend = await scriptedBackend(context, status(GRPC_STATUS.UNAVAILABLE));
  const harness = await proxy(context, [backend.port], { retry: RETRY });
  const stream = caller(context, harness.port).open({});
  const answered = answerOf(stream);
  stream.write(message('first'));
  assert.equal((await answered).headers['grpc-status'], String(GRPC_STATUS.UNAVAILABLE));
  assert.equal(backend.asked.length, 1);
});

test('an answer that breaks off after messages ends by trailers that say so', async (context) => {
  const backend = await scriptedBackend(context, (stream) => {
    stream.respond({ ':status': 200, 'content-type': 'application/grpc' });
    stream.write(message('first'), () => stream.session?.destroy());
  });
  const harness = await proxy(context, [backend.port]);
  const answered = await caller(context, harness.port).call({}, message('a'));
  assert.equal(answered.trailers?.['grpc-status'], String(GRPC_STATUS.UNAVAILABLE));
  assert.equal(answered.trailers?.['x-novaedge-reason'], 'upstream_reset');
  assert.equal(harness.count('grpc_responses', { code: 'UNAVAILABLE' }), 1);
});

test('a client that takes a call back counts as CANCELLED', async (context) => {
  const backend = await scriptedBackend(context, silence);
  const harness = await proxy(context, [backend.port]);
  const stream = caller(context, harness.port).open({});
  stream.on('error', () => {});
  stream.write(message('a'));
  while (backend.asked.length === 0) await new Promise(setImmediate);
  stream.close(8);
  await once(stream, 'close');
  while (harness.count('grpc_responses', { code: 'CANCELLED' }) === 0) await new Promise(setImmediate);
});

test('a status that no such number has, and none at all, count as UNKNOWN', async (context) => {
  const backend = await scriptedBackend(context, status(99), (stream) => {
    stream.respond({ ':status': 200, 'content-type': 'application/grpc' });
    stream.end(message('a'));
  });
  const harness = await proxy(context, [backend.port]);
  const { call } = caller(context, harness.port);
  assert.equal((await call({})).headers['grpc-status'], '99');
  await call({});
  assert.equal(harness.count('grpc_responses', { code: 'UNKNOWN' }), 2);
});

test('a call may say nothing for longer than a body may', async (context) => {
  const backend = await scriptedBackend(context, (stream) => {
    stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
    stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }));
    stream.on('end', () => stream.end());
  });
  const harness = await startProxy(context, [backend.port], {
    listener: withHttp({ bodyIdleMs: 20, requestMs: 60 }),
    timeouts: { backend: 20, backendBody: 20 },
    more: [{ kind: 'cluster', value: cluster({ protocol: 'HTTP2' }) }],
  });
  const { open, call } = caller(context, harness.port);
  const stream = open({});
  const answered = answerOf(stream);
  stream.write(message('a'));
  // A request that is no call is given up meanwhile: by then the call has outlived each limit.
  const other = open({ 'content-type': 'text/plain' });
  const given = answerOf(other);
  other.write('a');
  await given;
  assert.equal(
    (await call({ 'content-type': 'text/plain', ':method': 'POST' }, 'x')).headers[':status'],
    200,
  );
  stream.end();
  assert.equal((await answered).trailers?.['grpc-status'], '0');
});
