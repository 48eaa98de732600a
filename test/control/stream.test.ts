import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import http2 from 'node:http2';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { isDeepStrictEqual } from 'node:util';
import { ChannelCredentials, Client } from '@grpc/grpc-js';
import { SnapshotStore } from '../../src/agent/snapshot-store.ts';
import type { ControllerOptions } from '../../src/control/controller.ts';
import { CHANNELS, type Pushed } from '../../src/model/channel.ts';
import { type AgentMessage, encodeAgentMessage } from '../../src/wire/snapshot/agent-message.ts';
import { CONFIG_STREAM_PATH } from '../../src/wire/snapshot/stream-options.ts';
import { fromUpdateParts, peekFrame } from '../../src/wire/snapshot/update.ts';
import { largeSet } from '../wire/snapshot/resources.ts';
import { eventually, gateway, nodeReport, TestAgent, TestSource, testController, vip } from './harness.ts';

async function setUp(t: TestContext, source: TestSource, more: Partial<ControllerOptions> = {}) {
  const controller = await testController(source, more);
  const agents: TestAgent[] = [];
  t.after(async () => {
    for (const agent of agents) agent.client.close();
    await controller.stop();
  });
  return {
    controller,
    agent: (node: string): TestAgent => {
      const agent = new TestAgent(controller.address, node);
      agents.push(agent);
      return agent;
    },
    wished: (node: string): string => controller.admin.nodes().find((each) => each.node === node)!.wished,
  };
}

test('a new agent gets the whole snapshot, then only what changes', async (t) => {
  const source = new TestSource([gateway('shop/a'), gateway('shop/b')]);
  const { agent, controller } = await setUp(t, source);
  const edge = agent('edge-1').connect();
  await edge.until(({ updates }) => updates.length === 1);
  assert.deepEqual(new Map(edge.store.resources), source.current().resources);
  assert.equal(edge.updates[0]!.changes.base, '');

  await eventually(() => controller.admin.nodes()[0]!.acknowledged === edge.store.version);
  const before = edge.store.version;
  source.put([gateway('shop/b', 'other')]);
  await edge.until(({ updates }) => updates.length === 2);
  source.remove('gateway/shop/a');
  await edge.until(({ updates }) => updates.length === 3);
  const [, second, third] = edge.updates.map(({ changes }) => changes);
  assert.deepEqual(
    [second!.base, second!.upserts, second!.removals],
    [before, [gateway('shop/b', 'other')], []],
  );
  assert.deepEqual([third!.upserts, third!.removals], [[], ['gateway/shop/a']]);
  assert.deepEqual(new Map(edge.store.resources), source.current().resources);
  assert.deepEqual(edge.problems, []);
});

test('an agent that comes back with a known version gets the difference, with an unknown one all', async (t) => {
  const source = new TestSource([gateway('shop/a'), gateway('shop/b')]);
  const { agent, wished } = await setUp(t, source);
  const edge = agent('edge-1').connect();
  await edge.until(({ updates }) => updates.length === 1);
  edge.client.close();
  source.put([gateway('shop/c')]);
  source.put([gateway('shop/d')]);
  source.remove('gateway/shop/a', 'gateway/shop/d');

  edge.connect();
  await edge.until(({ updates }) => updates.length === 2);
  const { base, upserts, removals } = edge.updates[1]!.changes;
  assert.notEqual(base, '');
  assert.deepEqual([upserts, removals], [[gateway('shop/c')], ['gateway/shop/a', 'gateway/shop/d']]);
  assert.deepEqual(new Map(edge.store.resources), source.current().resources);

  edge.client.close();
  edge.connect();
  await edge.until(({ updates }) => updates.length === 3);
  const empty = { base: wished('edge-1'), version: wished('edge-1'), upserts: [], removals: [] };
  assert.deepEqual(edge.updates[2]!.changes, empty);

  edge.client.close();
  edge.connect('a version of another controller');
  await edge.until(({ updates }) => updates.length === 4);
  assert.equal(edge.updates[3]!.changes.base, '');
  assert.equal(edge.updates[3]!.changes.upserts.length, 2);
  assert.deepEqual(edge.problems, []);
});

