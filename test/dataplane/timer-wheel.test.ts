import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { TICK_MS, Timer, TimerWheel } from '../../src/dataplane/timer-wheel.ts';

test('each timer fires once, not before its time and at most two ticks after', () => {
  const step = fc.oneof(
    fc.record({ kind: fc.constant('set' as const), timer: fc.nat(5), milliseconds: fc.nat(100_000) }),
    fc.record({
      kind: fc.constantFrom('clear' as const, 'remove' as const),
      timer: fc.nat(5),
      milliseconds: fc.constant(0),
    }),
    fc.record({ kind: fc.constant('advance' as const), timer: fc.constant(0), milliseconds: fc.nat(3000) }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
      let now = 0;
      const wheel = new TimerWheel(now);
      const due = new Map<Timer, number>();
      const timers = Array.from(
        { length: 6 },
        () =>
          new Timer({
            onTimer: (timer) => {
              const at = due.get(timer);
              assert.ok(at !== undefined, 'fired without being set');
              due.delete(timer);
              assert.ok(now >= at, 'fired early');
              assert.ok(now <= at + 2 * TICK_MS, `fired ${now - at} ms late`);
            },
            onFault: (error) => {
              throw error;
            },
          }),
      );
      for (const { kind, timer, milliseconds } of steps) {
        const chosen = timers[timer]!;
        if (kind === 'set') {
          wheel.set(chosen, milliseconds);
          due.set(chosen, now + milliseconds);
        } else if (kind === 'clear' || kind === 'remove') {
          wheel[kind](chosen);
          due.delete(chosen);
        } else
          for (const until = now + milliseconds; now < until; ) {
            now += TICK_MS;
            wheel.advance(now);
          }
      }
      for (const until = now + 200_000; now < until; ) {
        now += TICK_MS;
        wheel.advance(now);
      }
      assert.equal(due.size, 0);
    }),
  );
});

test('what a timer takes away, or throws, does not lose the others of its slot', () => {
  const wheel = new TimerWheel(0);
  const fired: string[] = [];
  const timers: Timer[] = [];
  const owner = (name: string, run: () => void) => ({
    onTimer: () => {
      fired.push(name);
      run();
    },
    onFault: (error: unknown) => fired.push(`${name}: ${(error as Error).message}`),
  });
  const idle = (): void => {};
  timers.push(
    new Timer(owner('a', idle)),
    new Timer(owner('b', idle)),
    new Timer(
      owner('c', () => {
        throw new Error('injected');
      }),
    ),
    new Timer(owner('d', idle)),
    new Timer(owner('e', () => wheel.remove(timers[3]!))),
  );
  for (const timer of timers) wheel.set(timer, 100);
  for (let now = 0; now <= 400; now += TICK_MS) wheel.advance(now);
  assert.deepEqual(fired.sort(), ['a', 'b', 'c', 'c: injected', 'e']);
  wheel.set(timers[3]!, 100);
  for (let now = 400; now <= 800; now += TICK_MS) wheel.advance(now);
  assert.equal(fired.at(-1), 'd');
});
