import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Event } from '../../actors/config-stream.ts';
import type { NamedEffect } from '../../supervisors/behavior.ts';
import { BEHAVIORS } from '../../supervisors/behaviors.ts';

const stream = BEHAVIORS['config-stream']!;

/** The effects of the last of the events. */
function effects(...events: readonly Event[]): readonly NamedEffect[] {
  let step = stream.start({ connectTimeoutMs: 1_000, reportIntervalMs: 5_000 });
  for (const event of events) step = stream.receive(step.snapshot, event);
  return step.effects;
}

const staged = (nonce: number, version: string): Event => ({ type: 'update.staged', nonce, version });
const finished = (nonce: number, version: string): Event => ({
  type: 'rollout.finished',
  nonce,
  version,
  failures: [],
});
const names = (list: readonly NamedEffect[]) => list.map(({ type }) => type);

test('a rollout begun under a controller that has started again answers none of its updates', () => {
  const events: Event[] = [
    { type: 'connected' },
    staged(1, 'old'),
    { type: 'disconnected', reason: 'gone', draw: 0 },
    { type: 'timer.fired', timer: 'reconnect' },
    { type: 'connected' },
    // The new controller counts from 1 again.
    staged(1, 'new'),
    finished(1, 'old'),
  ];
  assert.deepEqual(names(effects(...events)), ['sendReport']);
  assert.deepEqual(effects(...events, finished(1, 'new')), [
    { type: 'ack', params: { nonce: 1, version: 'new' } },
  ]);
});
