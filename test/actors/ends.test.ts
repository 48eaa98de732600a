import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { AnyStateMachine } from 'xstate';
import { machine as worker } from '../../actors/dataplane-worker.ts';
import { machine as listener } from '../../actors/listener.ts';
import { machineBehavior } from '../../supervisors/behavior.ts';

type Events = readonly { readonly type: string; readonly [field: string]: unknown }[];

/** How the actor ends with the last of the events. */
function end(machine: unknown, input: unknown, events: Events) {
  const behavior = machineBehavior(machine as AnyStateMachine);
  let step = behavior.start(input);
  for (const event of events) step = behavior.receive(step.snapshot, event);
  return [step.ended, step.reason, step.message];
}

const WORKER = { worker: 1, startTimeoutMs: 1_000, drainTimeoutMs: 1_000 };
const ready = { type: 'worker.ready' };
const over = { type: 'worker.exited', code: 1, message: 'terminated', doing: '' };

test('a worker that is lost says what happened to its thread, and what that was at', () => {
  const exited = { type: 'worker.exited', code: 3, message: 'exited with code 3' };
  const hung = { type: 'worker.hung', call: 'heartbeat', silentMs: 500 };
  const at = 'prepare route/default/shop';
  const cases: readonly (readonly [Events, string])[] = [
    [[ready, { ...exited, doing: '' }], 'exited with code 3'],
    [[{ ...exited, doing: at }], `exited with code 3, while it was at: ${at}`],
    [[ready, hung, over], 'did not answer for 500 ms'],
    [[ready, { ...hung, doing: at }, over], `did not answer for 500 ms, while it was at: ${at}`],
    [[{ type: 'timer.fired', timer: 'start' }, over], 'did not start in time'],
    [
      [ready, { type: 'child.exited', reason: 'gave_up', message: 'pools keeps failing: no memory' }, over],
      'pools keeps failing: no memory',
    ],
    [[ready, { type: 'child.exited', reason: 'gave_up' }, over], 'gave_up'],
  ];
  for (const [events, said] of cases) {
    const [ended, , message] = end(worker, WORKER, events);
    assert.deepEqual([ended, message], ['abnormal', said]);
  }
});

test('a listener that fails says what the system said', () => {
  const input = {
    listener: { name: 'default/web/http', port: 80, protocol: 'HTTP' },
    drainTimeoutMs: 1,
    committed: true,
  };
  const refused = { type: 'listener.refused', code: 'EADDRINUSE', message: 'port 80 is taken' };
  assert.deepEqual(end(listener, input, [refused]), ['abnormal', 'bind_refused', 'port 80 is taken']);
});

test('who ends as it should has nothing to say', () => {
  const stop = [ready, { type: 'stop' }, { type: 'worker.drained', cut: 0 }, over];
  assert.deepEqual(end(worker, WORKER, stop), ['normal', 'terminated', undefined]);
});
