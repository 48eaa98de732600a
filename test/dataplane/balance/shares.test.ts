import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { RandomChoice } from '../../../src/dataplane/balance/random.ts';
import { TwoChoices } from '../../../src/dataplane/balance/two-choices.ts';
import {
  BALANCERS,
  chance,
  chiSquareDeviation,
  counts,
  someTargets,
  type TestTarget,
  target,
  targets,
  updated,
} from './targets.ts';

/** Of a fixed seed: what a chance of less than one in 10,000 would be. */
const MOST_DEVIATION = 4.5;

const WEIGHTS: readonly (readonly number[])[] = [
  [1],
  [1, 1],
  [1, 3],
  [5, 1, 1],
  [0, 7, 2, 0, 1],
  Array.from({ length: 100 }, (_, index) => 1 + (index % 10)),
];

for (const weights of WEIGHTS) {
  test(`${weights.length} targets of weights ${weights.slice(0, 5)} get their share at random`, () => {
    const all = targets(weights);
    const observed = counts(updated(new RandomChoice<TestTarget>(chance()), all), all, 200_000);
    assert.ok(chiSquareDeviation(observed, weights) < MOST_DEVIATION, String(observed));
  });

  test(`${weights.length} idle targets of weights ${weights.slice(0, 5)} get their share of two choices`, () => {
    const all = targets(weights);
    const observed = counts(updated(new TwoChoices<TestTarget>(chance(7)), all), all, 200_000);
    assert.ok(chiSquareDeviation(observed, weights) < MOST_DEVIATION, String(observed));
  });
}

test('a million to one is a million to one', () => {
  const all = targets([1, 1_000_000]);
  const [light, heavy] = counts(updated(new RandomChoice<TestTarget>(chance()), all), all, 3_000_000);
  assert.ok(light! >= 1 && light! <= 12, String(light));
  assert.equal(light! + heavy!, 3_000_000);
});

test('of 10,000 targets with equal weights each gets its share', () => {
  const weights = Array.from({ length: 10_000 }, () => 1);
  const all = targets(weights);
  const observed = counts(updated(new RandomChoice<TestTarget>(chance()), all), all, 1_000_000);
  assert.ok(Math.abs(chiSquareDeviation(observed, weights)) < MOST_DEVIATION);
});

for (const [name, create] of Object.entries(BALANCERS)) {
  test(`${name}: takes only what is ready, has weight and is usable, or all usable or not where none is`, () => {
    fc.assert(
      fc.property(someTargets, (all) => {
        const weighted = all.filter((each) => each.ready && each.weight > 0);
        const usable = weighted.filter((each) => each.usable);
        const allowed = usable.length > 0 ? usable : weighted;
        const balancer = updated(create(), all);
        for (let pick = 0; pick < 20; pick += 1) {
          const picked = balancer.pick(null, -1);
          if (allowed.length === 0) assert.equal(picked, null);
          else assert.ok(allowed.includes(picked!));
        }
      }),
    );
  });

  test(`${name}: what was tried is passed over while others are left`, () => {
    fc.assert(
      fc.property(someTargets, fc.array(fc.nat(11), { maxLength: 12 }), (all, tried) => {
        const balancer = updated(create(), all);
        const usable = all.filter((each) => each.ready && each.weight > 0 && each.usable);
        const avoid = tried.map((index) => all[index % all.length]!);
        const others = usable.filter((each) => !avoid.includes(each));
        for (let pick = 0; pick < 20; pick += 1) {
          const picked = balancer.pick(avoid, -1);
          if (others.length > 0) assert.ok(others.includes(picked!));
          else if (usable.length > 0) assert.ok(usable.includes(picked!));
        }
      }),
    );
  });

  test(`${name}: one is always that one, none is none, and what comes and goes is heeded`, () => {
    const balancer = create();
    assert.equal(balancer.pick(null, -1), null);
    const only = target(1, { weight: 1_000_000 });
    balancer.update([only]);
    assert.equal(balancer.pick(null, -1), only);
    assert.equal(balancer.pick([only], -1), only);
    const other = target(2);
    balancer.update([other]);
    assert.equal(balancer.pick(null, -1), other);
    balancer.update([]);
    assert.equal(balancer.pick(null, -1), null);
    assert.equal(balancer.pick([other], -1), null);
  });

  test(`${name}: nobody with weight starves, whether requests come one at a time or pile up`, () => {
    for (const busy of [false, true]) {
      const all = targets([1, 2, 50]);
      const seen = new Set<TestTarget>();
      const balancer = updated(create(), all);
      for (let pick = 0; pick < 2_000; pick += 1) {
        const picked = balancer.pick(null, -1)!;
        seen.add(picked);
        if (busy) picked.load += 1;
        balancer.observe(picked, 5, 'answered');
      }
      assert.equal(seen.size, all.length, busy ? 'piling up' : 'one at a time');
    }
  });
}
