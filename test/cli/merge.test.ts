import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { mergeRecords } from '../../src/cli/replay/merge.ts';
import type { JournalRecord } from '../../supervisors/record.ts';
import { recordId } from '../../supervisors/record.ts';

const THREADS = ['main', 'dataplane-0', 'dataplane-1'];

interface Drawn {
  readonly thread: number;
  readonly restart: boolean;
  /** Which of the events so far led to it; beyond them: none did. */
  readonly cause: number;
  readonly ms: number;
  /** How wrong the clock is that stamps it. */
  readonly skew: number;
}

/** Events in the order in which they happened, each stamped by a clock that may be wrong. */
function history(drawn: readonly Drawn[]): JournalRecord[] {
  const lives = THREADS.map(() => ({ run: 1, seq: 0 }));
  const records: JournalRecord[] = [];
  let now = 1_000_000;
  for (const { thread, restart, cause, ms, skew } of drawn) {
    const life = lives[thread]!;
    if (restart) {
      life.run += 2;
      life.seq = 0;
    }
    life.seq += 1;
    now += ms;
    const led = records[cause];
    records.push({
      v: 2,
      run: life.run,
      seq: life.seq,
      mono: now,
      wall: now + skew,
      thread: THREADS[thread]!,
      actor: `n/${THREADS[thread]}/listener/a`,
      from: 'n/main/world',
      cause: led === undefined ? '' : recordId(led),
      event: { type: 'happened' },
    });
  }
  return records;
}

const drawn = (skew: fc.Arbitrary<number>) =>
  fc.array(
    fc.record({
      thread: fc.nat(THREADS.length - 1),
      restart: fc.integer({ min: 0, max: 9 }).map((value) => value === 0),
      cause: fc.nat(120),
      ms: fc.nat(3),
      skew,
    }),
    { maxLength: 80 },
  );
const shuffled = (records: readonly JournalRecord[]) =>
  fc.shuffledSubarray([...records], { minLength: records.length });

test('merged: each record once, each thread in its own order, no event before its cause, however wrong the clocks', () => {
  fc.assert(
    fc.property(
      drawn(fc.integer({ min: -50, max: 50 })).chain((all) => shuffled(history(all))),
      (records) => {
        const merged = mergeRecords([...records, ...records.slice(0, 3)]);
        assert.deepEqual(merged.map(recordId).sort(), records.map(recordId).sort());
        const place = new Map(merged.map((record, index) => [recordId(record), index]));
        for (const [index, record] of merged.entries()) {
          if (record.cause !== '')
            assert.ok(place.get(record.cause)! < index, `${recordId(record)} before its cause`);
          const before = merged.slice(0, index).findLast((one) => one.thread === record.thread);
          if (before !== undefined)
            assert.ok(before.run < record.run || (before.run === record.run && before.seq < record.seq));
        }
      },
    ),
    { numRuns: 300 },
  );
});

test('merged: where the clocks are right, it is the order of the clock', () => {
  fc.assert(
    fc.property(
      drawn(fc.constant(0)).chain((all) => shuffled(history(all))),
      (records) => {
        const walls = mergeRecords(records).map(({ wall }) => wall);
        assert.deepEqual(
          walls,
          [...walls].sort((a, b) => a - b),
        );
      },
    ),
    { numRuns: 300 },
  );
});

test('merged: causes that wait for each other, which only damage makes, do not stop it', () => {
  const [one, two] = history([
    { thread: 0, restart: false, cause: 99, ms: 1, skew: 0 },
    { thread: 1, restart: false, cause: 99, ms: 1, skew: 0 },
  ]);
  const tangled = [
    { ...one!, cause: recordId(two!) },
    { ...two!, cause: recordId(one!) },
  ];
  assert.equal(mergeRecords(tangled).length, 2);
});
