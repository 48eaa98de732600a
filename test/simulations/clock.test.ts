import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { SteppingClock } from '../../simulations/clock.ts';

test('timers run in order of time, ties in order of insertion, and timers started by timers too', () => {
  const clock = new SteppingClock();
  const ran: string[] = [];
  const mark = (name: string) => () => ran.push(`${name}@${clock.now}`);
  clock.after(20, mark('b'));
  clock.after(10, () => {
    mark('a')();
    clock.after(0, mark('a-now'));
    clock.after(10, mark('a-later'));
  });
  clock.after(20, mark('c'));
  clock.after(10, mark('tie'));
  while (clock.step());
  assert.deepEqual(ran, ['a@10', 'tie@10', 'a-now@10', 'b@20', 'c@20', 'a-later@20']);
});

test('a cancelled timer does not run, and time does not go to it', () => {
  const clock = new SteppingClock();
  const cancel = clock.after(10, () => assert.fail('cancelled'));
  clock.after(5, () => cancel());
  assert.equal(clock.next, 5);
  clock.step();
  assert.equal(clock.next, Number.POSITIVE_INFINITY);
  assert.equal(clock.pending, 0);
  assert.equal(clock.step(), false);
  assert.equal(clock.now, 5);
});

test('any timers, some cancelled, run as a stable sort by time would have them', () => {
  fc.assert(
    fc.property(fc.array(fc.record({ ms: fc.nat(20), cancelled: fc.boolean() })), (timers) => {
      const clock = new SteppingClock();
      const ran: number[] = [];
      const cancels = timers.map(({ ms }, index) => clock.after(ms, () => ran.push(index)));
      for (const [index, { cancelled }] of timers.entries()) if (cancelled) cancels[index]?.();
      while (clock.step());
      const expected = timers
        .map(({ ms, cancelled }, index) => ({ ms, cancelled, index }))
        .filter(({ cancelled }) => !cancelled)
        .sort((a, b) => a.ms - b.ms)
        .map(({ index }) => index);
      assert.deepEqual(ran, expected);
    }),
  );
});

test('time cannot skip a timer', () => {
  const clock = new SteppingClock();
  clock.after(10, () => {});
  clock.skipTo(9);
  assert.equal(clock.now, 9);
  assert.throws(() => clock.skipTo(11), /timer on the way/);
});
