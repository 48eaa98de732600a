import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { sortInTurns, Turns } from '../../src/os/turns.ts';

test('sorting in turns sorts as sort does', async () => {
  const text = fc.oneof(
    fc.string({ unit: 'grapheme', maxLength: 4 }),
    fc.constantFrom('a', 'b', '\u{10000}', '\uffff'),
  );
  await fc.assert(
    fc.asyncProperty(
      fc.array(text, { maxLength: 60 }),
      fc.integer({ min: 1, max: 80 }),
      async (values, times) => {
        const many = Array.from({ length: times }, () => values).flat();
        assert.deepEqual(await sortInTurns(many, new Turns()), many.toSorted());
      },
    ),
  );
});

test('others run while something large is sorted', async () => {
  const values = Array.from({ length: 200_000 }, (_, index) => `key-${(index * 7919) % 200_003}`);
  let turns = 0;
  const ticking = setInterval(() => {
    turns += 1;
  }, 0);
  const sorted = await sortInTurns(values, new Turns());
  clearInterval(ticking);
  assert.ok(turns > 0);
  assert.deepEqual(sorted, values.toSorted());
});
