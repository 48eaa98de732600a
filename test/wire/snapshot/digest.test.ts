import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import fc from 'fast-check';
import { SnapshotDigest } from '../../../src/wire/snapshot/digest.ts';

/** The definition, computed anew each time. */
function plainVersion(entries: ReadonlyMap<string, Uint8Array>): string {
  const whole = createHash('sha256');
  for (const key of [...entries.keys()].sort()) {
    whole.update(createHash('sha256').update(key).update('\0').update(entries.get(key)!).digest());
  }
  return whole.digest('hex');
}

const key = fc.oneof(fc.constantFrom('a', 'b', 'c', 'd', 'e'), fc.string({ unit: 'grapheme', maxLength: 4 }));
const step = fc.oneof(
  fc.record({ op: fc.constant('set' as const), key, bytes: fc.uint8Array({ maxLength: 8 }) }),
  fc.record({ op: fc.constant('delete' as const), key }),
  fc.constant({ op: 'version' as const }),
  fc.constant({ op: 'clone' as const }),
);

test('any sequence of changes gives the version that the definition gives', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      let digest = new SnapshotDigest();
      const plain = new Map<string, Uint8Array>();
      for (const each of steps) {
        if (each.op === 'set') {
          digest.set(each.key, each.bytes);
          plain.set(each.key, each.bytes);
        } else if (each.op === 'delete') {
          digest.delete(each.key);
          plain.delete(each.key);
        } else if (each.op === 'clone') {
          const before = digest;
          digest = digest.clone();
          before.set('only in the original', new Uint8Array());
          assert.notEqual(before.version(), digest.version());
        }
        if (each.op === 'version') assert.equal(digest.version(), plainVersion(plain));
      }
      assert.equal(digest.version(), plainVersion(plain));
      assert.deepEqual(digest.keys(), [...plain.keys()].sort());
    }),
    { numRuns: 500 },
  );
});

test('the version of nothing is the SHA-256 of nothing, and key and bytes cannot be confused', () => {
  assert.equal(
    new SnapshotDigest().version(),
    'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
  );
  const one = new SnapshotDigest();
  one.set('ab', Buffer.from('c'));
  const other = new SnapshotDigest();
  other.set('a', Buffer.from('bc'));
  assert.notEqual(one.version(), other.version());
});

test('keys and bytes longer than the working memory', () => {
  const digest = new SnapshotDigest();
  const entries = new Map([
    ['k'.repeat(100_000), Buffer.alloc(300_000, 7)],
    ['é'.repeat(50_000), Buffer.alloc(0)],
  ]);
  for (const [name, bytes] of entries) digest.set(name, bytes);
  assert.equal(digest.version(), plainVersion(entries));
});
