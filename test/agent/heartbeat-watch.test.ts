import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { HeartbeatWatch, LOOK_MS } from '../../src/agent/heartbeat-watch.ts';

/** Numbers of looks after which a watch says so, given at which looks the thread has beaten since the last one. */
function found(beats: readonly boolean[], configuring = false): number[] {
  const watch = new HeartbeatWatch();
  let count = 0;
  return beats.flatMap((beaten, index) => {
    if (beaten) count += 1;
    return watch.look(count, configuring) > 0 ? [index] : [];
  });
}

test('five looks in a row without a beat are too many, and each one that follows says for how long', () => {
  const watch = new HeartbeatWatch();
  const silences = Array.from({ length: 8 }, () => watch.look(7, false));
  assert.deepEqual(silences, [0, 0, 0, 0, 0, 5 * LOOK_MS, 6 * LOOK_MS, 7 * LOOK_MS]);
  assert.equal(watch.look(8, false), 0, 'it turns again');
});

test('a thread that compiles a configuration has ten times as long', () => {
  assert.deepEqual(
    found(
      Array.from({ length: 50 }, () => false),
      true,
    ),
    [],
  );
  assert.deepEqual(
    found(
      Array.from({ length: 51 }, () => false),
      true,
    ),
    [50],
  );
});

test('a thread that has no processor is given four times as long', () => {
  const watch = new HeartbeatWatch();
  const silences = Array.from({ length: 21 }, () => watch.look(7, false, true));
  assert.ok(silences.slice(0, 20).every((silentMs) => silentMs === 0));
  assert.equal(silences[20], 20 * LOOK_MS);
});

test('a thread is found exactly when the last five looks, and the one before them, saw no new beat', () => {
  fc.assert(
    fc.property(fc.array(fc.boolean(), { maxLength: 60 }), (beats) => {
      const silent = (index: number) => index > 0 && !beats[index];
      const expected = beats.flatMap((_, index) =>
        [0, 1, 2, 3, 4].every((back) => silent(index - back)) ? [index] : [],
      );
      assert.deepEqual(found(beats), expected);
    }),
  );
});
