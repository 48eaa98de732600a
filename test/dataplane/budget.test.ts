import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { backoffMs } from '../../src/dataplane/client/attempts.ts';
import { RetryBudget } from '../../src/dataplane/upstream/retry-budget.ts';

test('retries never exceed the share of the requests in the window and what is always allowed', () => {
  const steps = fc.array(
    fc.record({ afterMs: fc.nat(400), what: fc.constantFrom('request', 'request', 'retry') }),
    { maxLength: 300 },
  );
  const settings = fc.record({
    percent: fc.integer({ min: 0, max: 100 }),
    intervalMs: fc.constantFrom(1_000, 2_500, 10_000),
    minPerSecond: fc.integer({ min: 0, max: 3 }),
  });
  fc.assert(
    fc.property(settings, fc.nat(1_000_000), steps, (wish, start, all) => {
      const budget = new RetryBudget();
      budget.configure(wish);
      const requests: number[] = [];
      const retries: number[] = [];
      let now = start;
      const slice = wish.intervalMs / 10;
      for (const { afterMs, what } of all) {
        now += afterMs;
        // A window of nine whole tenths and the one at hand.
        const from = Math.floor(now / slice) - 9;
        const inWindow = (times: number[]) => times.filter((time) => Math.floor(time / slice) >= from).length;
        if (what === 'request') {
          budget.request(now);
          requests.push(now);
          continue;
        }
        const allowed =
          (inWindow(requests) * wish.percent) / 100 + (wish.minPerSecond * wish.intervalMs) / 1_000;
        const isTaken = budget.take(now);
        assert.equal(isTaken, inWindow(retries) + 1 <= allowed);
        if (isTaken) retries.push(now);
      }
    }),
  );
});

test('a budget goes on where its cluster is configured again as it was, and begins anew where its time changes', () => {
  const budget = new RetryBudget();
  const settings = { percent: 0, intervalMs: 10_000, minPerSecond: 0.1 };
  budget.configure(settings);
  assert.ok(budget.take(5));
  budget.configure(settings);
  assert.ok(!budget.take(6));
  budget.configure({ ...settings, intervalMs: 20_000 });
  assert.ok(budget.take(7));
});

test('a pause doubles up to the longest, and is drawn between half of it and the whole', () => {
  fc.assert(
    fc.property(
      fc.nat(10_000),
      fc.nat(100_000),
      fc.nat(5_000),
      fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
      (first, longest, before, chance) => {
        const pause = backoffMs({ backoffMs: first, maxBackoffMs: longest }, before, chance);
        const whole = first === 0 ? 0 : Math.min(longest, first * 2 ** before);
        assert.ok(pause >= whole / 2 && pause <= whole);
      },
    ),
  );
});
