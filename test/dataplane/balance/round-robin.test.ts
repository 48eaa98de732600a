import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { RoundRobin } from '../../../src/dataplane/balance/round-robin.ts';
import type { TestTarget } from './targets.ts';
import { counts, someTargets, target, targets } from './targets.ts';

function wantedOf(all: readonly TestTarget[]): TestTarget[] {
  const weighted = all.filter((each) => each.ready && each.weight > 0);
  const usable = weighted.filter((each) => each.usable);
  return usable.length > 0 ? usable : weighted;
}

test('over one round each target gets exactly its weight', () => {
  fc.assert(
    fc.property(someTargets, (all) => {
      const balancer = new RoundRobin<TestTarget>();
      balancer.update(all);
      const wanted = wantedOf(all);
      const round = wanted.reduce((sum, target) => sum + target.weight, 0);
      const picks = new Map<TestTarget, number>();
      for (let turn = 0; turn < round; turn += 1) {
        const target = balancer.pick(null)!;
        picks.set(target, (picks.get(target) ?? 0) + 1);
      }
      if (round === 0) assert.equal(balancer.pick(null), null);
      for (const target of all)
        assert.equal(picks.get(target) ?? 0, wanted.includes(target) ? target.weight : 0);
    }),
  );
});

test('picks are smooth: no target is ever a whole turn ahead of its share', () => {
  fc.assert(
    fc.property(someTargets, (all) => {
      const balancer = new RoundRobin<TestTarget>();
      balancer.update(all);
      const wanted = wantedOf(all);
      const sum = wanted.reduce((total, target) => total + target.weight, 0);
      const picks = new Map<TestTarget, number>();
      for (let turn = 1; turn <= sum * 2; turn += 1) {
        const target = balancer.pick(null)!;
        picks.set(target, (picks.get(target) ?? 0) + 1);
        for (const one of wanted) {
          assert.ok(Math.abs((picks.get(one) ?? 0) - (turn * one.weight) / sum) < wanted.length);
        }
      }
    }),
  );
});

test('what was tried is passed over while others are left', () => {
  fc.assert(
    fc.property(someTargets, fc.nat(11), (all, tried) => {
      const balancer = new RoundRobin<TestTarget>();
      balancer.update(all);
      const avoid = [all[tried % all.length]!];
      const others = wantedOf(all).filter((target) => !avoid.includes(target));
      for (let turn = 0; turn < 20; turn += 1) {
        const picked = balancer.pick(avoid);
        if (others.length > 0) assert.ok(!avoid.includes(picked!));
      }
    }),
  );
});

test('a heavy one among light ones is spread over the round', () => {
  const all = targets([5, 1, 1]);
  const balancer = new RoundRobin<TestTarget>();
  balancer.update(all);
  const names = Array.from({ length: 14 }, () => 'abc'[all.indexOf(balancer.pick(null)!)]).join('');
  assert.equal(names, 'aaabcaaaaabcaa');
});

test('who comes late, or gets another weight, gets its share from then on, and makes up for nothing', () => {
  const all = targets([1, 2]);
  const balancer = new RoundRobin<TestTarget>();
  balancer.update(all);
  for (let pick = 0; pick < 3_000; pick += 1) balancer.pick(null);
  const fresh = target('10.9.9.9:80', { weight: 3 });
  all[0]!.weight = 4;
  balancer.update([...all, fresh]);
  const found = counts(balancer, [...all, fresh], 90);
  for (const [index, share] of [40, 20, 30].entries())
    assert.ok(Math.abs(found[index]! - share) <= 1, String(found));
});

test('10,000 targets of mixed weights get exactly their weight in a round', () => {
  const weights = Array.from({ length: 10_000 }, (_, index) => 1 + (index % 7));
  const all = targets(weights);
  const balancer = new RoundRobin<TestTarget>();
  balancer.update(all);
  const round = weights.reduce((sum, weight) => sum + weight, 0);
  assert.deepEqual(counts(balancer, all, round), weights);
  assert.deepEqual(counts(balancer, all, round), weights);
});
