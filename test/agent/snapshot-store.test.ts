import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { SnapshotStore } from '../../src/agent/snapshot-store.ts';
import type { Resource } from '../../src/model/resource.ts';
import { resourceKey } from '../../src/model/resource.ts';
import { SnapshotDigest } from '../../src/wire/snapshot/digest.ts';
import { encodeResource } from '../../src/wire/snapshot/resource.ts';
import { byKey, resources } from '../wire/snapshot/resources.ts';

function versionOf(list: Iterable<Resource>): string {
  const digest = new SnapshotDigest();
  for (const resource of list) digest.set(resourceKey(resource), encodeResource(resource));
  return digest.version();
}

test('it takes whole snapshots and differences, and hands out maps that stay as they are', () => {
  fc.assert(
    fc.property(resources, resources, (first, second) => {
      const store = new SnapshotStore();
      assert.equal(store.version, '');
      const whole = { base: '', version: versionOf(first), upserts: first, removals: [] };
      assert.deepEqual(store.apply(whole), { ok: true });
      const before = store.resources;

      const after = new Map([...byKey(first), ...byKey(second)]);
      const removals = [...after.keys()].filter((_, index) => index % 3 === 0);
      for (const key of removals) after.delete(key);
      const upserts = second.filter((resource) => after.has(resourceKey(resource)));
      const version = versionOf(after.values());
      assert.deepEqual(store.apply({ base: store.version, version, upserts, removals }), { ok: true });
      assert.deepEqual([new Map(store.resources), store.version], [after, version]);
      assert.deepEqual(new Map(before), byKey(first));
      assert.deepEqual(store.apply(whole), { ok: true });
      assert.deepEqual(new Map(store.resources), new Map(before));
    }),
  );
});

test('what does not fit, or does not give its version, changes nothing and says why', () => {
  const one: Resource = { kind: 'gateway', value: { name: 'shop/a', ingressClassName: '', vip: '' } };
  const two: Resource = { kind: 'gateway', value: { name: 'shop/b', ingressClassName: '', vip: '' } };
  const store = new SnapshotStore();
  const difference = { base: 'f'.repeat(64), version: versionOf([two]), upserts: [two], removals: [] };
  assert.deepEqual(store.apply(difference), {
    ok: false,
    reason: 'the update changes version ffffffffffff, but this is (none)',
  });
  assert.ok(store.apply({ base: '', version: versionOf([one]), upserts: [one], removals: [] }).ok);
  const kept = { version: store.version, resources: store.resources };
  const forged = store.apply({ base: store.version, version: 'e'.repeat(64), upserts: [two], removals: [] });
  assert.ok(!forged.ok);
  assert.match(forged.reason, /the content gives version [0-9a-f]{12}, but the update names eeeeeeeeeeee/);
  const broken: Resource = { kind: 'gateway', value: { name: '', ingressClassName: '', vip: '' } };
  assert.deepEqual(store.apply({ base: '', version: 'e'.repeat(64), upserts: [broken], removals: [] }), {
    ok: false,
    reason: 'gateway/: name: is empty',
  });
  assert.deepEqual({ version: store.version, resources: store.resources }, kept);
  assert.ok(
    store.apply({ base: store.version, version: versionOf([one, two]), upserts: [two], removals: [] }).ok,
  );
});
