import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { test } from 'node:test';
import { pino } from 'pino';
import type { AgentHandle } from '../../src/agent/agent.ts';
import {
  agent,
  busyPort,
  cluster,
  controller,
  everyWorker,
  FakeSource,
  freePort,
  get,
  listener,
  route,
  temporaryDirectory,
  until,
} from './harness.ts';

function createdAt(edge: AgentHandle, key: string): number | undefined {
  const resource = edge.admin.resources().get(key);
  return resource?.kind === 'route' ? resource.value.createdAt : undefined;
}

test('a snapshot goes into use on every worker, changes by itself and is acknowledged', async (t) => {
  const port = await freePort();
  const source = new FakeSource([listener('http', port), route('a', 1), cluster('backend')]);
  const control = await controller(source);
  t.after(() => control.stop());
  const edge = await agent(control.address, temporaryDirectory());
  t.after(() => edge.stop());

  await until('ready', () => edge.admin.readiness().ready);
  for (const answer of await everyWorker(port)) {
    assert.deepEqual(answer.routes, ['test/a@1']);
    assert.equal(answer.active, true);
  }
  source.change([route('a', 2), route('b', 1)]);
  const version = await until('acknowledged', () => {
    const [node] = control.admin.nodes();
    return node !== undefined &&
      node.acknowledged === node.wished &&
      edge.admin.resources().has('route/test/b')
      ? node.acknowledged
      : '';
  });
  for (const answer of await everyWorker(port)) assert.deepEqual(answer.routes, ['test/a@2', 'test/b@1']);

  const report = await edge.admin.report('whole');
  assert.equal(report.version, version);
  assert.equal(report.workers, 2);
  assert.deepEqual(
    report.listeners.map(({ name, state }) => [name, state]),
    [['test/web/http', 'listening']],
  );
  assert.deepEqual(
    report.clusters.map(({ name, breaker }) => [name, breaker]),
    [['test/backend', 'closed']],
  );
  assert.ok(report.totals['request_count{code="2xx"}']! >= 4);
  const addresses = report.actors.map((actor) => actor.address);
  assert.ok(addresses.includes('edge-1/dataplane-1/listener/test/web/http'));
  assert.ok(addresses.includes('edge-1/main/rollout'));
  for (const actor of report.actors)
    assert.ok(
      actor.parent === 'edge-1/host/agent' || addresses.includes(actor.parent!),
      `${actor.address} has a parent`,
    );
});

test('a listener that goes drains: the request in flight ends, new connections are refused', async (t) => {
  const [kept, going] = [await freePort(), await freePort()];
  const source = new FakeSource([listener('kept', kept), listener('going', going)]);
  const control = await controller(source);
  t.after(() => control.stop());
  const edge = await agent(control.address, temporaryDirectory(), { drainTimeoutMs: 60_000 });
  await until('ready', () => edge.admin.readiness().ready);
  await everyWorker(going);

  const inFlight = connect({ port: going, host: '127.0.0.1' });
  await new Promise((resolve) => inFlight.write('GET /slow HTTP/1.1\r\n\r\n', resolve));
  await until('accepted', async () =>
    (await edge.admin.report('whole')).listeners.some(
      (one) => one.name.endsWith('going') && one.openConnections > 0,
    ),
  );
  const states = async () =>
    (await edge.admin.report('whole')).actors.filter((one) =>
      one.address.includes('/listener/test/web/going'),
    );
  source.change([], ['listener/test/web/going']);
  await until('refused', async () => (await get(going)) === null);
  const draining = await until('one drains', async () => {
    const found = await states();
    return found.length === 1 ? found : null;
  });
  assert.equal(draining[0]!.state, 'draining');
  assert.equal(draining[0]!.reason, 'drain_requested');
  inFlight.end('GET / HTTP/1.1\r\n\r\n');
  inFlight.resume();
  await until('gone', async () => (await states()).length === 0);
  await everyWorker(kept);
  assert.deepEqual(await edge.stop(), { cut: 0 });
});

