import assert from 'node:assert/strict';
import { test } from 'node:test';
import { workerHeapMb } from '../../src/agent/worker-memory.ts';

const GIBIBYTE = 1024 ** 3;

test('the workers share half of the memory; none gets less than a configuration needs, nor more than can be collected', () => {
  assert.equal(workerHeapMb(2, 4 * GIBIBYTE), 1_024);
  assert.equal(workerHeapMb(8, 4 * GIBIBYTE), 256);
  assert.equal(workerHeapMb(16, GIBIBYTE), 128);
  assert.equal(workerHeapMb(1, 64 * GIBIBYTE), 4_096);
  assert.ok(workerHeapMb(1) >= 128);
});
