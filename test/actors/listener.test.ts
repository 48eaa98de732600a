import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Event, Input } from '../../actors/listener.ts';
import { LISTENER_DEFAULTS } from '../../src/model/gateway.ts';
import type { Step } from '../../supervisors/behavior.ts';
import { BEHAVIORS } from '../../supervisors/behaviors.ts';

const behavior = BEHAVIORS.listener!;
const at = (port: number): Input['listener'] => ({
  name: 'test/web/http',
  gateway: 'test/web',
  port,
  protocol: 'HTTP',
  ...LISTENER_DEFAULTS,
  hostnames: [],
});

test('a socket that fails while its listener moves ends the wait of whoever prepared the move', () => {
  const input: Input = { listener: at(80), drainTimeoutMs: 1_000, committed: true };
  const events: Event[] = [
    { type: 'listener.bound' },
    { type: 'prepare', listener: at(8_080) },
    { type: 'listener.failed', code: 'ENOTCONN', message: 'the socket failed' },
  ];
  const step = events.reduce<Step>(
    (before, event) => behavior.receive(before.snapshot, event),
    behavior.start(input),
  );
  assert.equal(step.ended, 'abnormal');
  assert.deepEqual(step.effects, [
    {
      type: 'answerPreparation',
      params: { name: 'test/web/http', code: 'BUSY', message: 'the socket failed' },
    },
    { type: 'closeListener', params: { name: 'test/web/http' } },
  ]);
});
