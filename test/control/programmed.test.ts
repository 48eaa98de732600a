import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ControllerHandle } from '../../src/control/controller.ts';
import type { Condition } from '../../src/model/object.ts';
import {
  eventually,
  gateway,
  listener,
  nodeReport,
  TestAgent,
  TestSource,
  testController,
  view,
  vip,
} from './harness.ts';

function condition(controller: ControllerHandle, name: string): Condition | undefined {
  const found = controller.admin.objects().find(({ object }) => object.name === name);
  return found!.conditions.find(({ type }) => type === 'Programmed');
}

function brief(controller: ControllerHandle, name: string): string {
  const found = condition(controller, name);
  return found === undefined ? 'none' : `${found.status} ${found.reason}: ${found.message}`;
}

test('from pending over refused to in use, with the nodes named', async (t) => {
  const source = new TestSource([gateway('shop/web'), listener('shop/web/http', 80)]);
  source.show(view('ProxyGateway', 'web', 1, 'gateway/shop/web', 'listener/shop/web/http'));
  const controller = await testController(source);
  t.after(() => controller.stop());
  assert.equal(brief(controller, 'web'), 'Unknown Pending: no node is connected');

  const one = new TestAgent(controller.address, 'edge-1');
  const two = new TestAgent(controller.address, 'edge-2');
  t.after(() => one.client.close());
  t.after(() => two.client.close());
  one.answer = () => 'wait';
  one.connect();
  await one.until(({ updates }) => updates.length === 1);
  assert.equal(brief(controller, 'web'), 'Unknown Pending: waiting for edge-1');

  const first = one.updates[0]!;
  one.store.apply(first.changes);
  one.client.ack(first.nonce, first.changes.version);
  await eventually(() => brief(controller, 'web') === 'True Programmed: on 1 of 1 nodes');
  const since = condition(controller, 'web')!.lastTransitionTime;

  const failure = { key: 'listener/shop/web/http', reason: 'AddressInUse', message: 'port 80 is taken' };
  two.answer = () => 'wait';
  two.connect();
  await two.until(({ updates }) => updates.length === 1);
  assert.equal(brief(controller, 'web'), 'True Programmed: on 1 of 2 nodes, waiting for edge-2');
  assert.equal(condition(controller, 'web')!.lastTransitionTime, since);
  const given = two.updates[0]!;
  two.store.apply(given.changes);
  two.client.nack(given.nonce, given.changes.version, [failure], false);
  await eventually(() => brief(controller, 'web') === 'False AddressInUse: edge-2: port 80 is taken');

  // The program that had the port has gone: the node says so in its report, without any update.
  two.client.report(nodeReport('edge-2', given.changes.version));
  await eventually(() => brief(controller, 'web') === 'True Programmed: on 2 of 2 nodes');
});

test('a change on its way leaves the condition and its generation as they are until a node answers', async (t) => {
  const source = new TestSource([gateway('shop/web')]);
  source.show(view('ProxyGateway', 'web', 1, 'gateway/shop/web'));
  const controller = await testController(source);
  t.after(() => controller.stop());
  const edge = new TestAgent(controller.address, 'edge-1').connect();
  t.after(() => edge.client.close());
  await eventually(() => condition(controller, 'web')?.status === 'True');
  const before = condition(controller, 'web')!;
  assert.equal(before.observedGeneration, 1);

  edge.answer = () => 'wait';
  source.put([gateway('shop/web', 'other')], {
    objects: [view('ProxyGateway', 'web', 2, 'gateway/shop/web')],
  });
  await edge.until(({ updates }) => updates.length === 2);
  assert.deepEqual(condition(controller, 'web'), before);
  const { nonce, changes } = edge.updates[1]!;
  edge.client.ack(nonce, changes.version);
  await eventually(() => condition(controller, 'web')?.observedGeneration === 2);
  assert.deepEqual(condition(controller, 'web'), { ...before, observedGeneration: 2 });
});

