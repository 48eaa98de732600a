import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RandomChoice } from '../../../src/dataplane/balance/random.ts';
import { TwoChoices } from '../../../src/dataplane/balance/two-choices.ts';
import { chance, equal, type TestTarget, targets, updated } from './targets.ts';

/** The most requests that one of n targets has when n have come and stayed. */
function mostLoad(balancer: 'random' | 'two', count: number, seed: number): number {
  const all = equal(count);
  const random = chance(seed);
  const chosen = updated(
    balancer === 'two' ? new TwoChoices<TestTarget>(random) : new RandomChoice<TestTarget>(random),
    all,
  );
  for (let pick = 0; pick < count; pick += 1) chosen.pick(null)!.load += 1;
  return all.reduce((most, { load }) => Math.max(most, load), 0);
}

test('the fullest of 10,000 has far less than at random: ln ln n / ln 2 against ln n / ln ln n', () => {
  for (let seed = 1; seed <= 5; seed += 1) {
    const [random, two] = [mostLoad('random', 10_000, seed), mostLoad('two', 10_000, seed)];
    assert.ok(two <= 4, `two choices: ${two}`);
    assert.ok(random >= 6, `random: ${random}`);
  }
});

test('never the busier of two, and both are drawn', () => {
  const all = targets([1, 1]);
  all[0]!.load = 3;
  const balancer = updated(new TwoChoices<TestTarget>(chance()), all);
  for (let pick = 0; pick < 100; pick += 1) assert.equal(balancer.pick(null), all[1]);
});

test('requests that stay settle by weight', () => {
  const weights = Array.from({ length: 30 }, (_, index) => 1 + (index % 3));
  const all = targets(weights);
  const balancer = updated(new TwoChoices<TestTarget>(chance()), all);
  for (let pick = 0; pick < 6_000; pick += 1) balancer.pick(null)!.load += 1;
  for (const { load, weight } of all)
    assert.ok(load > 90 * weight && load < 110 * weight, `${load} of ${weight}`);
});
