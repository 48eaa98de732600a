import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { buildMaglev, MAGLEV_SLOTS } from '../../../src/dataplane/balance/maglev.ts';
import { hashText } from '../../../src/dataplane/balance/xxhash32.ts';

/** The paper's listing, with whole permutations, and Envoy's rule for weights, asked of everybody in each round. */
function naive(ids: readonly string[], weights: readonly number[]): number[] {
  const most = Math.max(...weights);
  const permutations = ids.map((id) => {
    const offset = hashText(id, 0) % MAGLEV_SLOTS;
    const skip = (hashText(id, 1) % (MAGLEV_SLOTS - 1)) + 1;
    return Array.from({ length: MAGLEV_SLOTS }, (_, j) => (offset + j * skip) % MAGLEV_SLOTS);
  });
  const next = ids.map(() => 0);
  const goal = ids.map(() => 0);
  const entry = Array.from({ length: MAGLEV_SLOTS }, () => -1);
  let filled = 0;
  for (let iteration = 1; filled < MAGLEV_SLOTS; iteration += 1) {
    for (let i = 0; i < ids.length && filled < MAGLEV_SLOTS; i += 1) {
      if (iteration * weights[i]! < goal[i]!) continue;
      goal[i]! += most;
      while (entry[permutations[i]![next[i]!]!] !== -1) next[i]! += 1;
      entry[permutations[i]![next[i]!]!] = i;
      next[i]! += 1;
      filled += 1;
    }
  }
  return entry;
}

function idsOf(count: number): string[] {
  return Array.from({ length: count }, (_, index) => `10.1.${index >> 8}.${index & 255}:80`).sort();
}

function slotsOf(owners: ArrayLike<number>, count: number): number[] {
  const slots = Array.from({ length: count }, () => 0);
  for (let slot = 0; slot < owners.length; slot += 1) slots[owners[slot]!]! += 1;
  return slots;
}

test('is the table of the paper, with weights as in Envoy', () => {
  fc.assert(
    fc.property(
      fc.uniqueArray(
        fc.record({
          id: fc.stringMatching(/^[a-z0-9.:]{1,20}$/),
          weight: fc.oneof(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 1_000_000 })),
        }),
        { minLength: 1, maxLength: 7, selector: ({ id }) => id },
      ),
      (all) => {
        const ids = all.map(({ id }) => id);
        const weights = all.map(({ weight }) => weight);
        assert.deepEqual(Array.from(buildMaglev(ids, weights)), naive(ids, weights));
      },
    ),
    { numRuns: 12 },
  );
});

test('equal weights: shares differ by one slot at most', () => {
  for (const count of [1, 2, 3, 10, 100, 1_000, 10_000]) {
    const slots = slotsOf(
      buildMaglev(
        idsOf(count),
        idsOf(count).map(() => 1),
      ),
      count,
    );
    assert.ok(Math.max(...slots) - Math.min(...slots) <= 1, `${count} targets`);
  }
});

test('weights: each has its share, and none has nothing', () => {
  for (const weights of [
    [1, 2, 7],
    [1, 1_000_000],
    [3, 3, 3, 500, 1_000],
    [999_999, 1_000_000, 1],
  ]) {
    const sum = weights.reduce((total, weight) => total + weight, 0);
    const slots = slotsOf(buildMaglev(idsOf(weights.length), weights), weights.length);
    for (const [index, weight] of weights.entries()) {
      const share = (MAGLEV_SLOTS * weight) / sum;
      assert.ok(slots[index]! >= 1);
      assert.ok(Math.abs(slots[index]! - share) <= 0.001 * share + 2, `${weights}: ${slots}`);
    }
  }
});

test('10,000 targets of very different weights: each has at least one slot, and the sum is whole', () => {
  const weights = Array.from({ length: 10_000 }, (_, index) => (index === 0 ? 1_000_000 : 1 + (index % 100)));
  const slots = slotsOf(buildMaglev(idsOf(10_000), weights), 10_000);
  assert.equal(Math.min(...slots), 1);
  assert.equal(
    slots.reduce((sum, count) => sum + count, 0),
    MAGLEV_SLOTS,
  );
});

test('more targets than places of 16 bits', () => {
  const ids = Array.from({ length: 70_000 }, (_, index) => `host-${String(index).padStart(5, '0')}`);
  const owners = buildMaglev(
    ids,
    ids.map(() => 1),
  );
  assert.equal(new Set(owners).size, MAGLEV_SLOTS);
});
