import assert from 'node:assert/strict';
import { createServer, connect as netConnect, type Socket } from 'node:net';
import { type TestContext, test } from 'node:test';
import { ChannelCredentials } from '@grpc/grpc-js';
import { createConfigStreamClient, type StreamEvent } from '../../../src/agent/stream/client.ts';
import { ResourceError } from '../../../src/wire/snapshot/resource.ts';
import { fromUpdateParts } from '../../../src/wire/snapshot/update.ts';
import { eventually, gateway, TestAgent, TestSource, testController } from '../../control/harness.ts';
import { largeSet } from '../../wire/snapshot/resources.ts';

const HELLO = { node: 'edge-1', agentVersion: 'test', snapshotVersion: '', labels: {} };

/** A cable between agent and controller that can be cut or frozen. */
async function cable(t: TestContext, target: string) {
  const pairs = new Set<readonly [Socket, Socket]>();
  const [host, port] = target.split(':') as [string, string];
  const server = createServer((near) => {
    const far = netConnect(Number(port), host);
    const pair = [near, far] as const;
    pairs.add(pair);
    near.pipe(far).pipe(near);
    for (const socket of pair) {
      socket.on('error', () => {});
      socket.on('close', () => pairs.delete(pair));
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const cut = (): void => {
    for (const pair of pairs) for (const socket of pair) socket.resetAndDestroy();
  };
  t.after(() => {
    cut();
    server.close();
  });
  return {
    address: `127.0.0.1:${(server.address() as { port: number }).port}`,
    cut,
    /** Both sides stay connected, but nothing passes. */
    freeze(): void {
      for (const [near, far] of pairs) {
        near.unpipe(far);
        far.unpipe(near);
        near.pause();
        far.pause();
      }
    },
  };
}

test('a cut connection is told once, and the agent goes on where it was', async (t) => {
  const source = new TestSource([gateway('shop/a')]);
  const controller = await testController(source);
  t.after(() => controller.stop());
  const wire = await cable(t, controller.address);
  const edge = new TestAgent(wire.address, 'edge-1').connect();
  t.after(() => edge.client.close());
  for (let round = 1; round <= 3; round += 1) {
    await eventually(() => controller.admin.nodes()[0]?.acknowledged === controller.admin.nodes()[0]?.wished);
    await edge.until((agent) => agent.updates.length === round);
    wire.cut();
    await edge.until((agent) => agent.count('disconnected') === round);
    await eventually(() => controller.admin.nodes()[0]!.connected === false);
    source.put([gateway(`shop/more-${round}`)]);
    edge.connect();
    await edge.until((agent) => agent.updates.length === round + 1);
    assert.notEqual(edge.updates.at(-1)!.changes.base, '');
  }
  assert.deepEqual(new Map(edge.store.resources), source.current().resources);
});

test('a peer that falls silent is noticed by both sides', async (t) => {
  const controller = await testController(new TestSource([gateway('shop/a')]));
  t.after(() => controller.stop());
  const wire = await cable(t, controller.address);
  const edge = new TestAgent(wire.address, 'edge-1').connect();
  t.after(() => edge.client.close());
  await edge.until(({ updates }) => updates.length === 1);
  const frozen = performance.now();
  wire.freeze();
  await edge.until((agent) => agent.count('disconnected') === 1);
  const agentNoticed = performance.now() - frozen;
  await eventually(() => controller.admin.nodes()[0]!.connected === false);
  const controllerNoticed = performance.now() - frozen;
  t.diagnostic(
    `agent after ${(agentNoticed / 1000).toFixed(1)} s, controller after ${(controllerNoticed / 1000).toFixed(1)} s`,
  );
  t.diagnostic(edge.reason);
});

test('a controller that is not there is told once for each attempt', async () => {
  const controller = await testController(new TestSource());
  await controller.stop();
  const edge = new TestAgent(controller.address, 'edge-1');
  for (let round = 1; round <= 3; round += 1) {
    edge.connect();
    await edge.until((agent) => agent.count('disconnected') === round);
  }
  assert.deepEqual(
    edge.events.map(({ type }) => type),
    ['disconnected', 'disconnected', 'disconnected'],
  );
  assert.match(edge.reason, /^not connected: controller 127\.0\.0\.1:\d+: UNAVAILABLE: .*ECONNREFUSED/);
});

test('a closed client is silent, and what it is asked to send is dropped', async (t) => {
  const controller = await testController(new TestSource([gateway('shop/a')]));
  t.after(() => controller.stop());
  const edge = new TestAgent(controller.address, 'edge-1').connect();
  await edge.until(({ updates }) => updates.length === 1);
  edge.client.close();
  const events = edge.events.length;
  edge.client.ack(1, 'x');
  edge.client.close();
  await eventually(() => controller.admin.nodes()[0]!.connected === false);
  assert.equal(edge.events.length, events);
});

test('a large update is decoded where the agent wishes, a small one at once', async (t) => {
  const source = new TestSource(largeSet(3000, 5).values());
  const controller = await testController(source);
  t.after(() => controller.stop());
  const decoded: number[] = [];
  const events: StreamEvent[] = [];
  const client = createConfigStreamClient({
    address: controller.address,
    credentials: ChannelCredentials.createInsecure(),
    onEvent: (event) => {
      events.push(event);
      if (event.type === 'update') client.ack(event.nonce, event.changes.version);
    },
    decode: async (parts) => {
      decoded.push(parts.length);
      // As another thread would get them.
      return fromUpdateParts(structuredClone(parts));
    },
  });
  t.after(() => client.close());
  client.connect(HELLO);
  const updates = () => events.filter((event) => event.type === 'update');
  await eventually(() => updates().length === 1);
  assert.equal(updates()[0]!.changes.upserts.length, 21_000);
  assert.equal(decoded.length, 1);
  assert.ok(decoded[0]! > 1);
  source.put([gateway('shop/a')]);
  await eventually(() => updates().length === 2);
  assert.equal(decoded.length, 1);
});

test('an update that cannot be decoded is refused with the object, and the whole snapshot heals it', async (t) => {
  const source = new TestSource(largeSet(3000, 5).values());
  const controller = await testController(source, { refusalBackoff: () => 1 });
  t.after(() => controller.stop());
  source.show({
    object: { kind: 'ProxyRoute', namespace: 'shop-0', name: 'service-0' },
    manifest: {},
    conditions: [],
    problems: [],
    resources: ['route/shop-0/service-0'],
  });
  const reasons: string[] = [];
  const failing: (() => void)[] = [];
  const events: StreamEvent[] = [];
  const client = createConfigStreamClient({
    address: controller.address,
    credentials: ChannelCredentials.createInsecure(),
    onEvent: (event) => events.push(event),
    onRefused: (reason) => reasons.push(reason),
    decode: async (parts) => {
      if (reasons.length > 0) {
        await new Promise<void>((resolve) => failing.push(resolve));
        return fromUpdateParts(parts);
      }
      throw new ResourceError('route/shop-0/service-0', 'rules[0].matches: is empty');
    },
  });
  t.after(() => client.close());
  client.connect(HELLO);
  await eventually(() => failing.length === 1);
  assert.deepEqual(reasons, ['route/shop-0/service-0: rules[0].matches: is empty']);
  const [condition] = controller.admin.objects()[0]!.conditions;
  assert.equal(condition!.reason, 'DecodeFailed');
  assert.match(condition!.message, /^edge-1: route\/shop-0\/service-0: rules\[0\]\.matches: is empty$/);
  failing[0]!();
  await eventually(() => events.some(({ type }) => type === 'update'));
});