test('a busy port fails that listener alone, with object and reason, and heals when it is free', async (t) => {
  const free = await freePort();
  const busy = await busyPort();
  const source = new FakeSource([listener('free', free), listener('busy', busy.port), route('a', 1)]);
  const control = await controller(source);
  t.after(() => control.stop());
  const edge = await agent(control.address, temporaryDirectory());
  t.after(() => edge.stop());
  await until('ready', () => edge.admin.readiness().ready);
  for (const answer of await everyWorker(free)) assert.deepEqual(answer.routes, ['test/a@1']);
  const { failures } = await until('reported', async () => {
    const report = await edge.admin.report('whole');
    return report.failures.length > 0 ? report : null;
  });
  assert.deepEqual(
    failures.map(({ key, reason }) => [key, reason]),
    [['listener/test/web/busy', 'AddressInUse']],
  );
  assert.match(failures[0]!.message, new RegExp(`port ${busy.port} on 127.0.0.1: .*EADDRINUSE`));
  assert.equal(edge.admin.resources().has('listener/test/web/busy'), false);

  await busy.release();
  await until('healed', () => edge.admin.resources().has('listener/test/web/busy'));
  await everyWorker(busy.port);
  assert.deepEqual((await edge.admin.report('whole')).failures, []);
});

test('an object that a worker refuses keeps its last version everywhere; what chokes it harms no neighbour', async (t) => {
  const port = await freePort();
  const source = new FakeSource([listener('http', port), route('a', 1)]);
  const control = await controller(source);
  t.after(() => control.stop());
  const edge = await agent(control.address, temporaryDirectory());
  t.after(() => edge.stop());
  await until('ready', () => edge.admin.readiness().ready);

  source.change([route('bad', 1), route('a', 2)]);
  await until('committed', () => createdAt(edge, 'route/test/a') === 2);
  assert.equal(edge.admin.resources().has('route/test/bad'), false);
  for (const answer of await everyWorker(port)) assert.deepEqual(answer.routes, ['test/a@2']);

  source.change([route('poison', 1)]);
  const choked = await until('refused', async () =>
    (await edge.admin.report('whole')).failures.find((failure) => failure.key === 'route/test/poison'),
  );
  assert.equal(choked.reason, 'PrepareFailed');
  source.change([route('a', 3)], ['route/test/poison', 'route/test/bad']);
  await until('a is in use', () => createdAt(edge, 'route/test/a') === 3);
  assert.deepEqual((await edge.admin.report('whole')).failures, []);
  for (const answer of await everyWorker(port)) assert.deepEqual(answer.routes, ['test/a@3']);
});

test('a listener that moves to a busy port serves on at the old one, and moves when it is free', async (t) => {
  const port = await freePort();
  const busy = await busyPort();
  const source = new FakeSource([listener('http', port), route('a', 1)]);
  const control = await controller(source);
  t.after(() => control.stop());
  const edge = await agent(control.address, temporaryDirectory());
  t.after(() => edge.stop());
  await until('ready', () => edge.admin.readiness().ready);

  source.change([listener('http', busy.port), route('a', 2)]);
  const failure = await until('reported', async () => (await edge.admin.report('whole')).failures[0]);
  assert.equal(failure.reason, 'AddressInUse');
  for (const answer of await everyWorker(port)) assert.deepEqual(answer.routes, ['test/a@2']);

  await busy.release();
  await everyWorker(busy.port);
  assert.equal(await get(port), null);
  const states = (await edge.admin.report('whole')).actors.filter((one) =>
    one.address.includes('/listener/'),
  );
  assert.deepEqual(
    states.map(({ state }) => state),
    ['listening', 'listening'],
  );
});

test('a listener and a cluster that are wished again while they drain are back at once', async (t) => {
  const port = await freePort();
  const source = new FakeSource([listener('http', port), route('a', 1), cluster('backend')]);
  const control = await controller(source);
  t.after(() => control.stop());
  const edge = await agent(control.address, temporaryDirectory(), { drainTimeoutMs: 60_000 });
  await until('ready', () => edge.admin.readiness().ready);
  const slow = connect({ port, host: '127.0.0.1' });
  t.after(() => slow.destroy());
  await new Promise((resolve) => slow.write('GET /slow HTTP/1.1\r\n\r\n', resolve));
  await until('accepted', async () =>
    (await edge.admin.report('whole')).listeners.some((one) => one.openConnections > 0),
  );
  source.change([], ['listener/test/web/http', 'cluster/test/backend']);
  await until('gone', async () => (await get(port)) === null);
  source.change([listener('http', port), cluster('backend', 5)]);
  await everyWorker(port);
  assert.deepEqual((await edge.admin.report('whole')).failures, []);
  slow.destroy();
  await edge.stop();
});

