import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Failure, Policy, Restart, Strategy } from '../../supervisors/strategy.ts';
import { decide } from '../../supervisors/strategy.ts';

const policy = (strategy: Strategy, more: Partial<Policy['intensity']> = {}): Policy => ({
  strategy,
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

const CHILDREN = ['a', 'b', 'c'];

const GROUPS: readonly [Strategy, string, readonly string[], readonly string[]][] = [
  ['one-for-one', 'b', [], ['b']],
  ['one-for-all', 'b', ['c', 'a'], ['a', 'b', 'c']],
  ['rest-for-one', 'b', ['c'], ['b', 'c']],
  ['rest-for-one', 'a', ['c', 'b'], ['a', 'b', 'c']],
  ['rest-for-one', 'c', [], ['c']],
];
for (const [strategy, child, stop, start] of GROUPS)
  test(`${strategy}: when ${child} fails, ${stop.join() || 'nobody'} is stopped and ${start.join()} started`, () => {
    const decision = decide(policy(strategy), CHILDREN, [], {
      child,
      restart: 'permanent',
      outcome: 'abnormal',
      at: 0,
    });
    assert.ok(decision.verdict === 'restart');
    assert.deepEqual([decision.stop, decision.start], [stop, start]);
  });

const RESTARTS: readonly [Restart, 'normal' | 'abnormal', string][] = [
  ['permanent', 'normal', 'restart'],
  ['permanent', 'abnormal', 'restart'],
  ['transient', 'normal', 'leave'],
  ['transient', 'abnormal', 'restart'],
  ['temporary', 'normal', 'leave'],
  ['temporary', 'abnormal', 'leave'],
];
for (const [restart, outcome, verdict] of RESTARTS)
  test(`a ${restart} child that ends ${outcome}ly: ${verdict}`, () => {
    const exit = { child: 'a', restart, outcome, at: 0 };
    assert.equal(decide(policy('one-for-one'), CHILDREN, [], exit).verdict, verdict);
  });

test('the budget: never more restarts in a window than the intensity, and old failures are forgiven', () => {
  fc.assert(
    fc.property(
      fc.array(fc.record({ child: fc.constantFrom(...CHILDREN), gap: fc.nat(600) }), { maxLength: 50 }),
      fc.constantFrom('supervisor' as const, 'child' as const),
      (exits, of) => {
        const rule = policy('one-for-one', { of, exceeded: 'isolate' });
        let failures: readonly Failure[] = [];
        let at = 0;
        const restarted: { child: string; at: number }[] = [];
        for (const { child, gap } of exits) {
          at += gap;
          const counts = (one: { child: string; at: number }) =>
            at - one.at < 1_000 && (of === 'supervisor' || one.child === child);
          const before = failures.filter(counts).length;
          const decision = decide(rule, CHILDREN, failures, {
            child,
            restart: 'permanent',
            outcome: 'abnormal',
            at,
          });
          assert.ok(decision.verdict !== 'leave');
          assert.equal(decision.verdict, before < 3 ? 'restart' : 'isolate');
          if (decision.verdict === 'restart') {
            assert.equal(decision.attempt, before);
            assert.ok(restarted.filter(counts).length < 3);
            restarted.push({ child, at });
          }
          failures = decision.failures;
          assert.ok(
            failures.every((failure) => at - failure.at < 1_000),
            'memory is bounded by the window',
          );
        }
      },
    ),
  );
});
