import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { LimitSlots } from '../../src/agent/limit-slots.ts';
import { CounterMemories } from '../../src/agent/worker-counters.ts';
import { LIMIT_CONNECTIONS, LIMIT_SLOTS, limitTotalIndex, limitWorkerIndex } from '../../src/model/limits.ts';

test('a dead worker’s share is taken back, the others keep theirs', () => {
  fc.assert(
    fc.property(
      fc.array(fc.record({ worker: fc.nat(2), cluster: fc.nat(3), count: fc.integer({ min: 1, max: 5 }) })),
      fc.nat(2),
      (takes, dead) => {
        const limits = new LimitSlots(3);
        const values = new Int32Array(limits.memory);
        for (const { worker, cluster, count } of takes) {
          const slot = limits.slot(`c${cluster}`)!;
          Atomics.add(values, limitTotalIndex(slot, LIMIT_CONNECTIONS), count);
          Atomics.add(values, limitWorkerIndex(worker, slot, LIMIT_CONNECTIONS), count);
        }
        limits.takeBack(dead);
        for (let cluster = 0; cluster < 4; cluster += 1) {
          const slot = limits.slot(`c${cluster}`)!;
          const left = takes.filter((take) => take.cluster === cluster && take.worker !== dead);
          assert.equal(
            values[limitTotalIndex(slot, LIMIT_CONNECTIONS)],
            left.reduce((sum, take) => sum + take.count, 0),
          );
          assert.equal(values[limitWorkerIndex(dead, slot, LIMIT_CONNECTIONS)], 0);
        }
      },
    ),
  );
});

test('a slot goes to another cluster only when nobody holds anything there, and back to its own at any time', () => {
  const limits = new LimitSlots(1);
  const values = new Int32Array(limits.memory);
  for (let each = 0; each < LIMIT_SLOTS; each += 1) assert.equal(limits.slot(`c${each}`), each);
  assert.equal(limits.slot('one more'), undefined);
  values[limitTotalIndex(7, LIMIT_CONNECTIONS)] = 1;
  limits.release('c7');
  assert.equal(limits.slot('one more'), undefined);
  assert.equal(limits.slot('c7'), 7);
  limits.release('c7');
  values[limitTotalIndex(7, LIMIT_CONNECTIONS)] = 0;
  assert.equal(limits.slot('one more'), 7);
  assert.equal(limits.slot('c7'), undefined);
});

test('counters outlive their worker and restarts do not pile up; gauges end with it', () => {
  const memories = new CounterMemories();
  for (let life = 1; life <= 100; life += 1) {
    const { memory, registrations } = memories.start(0);
    // Each life may count in another place.
    const at = life % 3;
    registrations.push({
      metric: 'request_count',
      labels: { listener: 'l', route: 'r', code: '200' },
      index: at,
    });
    registrations.push({ metric: 'open_connections', labels: { listener: 'l' }, index: at + 1 });
    registrations.push({ metric: 'upstream_rtt', labels: { cluster: 'c' }, index: at + 2 });
    const values = new Float64Array(memory);
    values[at] = 2;
    values[at + 1] = 9;
    values[at + 2] = 1;
    const totals = memories.totals();
    assert.equal(totals['request_count{code="2xx"}'], 2 * life);
    assert.equal(totals.open_connections, 9);
    assert.equal(totals.upstream_rtt_count, life);
  }
  assert.equal(memories.list().length, 2);
  memories.retire(0);
  assert.equal(memories.totals().open_connections, undefined);
  assert.equal(memories.totals()['request_count{code="2xx"}'], 200);
});
