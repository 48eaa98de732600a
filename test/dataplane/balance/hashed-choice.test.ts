import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { BuildTable, OrderedTable, TableRequest } from '../../../src/dataplane/balance/hash-table.ts';
import { HashedChoice } from '../../../src/dataplane/balance/hashed-choice.ts';
import { buildOrdered } from '../../../src/dataplane/balance/table-builder.ts';
import { hashText } from '../../../src/dataplane/balance/xxhash32.ts';
import { moved } from './disruption.ts';
import {
  chance,
  chiSquareDeviation,
  counts,
  equal,
  HASH_POLICIES,
  hashed,
  type TestTarget,
  target,
  targets,
  updated,
} from './targets.ts';

const keyOf = (index: number): number => hashText(`client ${index}`);

function shuffled<Item>(items: readonly Item[], seed: number): Item[] {
  const random = chance(seed);
  const result = [...items];
  for (let at = result.length - 1; at > 0; at -= 1) {
    const other = random.below(at + 1);
    [result[at], result[other]] = [result[other]!, result[at]!];
  }
  return result;
}

/** Tables that come when the test says so. */
class SlowBuilder {
  readonly requests: TableRequest[] = [];
  readonly #done: ((table: OrderedTable) => void)[] = [];

  readonly build: BuildTable = (request, done) => {
    this.requests.push(request);
    this.#done.push(done);
  };

  finish(): void {
    this.#done.shift()!(buildOrdered(this.requests[this.requests.length - this.#done.length - 1]!));
  }
}

