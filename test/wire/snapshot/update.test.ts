import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Resource } from '../../../src/model/resource.ts';
import { resourceKey } from '../../../src/model/resource.ts';
import type { SnapshotChanges } from '../../../src/model/snapshot.ts';
import { encodeResource } from '../../../src/wire/snapshot/resource.ts';
import { schema } from '../../../src/wire/snapshot/schema.ts';
import { decodeSnapshot, encodeSnapshot } from '../../../src/wire/snapshot/snapshot-message.ts';
import {
  fromUpdateParts,
  PART_BYTES,
  peekFrame,
  REPORT_REQUEST_FRAME,
  toUpdateParts,
} from '../../../src/wire/snapshot/update.ts';
import { byKey, largeSet, resources } from './resources.ts';

const version = fc.stringMatching(/^[0-9a-f]{64}$/);
const changes: fc.Arbitrary<SnapshotChanges> = fc.record({
  base: fc.oneof(fc.constant(''), version),
  version,
  upserts: resources,
  removals: fc.uniqueArray(
    fc.stringMatching(/^gone-[a-z]{1,5}$/).map((name) => `route/${name}`),
    { maxLength: 5 },
  ),
});
const ControllerMessage = schema.lookupType('novaedge.v1.ControllerMessage');

function sorted(value: SnapshotChanges): SnapshotChanges {
  return {
    ...value,
    upserts: [...byKey(value.upserts)].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, resource]) => resource),
    removals: [...value.removals].sort(),
  };
}

function reversed(value: SnapshotChanges): SnapshotChanges {
  return { ...value, upserts: [...value.upserts].reverse(), removals: [...value.removals].reverse() };
}

test('an update comes back from its parts, whatever order it was put in', () => {
  fc.assert(
    fc.property(changes, fc.nat(), (value, nonce) => {
      const parts = toUpdateParts(value, nonce);
      assert.deepEqual(fromUpdateParts(parts), sorted(value));
      assert.deepEqual(toUpdateParts(reversed(value), nonce), parts);
      assert.deepEqual(
        parts.map((part) => peekFrame(part)),
        parts.map((_, index) => ({ type: 'update', nonce, lastPart: index === parts.length - 1 })),
      );
    }),
    { numRuns: 300 },
  );
});

test('a frame is what protobufjs reads from the .proto file', () => {
  fc.assert(
    fc.property(changes, (value) => {
      const [part] = toUpdateParts(value, 7);
      const message = ControllerMessage.toObject(ControllerMessage.decode(part!), {
        longs: Number,
        defaults: true,
      });
      assert.equal(ControllerMessage.verify(message), null);
      const { nonce, baseVersion, removals, lastPart, upserts } = message.update;
      assert.deepEqual(
        [nonce, baseVersion, message.update.version, lastPart],
        [7, value.base, value.version, true],
      );
      assert.deepEqual(removals, [...value.removals].sort());
      const listed = Object.entries({ ...upserts, version: undefined }).flatMap(([field, list]) =>
        field === 'endpoints'
          ? Object.values(list as Record<string, { endpoints: unknown[] }>).flatMap((each) => each.endpoints)
          : ((list as unknown[] | undefined) ?? []),
      );
      assert.equal(listed.length, value.upserts.length);
    }),
    { numRuns: 200 },
  );
});

test('a large update travels in parts of about 1 MiB', () => {
  const all = largeSet(3000, 5);
  const value = { base: '', version: 'f'.repeat(64), upserts: [...all.values()], removals: [] };
  const parts = toUpdateParts(value, 3);
  assert.ok(parts.length > 1);
  for (const part of parts) assert.ok(part.length < PART_BYTES * 2, `${part.length}`);
  assert.deepEqual(byKey(fromUpdateParts(parts).upserts), all);
});

test('a large list of removals travels in parts too', () => {
  const removals = Array.from(
    { length: 60_000 },
    (_, index) => `endpoint/shop/api-${index}/10.0.0.1:80`,
  ).sort();
  const parts = toUpdateParts({ base: 'a', version: 'b', upserts: [], removals }, 1);
  assert.ok(parts.length > 1);
  assert.deepEqual(fromUpdateParts(parts).removals, removals);
});

test('missing, mixed, doubled and cut parts are refused with what is wrong', () => {
  const all = [...largeSet(3000, 5).values()];
  const value = { base: '', version: 'f'.repeat(64), upserts: all, removals: [] };
  const parts = toUpdateParts(value, 3);
  const other = toUpdateParts(value, 4);
  assert.throws(() => fromUpdateParts(parts.slice(0, -1)), /the last part of the update is missing/);
  assert.throws(() => fromUpdateParts([]), /the last part of the update is missing/);
  assert.throws(
    () => fromUpdateParts([other[0]!, ...parts.slice(1)]),
    /parts of two updates are mixed \(nonce 4 and 3\)/,
  );
  assert.throws(() => fromUpdateParts([parts[0]!, ...parts]), /stands twice in one update/);
  assert.throws(() => fromUpdateParts([...parts, parts[0]!]), /goes on after its last part/);
  assert.throws(() => fromUpdateParts([parts[0]!.subarray(0, 5000), ...parts.slice(1)]), /cut/);
  assert.throws(
    () => fromUpdateParts(toUpdateParts({ base: 'a', version: 'b', upserts: [], removals: ['spoon/x'] }, 1)),
    /spoon\/x: its kind is not known/,
  );
});

test('no damage to a byte gives anything but an error or a readable update', () => {
  fc.assert(
    fc.property(changes, fc.nat(), fc.integer({ min: 1, max: 255 }), (value, place, flip) => {
      const [part] = toUpdateParts(value, 1);
      const damaged = Uint8Array.from(part!);
      damaged[place % damaged.length]! ^= flip;
      try {
        for (const each of fromUpdateParts([damaged]).upserts) encodeResource(each);
      } catch (error) {
        assert.ok(error instanceof Error);
      }
    }),
    { numRuns: 500 },
  );
});

test('a request for a report is recognised, and so is what a newer controller may send', () => {
  assert.deepEqual(peekFrame(REPORT_REQUEST_FRAME), { type: 'report.requested' });
  assert.ok(ControllerMessage.toObject(ControllerMessage.decode(REPORT_REQUEST_FRAME)).reportRequest);
  assert.deepEqual(peekFrame(Uint8Array.of((9 << 3) | 2, 0)), { type: 'unknown' });
});

test('a whole snapshot comes back from its bytes; same resources, same bytes', () => {
  fc.assert(
    fc.property(resources, version, (list, name) => {
      const bytes = encodeSnapshot(byKey(list), name);
      const decoded = decodeSnapshot(bytes);
      assert.equal(decoded.version, name);
      assert.deepEqual(byKey(decoded.resources), byKey(list));
      assert.deepEqual(encodeSnapshot(byKey([...list].reverse()), name), bytes);
    }),
  );
});

test('a name that is also a property of every object is only a name', () => {
  const gateway: Resource = {
    kind: 'endpoint',
    value: {
      cluster: '__proto__',
      address: 'constructor',
      port: 1,
      weight: 0,
      ready: false,
      zone: '',
      nodeName: '',
    },
  };
  const parts = toUpdateParts({ base: '', version: 'v', upserts: [gateway], removals: [] }, 1);
  assert.deepEqual(fromUpdateParts(parts).upserts.map(resourceKey), ['endpoint/__proto__/constructor:1']);
});
