import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ConfigurationStore } from '../../src/agent/configuration-store.ts';
import type { Resource } from '../../src/model/resource.ts';
import { resourceKey } from '../../src/model/resource.ts';
import type { ObjectFailure } from '../../src/model/snapshot.ts';
import { SnapshotDigest } from '../../src/wire/snapshot/digest.ts';
import { encodeResource } from '../../src/wire/snapshot/resource.ts';
import { listener, route } from './harness.ts';

function stageWhole(store: ConfigurationStore, resources: readonly Resource[]): void {
  const digest = new SnapshotDigest();
  for (const resource of resources) digest.set(resourceKey(resource), encodeResource(resource));
  const staged = store.stage({ base: '', version: digest.version(), upserts: resources, removals: [] });
  assert.deepEqual(staged, { ok: true });
}

function round(store: ConfigurationStore, refused: readonly ObjectFailure[] = []): void {
  store.take();
  store.settle(refused);
}

const failure = (key: string): ObjectFailure => ({ key, reason: 'AddressInUse', message: 'taken' });

test('what fails on one worker is tried again when the same snapshot comes again, and stands until then', () => {
  const store = new ConfigurationStore();
  const resources = [listener('http', 80), route('a', 1)];
  stageWhole(store, resources);
  round(store);
  store.note([failure('listener/test/web/http')]);
  stageWhole(store, resources);
  assert.equal(store.failures.length, 1, 'the worker still does not have it');
  store.take();
  assert.deepEqual(store.difference().upserts.map(resourceKey), ['listener/test/web/http']);
  assert.deepEqual(store.settle([]), []);
  stageWhole(store, resources);
  store.take();
  assert.deepEqual(store.difference().upserts, []);
});

test('the failure of an object that a whole snapshot no longer has is forgotten, though it never served', () => {
  const store = new ConfigurationStore();
  stageWhole(store, [route('a', 1), route('bad', 1)]);
  round(store, [failure('route/test/bad')]);
  assert.equal(store.failures.length, 1);
  stageWhole(store, [route('a', 1)]);
  assert.deepEqual(store.failures, []);
});

test('an object that goes while its refusal is on the way leaves no failure behind', () => {
  const store = new ConfigurationStore();
  stageWhole(store, [route('a', 1), route('bad', 1)]);
  store.take();
  stageWhole(store, [route('a', 1)]);
  store.settle([failure('route/test/bad')]);
  assert.ok(store.pending);
  round(store);
  assert.deepEqual(store.failures, []);
});

function restored(...resources: Resource[]): ConfigurationStore {
  const store = new ConfigurationStore();
  const digest = new SnapshotDigest();
  for (const resource of resources) digest.set(resourceKey(resource), encodeResource(resource));
  store.restore({ ok: true, resources, version: digest.version(), digest });
  return store;
}

const saved = (store: ConfigurationStore) => {
  const { resources, version } = store.lastGood();
  const digest = new SnapshotDigest();
  for (const [key, resource] of resources) digest.set(key, encodeResource(resource));
  assert.equal(digest.version(), version, 'the version is that of the content');
  return [...resources.keys()].sort();
};

test('what a passing failure keeps from serving after a start stays in the last good snapshot', () => {
  const [http, a] = [listener('http', 80), route('a', 1)];
  const store = restored(http, a);
  round(store, [failure('listener/test/web/http')]);
  assert.deepEqual([...store.serving.keys()], ['route/test/a']);
  assert.deepEqual(saved(store), ['listener/test/web/http', 'route/test/a']);
  store.stageRetries();
  round(store);
  assert.deepEqual(saved(store), ['listener/test/web/http', 'route/test/a']);
  store.lose([failure('listener/test/web/http')]);
  assert.deepEqual([...store.serving.keys()], ['route/test/a']);
  assert.deepEqual(saved(store), ['listener/test/web/http', 'route/test/a']);
  stageWhole(store, [a]);
  assert.deepEqual(saved(store), ['route/test/a'], 'nobody wishes it any more');
});

test('the first round after a start brings back what served last, the next what has come since', () => {
  const store = restored(route('a', 1), route('b', 1), route('gone', 1));
  const before = store.wishedVersion;
  stageWhole(store, [route('a', 2), route('b', 1), route('new', 1)]);
  store.take();
  assert.ok(store.holdsBack);
  assert.deepEqual(store.difference().upserts, [route('a', 1), route('b', 1)]);
  store.giveBack();
  store.take();
  assert.deepEqual(store.difference().upserts.map(resourceKey).sort(), ['route/test/a', 'route/test/b']);
  store.settle([]);
  assert.equal(store.servingVersion, before);
  store.take();
  assert.equal(store.holdsBack, false);
  const { base, version, upserts, removals } = store.difference();
  assert.deepEqual([base, version], [before, store.wishedVersion], 'not a whole snapshot to the workers');
  assert.deepEqual(upserts, [route('a', 2), route('new', 1)]);
  assert.deepEqual(removals, []);
  store.settle([]);
  assert.deepEqual(saved(store), ['route/test/a', 'route/test/b', 'route/test/new']);
});

test('what is put aside in the first round stays aside, and its new version is tried in the next', () => {
  const store = restored(route('a', 1), route('b', 1));
  stageWhole(store, [route('a', 2), route('b', 1)]);
  const left = () => store.leftOut.map(({ key }) => key);
  store.take();
  store.putAside('route/test/a', { reason: 'CrashedWorker', message: 'ended' });
  store.giveBack();
  store.take();
  assert.deepEqual(left(), ['route/test/a']);
  store.settle(store.leftOut);
  store.take();
  assert.deepEqual(left(), []);
  assert.deepEqual(store.difference().upserts, [route('a', 2)]);
});

test('what a worker gives up while a round brings it stands after the round, until the next has mended it', () => {
  const store = new ConfigurationStore();
  stageWhole(store, [listener('http', 80)]);
  store.take();
  store.note([failure('listener/test/web/http')]);
  assert.deepEqual(store.settle([]).length, 1);
  assert.ok(store.isPartial('listener/test/web/http'));
  store.stageRetries();
  round(store);
  assert.deepEqual(store.failures, []);
  assert.equal(store.isPartial('listener/test/web/http'), false);
});

test('a version that is put aside says nothing of the one that serves: a worker that cannot take this is not let in', () => {
  const store = new ConfigurationStore();
  stageWhole(store, [route('a', 1)]);
  round(store);
  stageWhole(store, [route('a', 2)]);
  store.take();
  store.putAside('route/test/a', { reason: 'CrashedWorker', message: 'ended' });
  assert.equal(store.isPartial('route/test/a'), false);
  assert.equal(store.failure('route/test/a')?.reason, 'CrashedWorker');
  store.giveBack();
  stageWhole(store, [route('a', 1)]);
  assert.deepEqual(store.failures, [], 'what serves is wished again');
});

test('a version that is refused takes the place of none; what can serve no more is not kept', () => {
  const store = restored(route('a', 1), route('b', 1));
  stageWhole(store, [route('a', 2), route('b', 1)]);
  const bad = (key: string): ObjectFailure => ({ key, reason: 'InvalidRegularExpression', message: 'bad' });
  round(store, [bad('route/test/b')]);
  assert.ok(store.pending, 'the new version is the next round');
  round(store, [bad('route/test/a')]);
  assert.deepEqual([...store.serving.values()], [route('a', 1)]);
  assert.deepEqual(saved(store), ['route/test/a']);
});