test('a bad object does not harm its neighbours', async (t) => {
  const source = new TestSource([gateway('shop/good'), gateway('shop/bad')]);
  source.show(
    view('ProxyGateway', 'good', 1, 'gateway/shop/good'),
    view('ProxyGateway', 'bad', 1, 'gateway/shop/bad'),
    view('Service', 'plain', 1),
  );
  const controller = await testController(source);
  t.after(() => controller.stop());
  const edge = new TestAgent(controller.address, 'edge-1');
  edge.answer = () => [{ key: 'gateway/shop/bad', reason: 'Broken', message: 'is broken' }];
  edge.connect();
  t.after(() => edge.client.close());
  await eventually(() => brief(controller, 'bad') === 'False Broken: edge-1: is broken');
  assert.equal(brief(controller, 'good'), 'True Programmed: on 1 of 1 nodes');
  assert.equal(brief(controller, 'plain'), 'none');
});

test('an object that the protocol cannot carry keeps its last good version on the nodes', async (t) => {
  const source = new TestSource([gateway('shop/a'), gateway('shop/b')]);
  const views = [
    view('ProxyGateway', 'a', 1, 'gateway/shop/a'),
    view('ProxyGateway', 'b', 1, 'gateway/shop/b'),
  ];
  source.show(...views);
  const controller = await testController(source);
  t.after(() => controller.stop());
  const edge = new TestAgent(controller.address, 'edge-1').connect();
  t.after(() => edge.client.close());
  await edge.until(({ updates }) => updates.length === 1);

  source.put([gateway('shop/a', 'broken \ud800'), gateway('shop/b', 'new'), gateway('shop/c', '\udfff')]);
  await edge.until(({ updates }) => updates.length === 2);
  assert.deepEqual(
    new Set(edge.store.resources.values()),
    new Set([gateway('shop/a'), gateway('shop/b', 'new')]),
  );
  assert.equal(
    brief(controller, 'a'),
    'False NotSendable: gateway/shop/a: ingressClassName: is not well-formed Unicode',
  );
  await eventually(() => brief(controller, 'b') === 'True Programmed: on 1 of 1 nodes');
  source.put([gateway('shop/a', 'mended'), gateway('shop/c')]);
  await edge.until((each) => each.store.resources.size === 3);
  await eventually(() => brief(controller, 'a') === 'True Programmed: on 1 of 1 nodes');
  assert.deepEqual(new Map(edge.store.resources), source.current().resources);
});

test('a whole refusal is told on every object, and an object not accepted is not programmed', async (t) => {
  const source = new TestSource([gateway('shop/a')]);
  const refused = view('ProxyRoute', 'refused', 1);
  source.show(view('ProxyGateway', 'a', 1, 'gateway/shop/a'), {
    ...refused,
    conditions: [{ ...refused.conditions[0]!, status: 'False', reason: 'Invalid' }],
  });
  const controller = await testController(source, { refusalBackoff: () => 3_600_000 });
  t.after(() => controller.stop());
  const edge = new TestAgent(controller.address, 'edge-1');
  edge.answer = () => 'refuse';
  edge.connect();
  t.after(() => edge.client.close());
  await eventually(() => brief(controller, 'a') === 'Unknown Pending: waiting for edge-1 (refused: told to)');
  assert.equal(brief(controller, 'refused'), 'False NotAccepted: the object was not accepted');
});

test('only nodes that an object is for count', async (t) => {
  const source = new TestSource([gateway('shop/v'), vip('shop/a', '192.0.2.1/32')]);
  source.select(new Map([['gateway/shop/v', { matchLabels: { zone: 'east' } }]]));
  source.show(view('ProxyGateway', 'v', 1, 'gateway/shop/v'), view('ProxyVIP', 'a', 1, 'vip/shop/a'));
  const controller = await testController(source);
  t.after(() => controller.stop());
  const west = new TestAgent(controller.address, 'west').connect();
  t.after(() => west.client.close());
  await west.until(({ updates }) => updates.length === 1);
  assert.equal(
    brief(controller, 'v'),
    'Unknown Pending: none of the connected nodes is chosen by its labels',
  );
  assert.equal(brief(controller, 'a'), 'False NotAnnounced: announcing addresses is not supported yet');
  const east = new TestAgent(controller.address, 'east');
  t.after(() => east.client.close());
  east.labels = { zone: 'east' };
  east.connect();
  await eventually(() => brief(controller, 'v') === 'True Programmed: on 1 of 1 nodes');
});
