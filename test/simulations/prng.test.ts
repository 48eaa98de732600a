import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Prng } from '../../simulations/prng.ts';

const draws = (prng: Prng, count = 8) => Array.from({ length: count }, () => prng.bits());

test('the same seed draws the same, another seed something else', () => {
  assert.deepEqual(draws(new Prng('7')), draws(new Prng('7')));
  assert.notDeepEqual(draws(new Prng('7')), draws(new Prng('8')));
});

test('what is split off by name does not depend on what was drawn before', () => {
  const one = new Prng('7');
  const other = new Prng('7');
  draws(other);
  assert.deepEqual(draws(one.split('faults')), draws(other.split('faults')));
  assert.notDeepEqual(draws(one.split('faults')), draws(one.split('users')));
});

test('draws are spread evenly', () => {
  const prng = new Prng('even');
  const buckets = new Array<number>(16).fill(0);
  const count = 160_000;
  for (let index = 0; index < count; index += 1) buckets[prng.below(16)]! += 1;
  const expected = count / 16;
  const chiSquare = buckets.reduce((sum, seen) => sum + (seen - expected) ** 2 / expected, 0);
  // 15 degrees of freedom: 37.7 is passed by chance once in a thousand seeds, and this one is fixed.
  assert.ok(chiSquare < 37.7, `chi-square ${chiSquare}`);
});
