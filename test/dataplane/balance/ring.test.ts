import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { buildRing, findPoint, MOST_POINTS, pointCounts } from '../../../src/dataplane/balance/ring.ts';
import { hashText } from '../../../src/dataplane/balance/xxhash32.ts';

const someMembers = fc.uniqueArray(
  fc.record({ id: fc.stringMatching(/^[a-z0-9.:]{1,20}$/), weight: fc.integer({ min: 1, max: 20 }) }),
  { minLength: 1, maxLength: 20, selector: ({ id }) => id },
);

/** Asks every point of every target: the nearest at or after the key, round the ring. */
function naive(ids: readonly string[], weights: readonly number[], key: number): string {
  let best = '';
  let least = Number.POSITIVE_INFINITY;
  for (const [index, count] of pointCounts(weights).entries())
    for (let point = 0; point < count; point += 1) {
      const distance = (hashText(`${ids[index]!}_${point}`) - key + 2 ** 32) % 2 ** 32;
      if (distance > least || (distance === least && ids[index]! > best)) continue;
      least = distance;
      best = ids[index]!;
    }
  return best;
}

test('a key belongs to the nearest point at or after it', () => {
  fc.assert(
    fc.property(
      someMembers,
      fc.array(fc.integer({ min: 0, max: 0xffffffff }), { maxLength: 3 }),
      (all, keys) => {
        const ids = all.map(({ id }) => id).sort();
        const weights = ids.map((id) => all.find((each) => each.id === id)!.weight);
        const { points, owners } = buildRing(ids, weights);
        for (const key of [0, 0xffffffff, ...keys])
          assert.equal(ids[owners[findPoint(points!, key)]!], naive(ids, weights, key));
      },
    ),
    { numRuns: 25 },
  );
});

test('points ascend, and a key that is a point belongs to it', () => {
  const { points, owners } = buildRing(['a', 'b', 'c'], [1, 2, 3]);
  for (let index = 1; index < points!.length; index += 1) assert.ok(points![index - 1]! <= points![index]!);
  const first = hashText('b_0');
  assert.equal(owners[findPoint(points!, first)], 1);
});

test('as many points as weight and bounds say, and none without', () => {
  assert.deepEqual(pointCounts([1]), [256]);
  assert.deepEqual(pointCounts([100, 100]), [200, 200]);
  assert.deepEqual(pointCounts([1, 3]), [128, 384]);
  const light = pointCounts([1, 1_000_000]);
  assert.equal(light[0], 1);
  for (const count of [1_000, 1_500, 10_000]) {
    const many = pointCounts(Array.from({ length: count }, () => 5));
    const sum = many.reduce((total, points) => total + points, 0);
    assert.ok(sum <= 1.03 * MOST_POINTS && sum > 0.6 * MOST_POINTS, `${count}: ${sum}`);
  }
});

test('who comes or goes does not change the points of others, but in rare small steps', () => {
  let steps = 0;
  for (let count = 1; count < 4_000; count += 1) {
    const [now] = pointCounts(Array.from({ length: count }, () => 1));
    const [then] = pointCounts(Array.from({ length: count + 1 }, () => 1));
    if (now === then) continue;
    steps += 1;
    assert.ok(count >= 1_000 && then! > 0.9 * now!, `${count}: ${now} and ${then}`);
  }
  assert.ok(steps < 20);
  assert.deepEqual(pointCounts([2, 2, 2, 2, 5]).slice(0, 4), pointCounts([2, 2, 2, 2]));
});