test('builds that come while an update is on its way leave as one update', async (t) => {
  const source = new TestSource([gateway('shop/a')]);
  const { agent } = await setUp(t, source);
  const edge = agent('edge-1');
  edge.answer = () => 'wait';
  edge.connect();
  await edge.until(({ updates }) => updates.length === 1);
  for (let index = 0; index < 50; index += 1) source.put([gateway('shop/a', `class-${index}`)]);
  source.put([gateway('shop/b'), gateway('shop/c')]);
  source.remove('gateway/shop/b');

  edge.answer = () => 'ack';
  const [first] = edge.updates;
  assert.ok(edge.store.apply(first!.changes).ok);
  edge.client.ack(first!.nonce, first!.changes.version);
  await edge.until(({ updates }) => updates.length === 2);
  const { upserts, removals } = edge.updates[1]!.changes;
  assert.deepEqual(upserts, [gateway('shop/a', 'class-49'), gateway('shop/c')]);
  assert.deepEqual(removals, ['gateway/shop/b']);
  assert.deepEqual(new Map(edge.store.resources), source.current().resources);
});

test('answers to nothing, or to another version, are ignored', async (t) => {
  const source = new TestSource([gateway('shop/a')]);
  const { agent, controller } = await setUp(t, source);
  const edge = agent('edge-1');
  edge.answer = () => 'wait';
  edge.connect();
  await edge.until(({ updates }) => updates.length === 1);
  const { nonce, changes } = edge.updates[0]!;
  edge.client.ack(nonce + 1, changes.version);
  edge.client.ack(nonce, 'another');
  edge.client.nack(nonce + 7, changes.version, [], true);
  edge.report = () => nodeReport('edge-1', '');
  await controller.admin.refresh();
  assert.equal(controller.admin.nodes()[0]!.acknowledged, '');
  edge.client.ack(nonce, changes.version);
  await eventually(() => controller.admin.nodes()[0]!.acknowledged === changes.version);
});

test('nodes get what their labels choose, and follow when selectors change', async (t) => {
  const source = new TestSource([
    gateway('shop/a'),
    vip('shop/east', '192.0.2.1/32'),
    vip('shop/all', '192.0.2.2/32'),
  ]);
  source.select(new Map([['vip/shop/east', { matchLabels: { zone: 'east' } }]]));
  const { agent } = await setUp(t, source);
  const east = agent('edge-east');
  east.labels = { zone: 'east', disk: 'ssd' };
  const west = agent('edge-west');
  west.labels = { zone: 'west' };
  east.connect();
  west.connect();
  await Promise.all([east, west].map((each) => each.until(({ updates }) => updates.length === 1)));
  const keys = (each: TestAgent): string[] => [...each.store.resources.keys()].sort();
  assert.deepEqual(keys(east), ['gateway/shop/a', 'vip/shop/all', 'vip/shop/east']);
  assert.deepEqual(keys(west), ['gateway/shop/a', 'vip/shop/all']);

  source.select(new Map([['vip/shop/east', { matchLabels: { zone: 'west' } }]]));
  await Promise.all([east, west].map((each) => each.until(({ updates }) => updates.length === 2)));
  assert.deepEqual(keys(east), ['gateway/shop/a', 'vip/shop/all']);
  assert.deepEqual(keys(west), ['gateway/shop/a', 'vip/shop/all', 'vip/shop/east']);
  assert.deepEqual(east.updates[1]!.changes.removals, ['vip/shop/east']);

  source.select(new Map());
  await east.until(({ updates }) => updates.length === 3);
  assert.equal(east.store.version, west.store.version);
  source.put([vip('shop/east', '192.0.2.9/32')]);
  await Promise.all([
    east.until(({ updates }) => updates.length === 4),
    west.until((each) => each.updates.length === 3),
  ]);
  assert.deepEqual(new Map(east.store.resources), new Map(west.store.resources));
  assert.deepEqual([...east.problems, ...west.problems], []);
});