for (const how of ['exit', 'throw', 'block'])
  test(`a worker that dies by ${how} is replaced with the current configuration; the other serves on`, async (t) => {
    const port = await freePort();
    const source = new FakeSource([listener('http', port), route('a', 1), cluster('backend')]);
    const control = await controller(source);
    t.after(() => control.stop());
    const edge = await agent(control.address, temporaryDirectory());
    t.after(() => edge.stop());
    await until('ready', () => edge.admin.readiness().ready);
    await everyWorker(port);
    source.change([route('a', 2)]);
    await until('changed', async () => (await get(port))?.routes[0] === 'test/a@2');
    const before = (await edge.admin.report('whole')).totals['request_count{code="2xx"}']!;

    assert.equal(await get(port, `/${how}`), null);
    await until('restarted', () => edge.admin.actorRestarts() > 0);
    for (const answer of await everyWorker(port)) assert.deepEqual(answer.routes, ['test/a@2']);
    await until('ready', () => edge.admin.readiness().ready);
    assert.ok(
      (await edge.admin.report('whole')).totals['request_count{code="2xx"}']! >= before + 2,
      'counters never fall back',
    );
  });

test('a cold start serves what served last, with no controller in reach', async (t) => {
  const port = await freePort();
  const directory = temporaryDirectory();
  const source = new FakeSource([listener('http', port), route('a', 7), route('bad', 1)]);
  const control = await controller(source);
  const first = await agent(control.address, directory);
  await until('ready', () => first.admin.readiness().ready);
  const { address } = control;
  await first.stop();
  await control.stop();
  assert.equal(await get(port), null);

  const second = await agent(address, directory);
  t.after(() => second.stop());
  await until('ready', () => second.admin.readiness().ready);
  for (const answer of await everyWorker(port)) assert.deepEqual(answer.routes, ['test/a@7']);
});

test('stop drains, cuts what is left after the timeout and says how much', async (t) => {
  const port = await freePort();
  const control = await controller(new FakeSource([listener('http', port)]));
  t.after(() => control.stop());
  const edge = await agent(control.address, temporaryDirectory());
  await until('ready', () => edge.admin.readiness().ready);
  await everyWorker(port);
  const sockets = [1, 2, 3].map(() => {
    const socket = connect({ port, host: '127.0.0.1' });
    socket.on('error', () => {});
    socket.write('GET /slow HTTP/1.1\r\n\r\n');
    return socket;
  });
  await until('all are open', async () => {
    const report = await edge.admin.report('whole');
    return report.listeners.reduce((sum, one) => sum + one.openConnections, 0) === 3;
  });
  const closed = Promise.all(sockets.map((socket) => new Promise((resolve) => socket.on('close', resolve))));
  assert.deepEqual(await edge.stop(), { cut: 3 });
  await closed;
  assert.equal(await get(port), null);
  const { ready, reasons } = edge.admin.readiness();
  assert.equal(ready, false);
  assert.match(reasons[0]!, /stopped/);
});

test('a contained exception of a worker is logged with its stack, and nothing is started again', async (t) => {
  const port = await freePort();
  const control = await controller(new FakeSource([listener('web', port)]));
  t.after(() => control.stop());
  const lines: string[] = [];
  const logger = pino({ level: 'error' }, { write: (line) => lines.push(line) });
  const edge = await agent(control.address, temporaryDirectory(), { logger });
  await until('ready', () => edge.admin.readiness().ready);
  assert.notEqual(await get(port, '/fault'), null);
  const line = await until('the log line', () => lines.find((one) => one.includes('oops')));
  const { worker, error, stack, count } = JSON.parse(line) as Record<string, unknown>;
  assert.ok(worker === 0 || worker === 1);
  assert.deepEqual({ error, stack, count }, { error: 'oops', stack: 'Error: oops\n    at here', count: 3 });
  assert.equal(edge.admin.actorRestarts(), 0);
  await edge.stop();
  assert.equal(lines.length, 1, 'the stop logs no error');
});
