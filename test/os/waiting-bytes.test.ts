import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { BLOCK_BYTES, WaitingBytes } from '../../src/os/tls/waiting-bytes.ts';

const LENGTH = fc.oneof(
  fc.integer({ min: 0, max: 300 }),
  fc.integer({ min: BLOCK_BYTES - 3, max: BLOCK_BYTES + 3 }),
  fc.integer({ min: 0, max: 3 * BLOCK_BYTES }),
);

test('what waits comes out in its order and unharmed, whatever becomes of the memory it came from', () => {
  fc.assert(
    fc.property(fc.array(fc.oneof(LENGTH, fc.constant('take' as const)), { maxLength: 20 }), (steps) => {
      const waiting = new WaitingBytes();
      let written = 0;
      let taken = 0;
      const take = (): void =>
        waiting.take((bytes) => {
          assert.ok(bytes.length > 0 && bytes.length <= BLOCK_BYTES);
          for (const byte of bytes) if (byte !== taken++ % 251) assert.fail(`byte ${taken - 1} is ${byte}`);
          bytes.fill(0xfe);
        });
      for (const step of steps) {
        if (step !== 'take') {
          const bytes = Uint8Array.from({ length: step }, (_, at) => (written + at) % 251);
          written += step;
          waiting.add(bytes);
          bytes.fill(0xff);
        } else if (waiting.length > 0) take();
        assert.equal(waiting.length, written - taken);
      }
      while (waiting.length > 0) take();
      assert.equal(taken, written);
    }),
    { numRuns: 40 },
  );
});

test('where a block cannot be used, what is behind it still can be dropped', () => {
  const waiting = new WaitingBytes();
  waiting.add(new Uint8Array(2 * BLOCK_BYTES + 1));
  assert.throws(() =>
    waiting.take(() => {
      waiting.drop();
      throw new Error('refused');
    }),
  );
  assert.equal(waiting.length, 0);
  waiting.add(Uint8Array.of(1, 2));
  assert.deepEqual(
    waiting.take((bytes) => [...bytes]),
    [1, 2],
  );
});