test('of two agents with one name the newest is served and the older is told why', async (t) => {
  const source = new TestSource([gateway('shop/a')]);
  const { agent, controller } = await setUp(t, source);
  const older = agent('edge-1').connect();
  await older.until(({ updates }) => updates.length === 1);
  const newer = agent('edge-1').connect();
  await newer.until(({ updates }) => updates.length === 1);
  await older.until((each) => each.count('disconnected') === 1);
  assert.match(
    older.reason,
    /ABORTED: another agent connected as node "edge-1" from .*; the newest connection is served/,
  );
  source.put([gateway('shop/b')]);
  await newer.until(({ updates }) => updates.length === 2);
  assert.equal(older.updates.length, 1);
  assert.deepEqual(
    controller.admin.nodes().map(({ node, connected }) => [node, connected]),
    [['edge-1', true]],
  );
});

test('a refusal is answered with the whole snapshot after a pause that grows until an update is taken', async (t) => {
  const source = new TestSource([gateway('shop/a')]);
  const pauses: number[] = [];
  const { agent } = await setUp(t, source, {
    refusalBackoff: (refusals) => {
      pauses.push(refusals);
      return 1;
    },
  });
  const edge = agent('edge-1').connect();
  await edge.until(({ updates }) => updates.length === 1);
  edge.answer = ({ base }) => (base !== '' || pauses.length < 3 ? 'refuse' : 'ack');
  source.put([gateway('shop/b')]);
  await edge.until(({ updates }) => updates.length === 5);
  assert.deepEqual(
    edge.updates.map(({ changes }) => changes.base === ''),
    [true, false, true, true, true],
  );
  assert.deepEqual(pauses, [1, 2, 3]);
  assert.deepEqual(new Map(edge.store.resources), source.current().resources);
  source.put([gateway('shop/c')]);
  await edge.until(({ updates }) => updates.length === 6);
  await eventually(() => pauses.length === 4);
  assert.equal(pauses[3], 1);
});

test('a broken agent that connects again and again does not get past the pause', async (t) => {
  const source = new TestSource([gateway('shop/a')]);
  const { agent } = await setUp(t, source, { refusalBackoff: () => 3_600_000 });
  const edge = agent('edge-1');
  edge.answer = () => 'refuse';
  edge.connect();
  await edge.until(({ updates }) => updates.length === 1);
  const other = agent('edge-2').connect();
  await other.until(({ updates }) => updates.length === 1);
  for (let round = 1; round <= 5; round += 1) {
    edge.connect();
    await edge.until((each) => each.count('connected') === round + 1);
    source.put([gateway(`shop/more-${round}`)]);
    await other.until(({ updates }) => updates.length === round + 1);
  }
  assert.equal(edge.updates.length, 1);
});

test('reports are kept for each node and asked for on demand', async (t) => {
  const { agent, controller } = await setUp(t, new TestSource([gateway('shop/a')]));
  const edge = agent('edge-1');
  edge.report = () => nodeReport('edge-1', edge.store.version);
  edge.connect();
  await edge.until(({ updates }) => updates.length === 1);
  assert.equal(controller.admin.nodes()[0]!.report, null);
  await controller.admin.refresh();
  assert.deepEqual(controller.admin.nodes()[0]!.report, nodeReport('edge-1', edge.store.version));
  edge.client.close();
  await eventually(() => controller.admin.nodes()[0]!.connected === false);
  await controller.admin.refresh();
  assert.notEqual(controller.admin.nodes()[0]!.report, null);
});

test('a summary answers no request for the whole, and does not take its place while it is fresh', async (t) => {
  const { agent, controller } = await setUp(t, new TestSource([gateway('shop/a')]));
  const edge = agent('edge-1');
  const whole = () => nodeReport('edge-1', edge.store.version);
  const summary = () => ({ ...whole(), detail: 'summary' as const, workers: 7 });
  edge.report = summary;
  edge.connect();
  await edge.until(({ updates }) => updates.length === 1);
  const shown = () => controller.admin.nodes()[0]!.report;

  let refreshed = false;
  const refreshing = controller.admin.refresh().then(() => {
    refreshed = true;
  });
  await eventually(() => shown() !== null);
  assert.deepEqual(shown(), summary());
  assert.equal(refreshed, false);
  edge.client.report(whole());
  await refreshing;
  assert.deepEqual(shown(), whole());
  edge.client.report(summary());
  await controller.admin.refresh('edge-1');
  edge.report = whole;
  await controller.admin.refresh();
  assert.deepEqual(shown(), whole());
});

