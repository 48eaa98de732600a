import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { LeastRequest } from '../../../src/dataplane/balance/least-request.ts';
import { counts, someTargets, type TestTarget, targets, updated } from './targets.ts';

/** Said anew: with one more request than now, for the weight; nothing to do is nothing. */
const cost = ({ load, weight }: TestTarget): number => (load === 0 ? 0 : (load + 1) / weight);

test('picks a minimum over all', () => {
  fc.assert(
    fc.property(someTargets, (all) => {
      const weighted = all.filter((each) => each.ready && each.weight > 0);
      const usable = weighted.filter((each) => each.usable);
      const allowed = usable.length > 0 ? usable : weighted;
      const balancer = updated(new LeastRequest<TestTarget>(), all);
      for (let pick = 0; pick < 30; pick += 1) {
        const picked = balancer.pick(null);
        if (picked === null) assert.equal(allowed.length, 0);
        else {
          assert.equal(cost(picked), Math.min(...allowed.map(cost)));
          picked.load += 1;
        }
      }
    }),
  );
});

test('idle targets are gone round by weight, smoothly', () => {
  const all = targets([1, 3, 2]);
  const balancer = updated(new LeastRequest<TestTarget>(), all);
  for (let round = 0; round < 10; round += 1) assert.deepEqual(counts(balancer, all, 6), [1, 3, 2]);
  const same = targets([1, 1, 1, 1]);
  const rotating = updated(new LeastRequest<TestTarget>(), same);
  for (let round = 0; round < 10; round += 1) assert.deepEqual(counts(rotating, same, 4), [1, 1, 1, 1]);
});

test('requests that stay settle by weight', () => {
  const all = targets([1, 3, 6]);
  const balancer = updated(new LeastRequest<TestTarget>(), all);
  for (let pick = 0; pick < 1_000; pick += 1) balancer.pick(null)!.load += 1;
  for (const [index, weight] of [1, 3, 6].entries())
    assert.ok(Math.abs(all[index]!.load - 100 * weight) <= 2, String(all.map(({ load }) => load)));
});
