import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Policy, Restart, Strategy } from '../../supervisors/strategy.ts';
import { decide, restartGroup } from '../../supervisors/strategy.ts';

const policy = (more: Partial<Policy['intensity']> = {}): Policy => ({
  strategy: 'one-for-one',
  intensity: {
    restarts: 3,
    withinMs: 1_000,
    of: 'supervisor',
    exceeded: 'escalate',
    isolatedRetryMs: null,
    ...more,
  },
  backoff: { baseMs: 10, maxMs: 100 },
});

const GROUPS: readonly [Strategy, string, string][] = [
  ['one-for-one', 'a', 'a'],
  ['one-for-one', 'b', 'b'],
  ['one-for-one', 'c', 'c'],
  ['one-for-all', 'a', 'a b c'],
  ['one-for-all', 'b', 'a b c'],
  ['one-for-all', 'c', 'a b c'],
  ['rest-for-one', 'a', 'a b c'],
  ['rest-for-one', 'b', 'b c'],
  ['rest-for-one', 'c', 'c'],
];
for (const [strategy, child, group] of GROUPS)
  test(`${strategy}: when ${child} of a b c fails, ${group} start again`, () =>
    assert.deepEqual(restartGroup(strategy, ['a', 'b', 'c'], child), group.split(' ')));

/** OTP's table: permanent is always restarted, transient after an abnormal end, temporary never. */
const RESTARTED: Readonly<Record<Restart, Readonly<Record<'normal' | 'abnormal', boolean>>>> = {
  permanent: { normal: true, abnormal: true },
  transient: { normal: false, abnormal: true },
  temporary: { normal: false, abnormal: false },
};
for (const restart of ['permanent', 'transient', 'temporary'] as const)
  for (const outcome of ['normal', 'abnormal'] as const)
    for (const exceeded of ['escalate', 'isolate'] as const)
      for (const before of [0, 1, 2, 3, 4]) {
        const expected = !RESTARTED[restart][outcome] ? 'leave' : before < 3 ? 'restart' : exceeded;
        test(`a ${restart} child that ends ${outcome}ly after ${before} failures of 3, else ${exceeded}: ${expected}`, () => {
          const failures = Array.from({ length: before }, (_, index) => 100 * index);
          const decision = decide(policy({ exceeded }), failures, { restart, outcome, at: 900 });
          assert.equal(decision.verdict, expected);
          if (decision.verdict === 'restart') assert.equal(decision.attempt, before);
        });
      }

test('no restart is forgiven where the intensity is 0', () => {
  const none = policy({ restarts: 0, exceeded: 'isolate' });
  assert.deepEqual(decide(none, [], { restart: 'permanent', outcome: 'normal', at: 0 }), {
    verdict: 'isolate',
    failures: [],
  });
});

test('a failure counts until its window is over, and not at its end', () => {
  const once = policy({ restarts: 1 });
  const failures = [5];
  const at = (ms: number) => decide(once, failures, { restart: 'permanent', outcome: 'abnormal', at: ms });
  assert.equal(at(1_004).verdict, 'escalate');
  assert.equal(at(1_005).verdict, 'restart');
});

test('the budget: never more restarts in a window than the intensity; what is remembered is bounded', () => {
  fc.assert(
    fc.property(
      fc.array(fc.nat(600), { maxLength: 80 }),
      fc.integer({ min: 0, max: 5 }),
      (gaps, restarts) => {
        const rule = policy({ restarts, exceeded: 'isolate' });
        const all: number[] = [];
        const restarted: number[] = [];
        let failures: readonly number[] = [];
        let at = 0;
        for (const gap of gaps) {
          at += gap;
          // Without the bound on memory: all that ever failed, counted anew each time.
          const before = all.filter((time) => at - time < 1_000).length;
          const decision = decide(rule, failures, { restart: 'permanent', outcome: 'abnormal', at });
          assert.equal(decision.verdict, before < restarts ? 'restart' : 'isolate');
          if (decision.verdict === 'restart') {
            assert.equal(decision.attempt, before);
            restarted.push(at);
          }
          assert.ok(restarted.filter((time) => at - time < 1_000).length <= restarts);
          all.push(at);
          failures = decision.failures;
          assert.ok(failures.length <= restarts);
        }
      },
    ),
  );
});