test('what was sent and what came back is published', async (t) => {
  const seen: Pushed[] = [];
  const take = (message: unknown): void => void seen.push(message as Pushed);
  subscribe(CHANNELS.pushed, take);
  t.after(() => unsubscribe(CHANNELS.pushed, take));
  const source = new TestSource([gateway('shop/a')]);
  const { agent } = await setUp(t, source, { refusalBackoff: () => 3_600_000 });
  const edge = agent('published').connect();
  await eventually(() => seen.length === 2);
  edge.answer = () => [{ key: 'gateway/shop/a', reason: 'Bad', message: 'bad' }];
  source.put([gateway('shop/b')]);
  await eventually(() => seen.length === 4);
  edge.answer = () => 'refuse';
  source.put([gateway('shop/c')]);
  await eventually(() => seen.length === 6);
  assert.deepEqual(
    seen.map(({ node, result }) => `${node} ${result}`),
    ['sent', 'ack', 'sent', 'nack', 'sent', 'refused'].map((result) => `published ${result}`),
  );
  assert.deepEqual(
    [0, 2, 4].map((index) => seen[index]!.bytes),
    edge.updates.map(({ bytes }) => bytes),
  );
});

test('a stopping controller says so, ends its source, and a new one takes over', async () => {
  const source = new TestSource([gateway('shop/a')]);
  const first = await testController(source);
  const edge = new TestAgent(first.address, 'edge-1').connect();
  await edge.until(({ updates }) => updates.length === 1);
  await first.stop();
  await edge.until((each) => each.count('disconnected') === 1);
  assert.match(edge.reason, /UNAVAILABLE: the controller is stopping/);
  assert.deepEqual([source.started, source.stopped, first.admin.readiness().ready], [1, 1, false]);

  edge.connect();
  await edge.until((each) => each.count('disconnected') === 2);
  assert.match(edge.reason, /^not connected: controller 127\.0\.0\.1:\d+: UNAVAILABLE: .*ECONNREFUSED/);

  const second = await testController(source, { listen: first.address });
  edge.connect();
  await edge.until(({ updates }) => updates.length === 2);
  // The new controller came to the same version by itself.
  assert.equal(edge.updates[1]!.changes.base, edge.updates[0]!.changes.version);
  edge.client.close();
  await second.stop();
});

test('an address that is taken is an error that names it, and the source is stopped', async () => {
  const first = await testController(new TestSource());
  const source = new TestSource();
  await assert.rejects(
    testController(source, { listen: first.address }),
    new RegExp(`cannot listen on ${first.address}: .*EADDRINUSE`),
  );
  assert.equal(source.stopped, 1);
  await first.stop();
});

test('over a Unix socket that only its owner may use, also where a killed controller left its socket', async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'novaedge-control-'));
  t.after(() => rmSync(directory, { recursive: true }));
  const path = join(directory, 'controller.sock');
  const killed =
    "require('node:net').createServer().listen(process.argv[1], () => process.kill(process.pid, 'SIGKILL'))";
  assert.equal(spawnSync(process.execPath, ['-e', killed, path]).signal, 'SIGKILL');
  assert.ok(statSync(path).isSocket());
  const { agent, controller } = await setUp(t, new TestSource([gateway('shop/a')]), {
    listen: `unix:${path}`,
  });
  assert.equal(controller.address, `unix:${path}`);
  assert.equal(statSync(path).mode & 0o777, 0o600);
  const edge = agent('edge-1').connect();
  await edge.until(({ updates }) => updates.length === 1);
  await assert.rejects(testController(new TestSource(), { listen: `unix:${path}` }), /EADDRINUSE/);
});

