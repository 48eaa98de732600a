import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import fc from 'fast-check';
import { SnapshotDigest } from '../../../src/wire/snapshot/digest.ts';

const sha256 = (...parts: (string | Uint8Array)[]): Buffer => {
  const all = createHash('sha256');
  for (const part of parts) all.update(part);
  return all.digest();
};

/** The definition, computed anew each time and with other arithmetic. */
function plainVersion(entries: ReadonlyMap<string, Uint8Array>): string {
  const buckets = Array.from({ length: 256 }, (): Buffer[] => []);
  for (const key of [...entries.keys()].sort()) {
    let mixed = 2166136261n;
    for (const unit of Array.from({ length: key.length }, (_, index) => key.charCodeAt(index)))
      mixed = ((mixed ^ BigInt(unit)) * 16777619n) % 2n ** 32n;
    const index = Number((mixed ^ (mixed >> 8n) ^ (mixed >> 16n) ^ (mixed >> 24n)) % 256n);
    buckets[index]!.push(sha256(key, '\0', entries.get(key)!));
  }
  return sha256(...buckets.map((bucket) => sha256(...bucket))).toString('hex');
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

test('the version of nothing is that of 256 empty buckets, and key and bytes cannot be confused', () => {
  assert.equal(
    new SnapshotDigest().version(),
    createHash('sha256')
      .update(Buffer.alloc(256 * 32, sha256()))
      .digest('hex'),
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
