import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import type { AnyStateMachine } from 'xstate';
import { MACHINES } from '../../actors/catalogue.ts';
import { alwaysTargets, finalStates, table, tableText } from './table.ts';

for (const [kind, { machine: typed, REASONS }] of Object.entries(MACHINES)) {
  const machine = typed as unknown as AnyStateMachine;

  test(`${kind}: every state and event has the outcome that the reviewed table lists`, () => {
    const file = new URL(`./tables/${kind}.txt`, import.meta.url);
    const text = tableText(machine);
    if (process.env.NOVAEDGE_GOLDEN === 'write') writeFileSync(file, text);
    assert.equal(text, readFileSync(file, 'utf8'));
  });

  test(`${kind}: every transition has a reason, reasons are closed and each is used`, () => {
    const used = new Set<string>();
    for (const [state, events] of table(machine))
      for (const [event, outcomes] of events)
        for (const { reason } of outcomes) {
          assert.notEqual(reason, '', `${state} × ${event} has no reason`);
          used.add(reason);
        }
    assert.deepEqual([...used].sort(), [...REASONS].sort());
  });

  test(`${kind}: every state can be reached, and leads to an end`, () => {
    const next = new Map<string, Set<string>>();
    for (const [state, events] of table(machine)) {
      const targets = [...events.values()].flat().flatMap(({ target }) => (target === null ? [] : [target]));
      next.set(state, new Set([...targets, ...alwaysTargets(machine, state)]));
    }
    const reach = (from: string): Set<string> => {
      const seen = new Set([from]);
      for (const state of seen) for (const target of next.get(state) ?? []) seen.add(target);
      return seen;
    };
    const initial = String(machine.root.initial.target[0]!.key);
    assert.deepEqual([...reach(initial)].sort(), Object.keys(machine.states).sort());
    for (const state of next.keys())
      assert.ok(
        finalStates(machine).some((end) => reach(state).has(end)),
        `${state} is a dead end`,
      );
  });
}