/** A gRPC call by hand: grpc-js would read ahead for a reader that does not. */
function rawCall(t: TestContext, address: string) {
  const session = http2.connect(`http://${address}`);
  t.after(() => session.destroy());
  const stream = session.request({
    ':method': 'POST',
    ':path': CONFIG_STREAM_PATH,
    'content-type': 'application/grpc',
    te: 'trailers',
  });
  return {
    write(message: AgentMessage): void {
      const bytes = encodeAgentMessage(message);
      const head = Buffer.alloc(5);
      head.writeUInt32BE(bytes.length, 1);
      stream.write(Buffer.concat([head, bytes]));
    },
    read(take: (frame: Buffer) => void): void {
      let buffered: Buffer = Buffer.alloc(0);
      stream.on('data', (chunk: Buffer) => {
        buffered = Buffer.concat([buffered, chunk]);
        while (buffered.length >= 5 && buffered.length >= 5 + buffered.readUInt32BE(1)) {
          const end = 5 + buffered.readUInt32BE(1);
          take(buffered.subarray(5, end));
          buffered = buffered.subarray(end);
        }
      });
    },
  };
}

test('an agent that does not read is sent nothing more, and then all that it missed as one update', async (t) => {
  const sent: Pushed[] = [];
  const take = (message: unknown): void => void sent.push(message as Pushed);
  subscribe(CHANNELS.pushed, take);
  t.after(() => unsubscribe(CHANNELS.pushed, take));
  const source = new TestSource(largeSet(4000, 5).values());
  const { agent, controller } = await setUp(t, source);
  const call = rawCall(t, controller.address);
  call.write({ type: 'hello', hello: { node: 'slow', agentVersion: '', snapshotVersion: '', labels: {} } });
  await eventually(() => controller.admin.nodes().length === 1);
  const quick = agent('quick').connect();
  for (let round = 1; round <= 20; round += 1) source.put([gateway('shop/a', `class-${round}`)]);
  const wanted = gateway('shop/a', 'class-20');
  await quick.until(({ store }) => isDeepStrictEqual(store.resources.get('gateway/shop/a'), wanted));
  assert.deepEqual(
    sent.filter(({ node }) => node === 'slow'),
    [],
  );

  const parts: Buffer[] = [];
  const store = new SnapshotStore();
  let updates = 0;
  const caughtUp = Promise.withResolvers<void>();
  call.read((bytes) => {
    const frame = peekFrame(bytes);
    parts.push(bytes);
    if (frame.type !== 'update' || !frame.lastPart) return;
    const changes = fromUpdateParts(parts.splice(0));
    assert.deepEqual(store.apply(changes), { ok: true });
    updates += 1;
    call.write({ type: 'ack', nonce: frame.nonce, version: changes.version });
    if (isDeepStrictEqual(store.resources.get('gateway/shop/a'), wanted)) caughtUp.resolve();
  });
  await caughtUp.promise;
  assert.equal(updates, 2);
  assert.deepEqual(new Map(store.resources), source.current().resources);
});

const RUDE: readonly { readonly what: string; readonly bytes: Buffer; readonly details: RegExp }[] = [
  {
    what: 'an answer before the hello',
    bytes: encodeAgentMessage({ type: 'ack', nonce: 1, version: 'x' }),
    details: /the first message is ack, not hello/,
  },
  {
    what: 'a hello without a node',
    bytes: encodeAgentMessage({
      type: 'hello',
      hello: { node: '', agentVersion: '', snapshotVersion: '', labels: {} },
    }),
    details: /the hello names no node/,
  },
  {
    what: 'bytes that are no message',
    bytes: Buffer.from([0x0a, 0x7f, 1]),
    details: /a message is malformed/,
  },
];

for (const { what, bytes, details } of RUDE) {
  test(`${what} ends the connection with the reason`, async (t) => {
    const { controller } = await setUp(t, new TestSource());
    const client = new Client(controller.address, ChannelCredentials.createInsecure());
    const call = client.makeBidiStreamRequest<Buffer, Buffer>(
      CONFIG_STREAM_PATH,
      (message) => message,
      (message) => message,
    );
    call.on('error', () => {});
    call.on('data', () => {});
    const ended = new Promise<{ details: string }>((resolve) => call.on('status', resolve));
    call.write(bytes);
    assert.match((await ended).details, details);
    client.close();
    assert.deepEqual(controller.admin.nodes(), []);
  });
}
