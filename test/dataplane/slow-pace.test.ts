import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Pace, WINDOW_MS } from '../../src/dataplane/client/pace.ts';

const RATE = 240;
const WINDOW_BYTES = (RATE * WINDOW_MS) / 1000;

test('a client that is too slow from the start is cut after one window, one that was quick before after two', () => {
  for (const [before, expected] of [
    [0, WINDOW_MS],
    [1_000_000, 2 * WINDOW_MS],
  ] as const) {
    const pace = new Pace();
    pace.reset(0);
    pace.run(0, before);
    let now = 0;
    let total = before;
    while (!pace.isTooSlow(now, total, RATE, 60_000)) {
      now += 100;
      total += 1;
      assert.ok(now <= 2 * WINDOW_MS);
    }
    assert.equal(now, expected);
  }
});

test('time in which it could not move does not count, however it is cut up', () => {
  fc.assert(
    fc.property(
      fc.array(
        fc.record({ on: fc.integer({ min: 1, max: 900 }), off: fc.integer({ min: 0, max: 60_000 }) }),
        {
          maxLength: 60,
        },
      ),
      (stretches) => {
        const pace = new Pace();
        pace.reset(0);
        let now = 0;
        let could = 0;
        for (const { on, off } of stretches) {
          pace.run(now, 0);
          const before = could;
          now += on;
          could += on;
          const slow = pace.isTooSlow(now, 0, RATE, 0);
          assert.equal(slow, could >= WINDOW_MS, `${before} ms and ${on} more`);
          if (slow) return;
          pace.pause(now);
          now += off;
        }
      },
    ),
  );
});

test('nobody is slower than the rate for longer than two windows, and nobody who keeps to it is cut', () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 0, max: 4 * WINDOW_BYTES }), { minLength: 1, maxLength: 100 }),
      (seconds) => {
        const pace = new Pace();
        pace.reset(0);
        pace.run(0, 0);
        const totals = [0];
        for (const [index, bytes] of seconds.entries()) {
          const now = (index + 1) * 1000;
          totals.push(totals.at(-1)! + bytes);
          if (!pace.isTooSlow(now, totals.at(-1)!, RATE, 0)) {
            // Over any three windows at least one window's worth and the rate of the other two has come.
            const whole = Math.floor((index + 1) / 5);
            if (whole >= 3) {
              const came = totals[whole * 5]! - totals[(whole - 3) * 5]!;
              assert.ok(came >= 2 * WINDOW_BYTES, `${came} bytes in 15 s`);
            }
            continue;
          }
          // It was slower than the rate in the window that has just ended.
          const came = totals.at(-1)! - totals[index + 1 - 5]!;
          assert.ok(came < WINDOW_BYTES, `cut with ${came} bytes in the window`);
          return;
        }
      },
    ),
  );
});

test('a stall is seen whatever the rate, to the look at which it is due', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 0, max: 1000 }),
      fc.integer({ min: 50, max: 20_000 }),
      fc.integer({ min: 0, max: 20_000 }),
      (rate, stall, lastMove) => {
        const pace = new Pace();
        pace.reset(0);
        pace.run(0, 0);
        let now = 0;
        let total = 0;
        const move = (): void => {
          total += 10_000_000;
          pace.moved(now, total);
        };
        move();
        for (let looks = 0; looks < 2000; looks += 1) {
          const wait = pace.nextLook(now, rate, stall);
          assert.ok(wait > 0);
          const next = now + wait;
          if (total === 10_000_000 && lastMove <= next) {
            now = lastMove;
            move();
          }
          now = next;
          if (!pace.isTooSlow(now, total, rate, stall)) continue;
          const moved = total === 10_000_000 ? 0 : lastMove;
          assert.ok(now - moved >= Math.min(stall, WINDOW_MS));
          assert.ok(now - moved <= Math.max(stall, 3 * WINDOW_MS));
          return;
        }
        assert.fail('never seen');
      },
    ),
  );
});
