import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PersistentMap } from '../../supervisors/persistent-map.ts';
import { supervisorBehavior } from '../../supervisors/supervisor.ts';
import type { SupervisorInput } from '../../supervisors/supervisor-state.ts';
import { TREE } from '../../supervisors/tree.ts';

/** Copies of whole lists of children while `run` runs, in children copied: time is no measure on a busy machine. */
function copied(run: () => void): number {
  const { values, entries } = PersistentMap.prototype;
  let children = 0;
  const counted = (original: () => unknown[]) =>
    function (this: PersistentMap<unknown, unknown>): never {
      const list = original.call(this);
      children += list.length;
      return list as never;
    };
  PersistentMap.prototype.values = counted(values);
  PersistentMap.prototype.entries = counted(entries);
  try {
    run();
  } finally {
    Object.assign(PersistentMap.prototype, { values, entries });
  }
  return children;
}

for (const many of [true, false])
  test(`the work of a mass start, exits and stop grows with the children, not with their square (${many ? 'all at once' : 'one after the other'})`, () => {
    const work = (count: number): number => {
      const children = Array.from({ length: count }, (_, index) => ({
        child: `n/dataplane-0/upstream-pool/${index}`,
        restart: 'transient' as const,
        stopMs: 1_000,
      }));
      const { strategy, intensity, backoff } = TREE.dataplane.children[0];
      const input: SupervisorInput = { policy: { strategy, intensity, backoff }, many, children: [] };
      return copied(() => {
        let { snapshot } = supervisorBehavior.start(input);
        const tell = (event: { readonly type: string }) => {
          const step = supervisorBehavior.receive(snapshot, event);
          snapshot = step.snapshot;
          return step;
        };
        const exit = (child: string, outcome: string, at: number) =>
          tell({ type: 'child.exited', child, outcome, reason: 'r', at, draw: 0 } as { type: string });
        tell({ type: 'child.start', children } as { type: string });
        for (const [index, { child }] of children.entries()) {
          exit(child, 'abnormal', index);
          tell({ type: 'timer.fired', timer: `restart:${child}` } as { type: string });
        }
        tell({ type: 'stop' });
        let last = null as ReturnType<typeof tell> | null;
        for (const { child } of children.toReversed()) last = exit(child, 'normal', count);
        assert.equal(last?.ended, 'normal');
      });
    };
    const [few, manyMore] = [work(1_000), work(10_000)];
    assert.ok(few > 0 && manyMore <= few * 11, `${few} for 1,000, ${manyMore} for 10,000`);
  });
