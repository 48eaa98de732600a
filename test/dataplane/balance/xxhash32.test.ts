import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import fc from 'fast-check';
import { hashText, xxhash32 } from '../../../src/dataplane/balance/xxhash32.ts';
import { needs } from '../../needs.ts';

/** From the self-test of the reference implementation (XXH32_selfTest): bytes of a generator, seeds 0 and its prime. */
const PRIME = 2_654_435_761;
const REFERENCE = [
  [0, 0, 0x02cc5d05],
  [0, PRIME, 0x36b78ae7],
  [1, 0, 0xb85cbee5],
  [1, PRIME, 0xd5845d64],
  [14, 0, 0xe5aa0ab4],
  [14, PRIME, 0x4481951d],
  [101, 0, 0x1f1aa412],
  [101, PRIME, 0x498ec8e2],
] as const;

function referenceBytes(): Uint8Array {
  const bytes = new Uint8Array(101);
  let generator = PRIME;
  for (let index = 0; index < bytes.length; index += 1) {
    bytes[index] = generator >>> 24;
    generator = Math.imul(generator, generator) >>> 0;
  }
  return bytes;
}

/** Of texts, as published with other implementations (pierrec/lz4, xxhash32 of .NET). */
const TEXTS = [
  ['', 0, 0x02cc5d05],
  ['a', 0, 0x550d7456],
  ['abc', 0, 0x32d153ff],
  ['abcd', 0, 0xa3643705],
  ['abcdefghij', 0, 0x8b988cfe],
  ['abcdefghijklmnop', 0, 0x9d2d8b62],
  ['abcdefghijklmnopqrstuvwxyz0123456789', 0, 0x42ae804d],
  ['Nobody inspects the spammish repetition', 0, 0xe2293b2f],
  ['', 42, 0xd5be6eb8],
  ['abcd', 42, 0xe37d5ac5],
  ['abcd0123efgh4567ijkl', 42, 0xc890e852],
] as const;

test('the reference implementation comes to the same', () => {
  const bytes = referenceBytes();
  for (const [length, seed, expected] of REFERENCE) assert.equal(xxhash32(bytes, 0, length, seed), expected);
});

test('published hashes of texts', () => {
  for (const [text, seed, expected] of TEXTS) assert.equal(hashText(text, seed), expected, text);
});

test('the place in the memory does not matter, nor does whether it is text or bytes', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), fc.nat(9), fc.integer(), (bytes, offset, seed) => {
      const moved = new Uint8Array(offset + bytes.length + 3).fill(255);
      moved.set(bytes, offset);
      const expected = xxhash32(bytes, 0, bytes.length, seed);
      assert.equal(xxhash32(moved, offset, offset + bytes.length, seed), expected);
      assert.equal(hashText(Buffer.from(bytes).toString('latin1'), seed), expected);
      assert.ok(expected >= 0 && expected <= 0xffffffff);
    }),
  );
});

test('lz4 writes the same as the checksum of a frame', needs('lz4'), () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 1, maxLength: 300 }), (bytes) => {
      const { stdout } = spawnSync('lz4', ['-c', '-'], { input: bytes });
      assert.equal(xxhash32(bytes, 0, bytes.length, 0), stdout.readUInt32LE(stdout.length - 4));
    }),
    { numRuns: 40 },
  );
});