for (const policy of HASH_POLICIES) {
  test(`${policy}: workers that know the same endpoints in any order agree on every key`, () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 0, max: 5 }), { minLength: 1, maxLength: 30 }),
        fc.integer(),
        (weights, seed) => {
          const ids = targets(weights);
          const [one, other] = [hashed(policy, 1), hashed(policy, 2)];
          one.update(ids);
          other.update(shuffled(ids, seed).map((each) => ({ ...each })));
          if (weights.every((weight) => weight === 0)) return;
          for (let key = 0; key < 50; key += 1)
            assert.equal(one.pick(null, keyOf(key))!.id, other.pick(null, keyOf(key))!.id);
        },
      ),
      { numRuns: 30 },
    );
  });

  test(`${policy}: agreement holds while the same endpoints are ejected or not ready`, () => {
    const all = equal(50).map((each, index) => ({
      ...each,
      usable: index % 7 !== 0,
      ready: index % 5 !== 0,
    }));
    const [one, other] = [updated(hashed(policy), all), updated(hashed(policy), shuffled(all, 3))];
    for (let key = 0; key < 2_000; key += 1) {
      const picked = one.pick(null, keyOf(key))!;
      assert.ok(picked.usable && picked.ready);
      assert.equal(picked, other.pick(null, keyOf(key)));
    }
  });

  test(`${policy}: one that is ejected, not ready or tried loses its keys to all others, and nobody else's move`, () => {
    for (const change of ['usable', 'ready', 'tried'] as const) {
      const all = equal(10);
      const balancer = updated(hashed(policy), all);
      const before = Array.from({ length: 20_000 }, (_, key) => balancer.pick(null, keyOf(key))!);
      const out = all[4]!;
      if (change !== 'tried') out[change] = false;
      balancer.update(all);
      const avoid = change === 'tried' ? [out] : null;
      const heirs = new Map<TestTarget, number>();
      for (const [key, owner] of before.entries()) {
        const now = balancer.pick(avoid, keyOf(key))!;
        if (owner !== out) assert.equal(now, owner);
        else {
          assert.notEqual(now, out);
          heirs.set(now, (heirs.get(now) ?? 0) + 1);
        }
      }
      assert.equal(heirs.size, 9);
      const least = Math.min(...heirs.values());
      assert.ok(Math.max(...heirs.values()) < 3 * least, `${change}: ${[...heirs.values()]}`);
      if (change !== 'tried') out[change] = true;
      balancer.update(all);
      for (const [key, owner] of before.entries()) assert.equal(balancer.pick(null, keyOf(key)), owner);
    }
  });

  test(`${policy}: where all are ejected, everybody keeps their own`, () => {
    const all = equal(5);
    const balancer = updated(hashed(policy), all);
    const before = Array.from({ length: 500 }, (_, key) => balancer.pick(null, keyOf(key))!);
    for (const each of all) each.usable = false;
    balancer.update(all);
    for (const [key, owner] of before.entries()) assert.equal(balancer.pick(null, keyOf(key)), owner);
    for (const each of all) each.ready = false;
    balancer.update(all);
    assert.equal(balancer.pick(null, keyOf(1)), null);
  });

  test(`${policy}: where all have been tried, it is the key's own again`, () => {
    const all = equal(4);
    const balancer = updated(hashed(policy), all);
    for (let key = 0; key < 100; key += 1)
      assert.equal(balancer.pick(all, keyOf(key)), balancer.pick(null, keyOf(key)));
  });

  test(`${policy}: keys are spread by weight`, () => {
    const weights = [1, 2, 3, 4];
    const all = targets(weights);
    const observed = counts(updated(hashed(policy), all), all, 100_000, keyOf);
    const sum = observed.reduce((total, count) => total + count, 0);
    // A ring of 4,096 points is uneven by itself; a table of 65,537 slots is not.
    if (policy === 'Maglev') assert.ok(chiSquareDeviation(observed, weights) < 4.5, String(observed));
    for (const [index, weight] of weights.entries())
      assert.ok(Math.abs(observed[index]! / sum - weight / 10) < 0.03, String(observed));
  });

  test(`${policy}: one of n comes or goes: hardly more keys move than must`, () => {
    for (const count of [3, 10, 100, 1_000]) {
      const { added, removed } = moved(policy, count);
      const most = policy === 'RingHash' ? 1.6 : count < 1_000 ? 2.2 : 8;
      assert.ok(added > 0.4 / (count + 1) && added < most / (count + 1), `${count}: added ${added}`);
      assert.ok(removed > 0.4 / count && removed < most / count, `${count}: removed ${removed}`);
    }
  });

  test(`${policy}: until the first table is there, keys have a place that does not depend on order`, () => {
    const slow = new SlowBuilder();
    const weights = [1, 1, 2, 4, 0];
    const all = targets(weights);
    const [one, other] = [
      new HashedChoice<TestTarget>(policy, chance(), slow.build),
      new HashedChoice<TestTarget>(policy, chance(9), slow.build),
    ];
    one.update(all);
    other.update(shuffled(all, 4));
    const observed = counts(one, all, 20_000, keyOf);
    assert.ok(chiSquareDeviation(observed, weights) < 4.5, String(observed));
    for (let key = 0; key < 500; key += 1)
      assert.equal(one.pick(null, keyOf(key)), other.pick(null, keyOf(key)));
    const picked = one.pick(null, keyOf(1))!;
    assert.notEqual(one.pick([picked], keyOf(1)), picked);
    slow.finish();
    const settled = updated(hashed(policy), all);
    for (let key = 0; key < 500; key += 1)
      assert.equal(one.pick(null, keyOf(key)), settled.pick(null, keyOf(key)));
  });

  test(`${policy}: the old table serves until the new one is there, which has all that changed meanwhile`, () => {
    const slow = new SlowBuilder();
    const all = equal(6);
    const balancer = new HashedChoice<TestTarget>(policy, chance(), slow.build);
    balancer.update(all);
    slow.finish();
    const before = Array.from({ length: 500 }, (_, key) => balancer.pick(null, keyOf(key))!);

    const gone = all[2]!;
    const left = all.filter((each) => each !== gone);
    balancer.update(left);
    for (const [key, owner] of before.entries()) {
      const picked = balancer.pick(null, keyOf(key))!;
      if (owner === gone) assert.ok(left.includes(picked));
      else assert.equal(picked, owner);
    }
    const fresh = target('10.8.8.8:80');
    balancer.update([...left, fresh]);
    assert.equal(slow.requests.length, 2, 'one is under way already');
    slow.finish();
    assert.equal(slow.requests.length, 3);
    assert.deepEqual(new Set(slow.requests[2]!.ids), new Set([...left, fresh].map(({ id }) => id)));
    slow.finish();
    const settled = updated(hashed(policy), [fresh, ...left]);
    for (let key = 0; key < 500; key += 1)
      assert.equal(balancer.pick(null, keyOf(key)), settled.pick(null, keyOf(key)));
    assert.equal(slow.requests.length, 3);
  });

  test(`${policy}: a table that comes too late, for nobody who is left, harms nobody`, () => {
    const slow = new SlowBuilder();
    const balancer = new HashedChoice<TestTarget>(policy, chance(), slow.build);
    balancer.update(equal(3));
    balancer.update([]);
    slow.finish();
    assert.equal(balancer.pick(null, keyOf(1)), null);
    const fresh = target('10.8.8.8:80');
    balancer.update([fresh]);
    assert.equal(balancer.pick(null, keyOf(1)), fresh);
    slow.finish();
    assert.equal(balancer.pick(null, keyOf(1)), fresh);
  });

  test(`${policy}: what changes usability only asks for no table; a changed weight does`, () => {
    const slow = new SlowBuilder();
    const all = equal(3);
    const balancer = new HashedChoice<TestTarget>(policy, chance(), slow.build);
    balancer.update(all);
    slow.finish();
    all[0]!.usable = false;
    all[1]!.ready = false;
    balancer.update(all);
    assert.equal(slow.requests.length, 1);
    all[2]!.weight = 5;
    balancer.update(all);
    assert.deepEqual(slow.requests[1]!.weights, [1, 1, 5]);
  });
}
