import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { AnyStateMachine } from 'xstate';
import { MACHINES } from '../../actors/catalogue.ts';
import { CLUSTER_DEFAULTS } from '../../src/model/cluster.ts';
import { LISTENER_DEFAULTS } from '../../src/model/gateway.ts';
import type { ActorEvent, Step } from '../../supervisors/behavior.ts';
import { machineBehavior } from '../../supervisors/behavior.ts';

const listener = { name: 'a', gateway: 'g', port: 80, protocol: 'HTTP', ...LISTENER_DEFAULTS, hostnames: [] };
const cluster = {
  name: 'c',
  ...CLUSTER_DEFAULTS,
  connectTimeoutMs: 1,
  idleTimeoutMs: 1,
  maxConnections: 1,
  maxPendingRequests: 1,
};

const INPUTS: Readonly<Record<string, unknown>> = {
  'circuit-breaker': { cluster: 'c' },
  'config-stream': { connectTimeoutMs: 100, reportIntervalMs: 100 },
  'dataplane-worker': { worker: 0, startTimeoutMs: 100, drainTimeoutMs: 100 },
  listener: { listener, drainTimeoutMs: 100, committed: false },
  rollout: { workers: [], expected: [], pending: false, nonce: 0, version: '', answerTimeoutMs: 100 },
  'upstream-pool': { cluster, limitSlot: 0, drainTimeoutMs: 100 },
};

/** Every field that any event has; each machine reads its own. */
const fields = fc.record({
  timer: fc.constantFrom(
    'drain',
    'start',
    'connect',
    'reconnect',
    'report',
    'answer',
    'retry',
    'gather',
    'endpoint:e',
  ),
  limit: fc.constantFrom('maxConnections', 'maxPendingRequests'),
  endpoint: fc.constantFrom('e', 'f'),
  worker: fc.nat(2),
  rollout: fc.nat(3),
  nonce: fc.nat(3),
  failures: fc.constantFrom([], [{ key: 'listener/a', reason: 'AddressInUse', message: '' }]),
  standing: fc.constantFrom([], [{ key: 'listener/a', reason: 'AddressInUse', message: '' }]),
  draw: fc.double({ min: 0, max: 0.999, noNaN: true }),
});
const fixed = {
  listener,
  cluster,
  limitSlot: 1,
  failure: { key: 'listener/a', reason: 'ListenerFailed', message: '' },
  code: 'E',
  message: 'm',
  reason: 'r',
  version: 'v',
  base: '',
  keys: [],
  cut: 0,
};

for (const [kind, { machine: typed, REASONS }] of Object.entries(MACHINES)) {
  const machine = typed as unknown as AnyStateMachine;
  const behavior = machineBehavior(machine);
  const states = Object.keys(machine.states);
  const events = fc.array(fc.record({ type: fc.constantFrom(...machine.events), more: fields }), {
    maxLength: 40,
  });

  test(`${kind}: any events in any order leave it in a state of its own, with a reason of its own, and replay`, () => {
    fc.assert(
      fc.property(events, (sequence) => {
        const run = (): Step[] => {
          const steps = [behavior.start(INPUTS[kind])];
          for (const { type, more } of sequence) {
            const before = steps.at(-1)!;
            if (before.ended !== null) break;
            const event = { ...fixed, ...more, type } as ActorEvent;
            const step = behavior.receive(before.snapshot, event);
            if (step.outcome === 'unexpected') assert.equal(step.snapshot, before.snapshot);
            else
              assert.ok(
                (REASONS as readonly string[]).includes(step.reason),
                `${step.state}: ${step.reason}`,
              );
            assert.ok(states.includes(step.state));
            for (const effect of step.effects)
              if (effect.type === 'startTimer')
                assert.ok(Number.isFinite(effect.params.ms) && (effect.params.ms as number) >= 0);
            steps.push(step);
          }
          return steps;
        };
        const shown = (steps: readonly Step[]) =>
          steps.map(({ snapshot, ...rest }) => ({ ...rest, memory: behavior.describe(snapshot) }));
        assert.deepEqual(shown(run()), shown(run()));
      }),
      { numRuns: 300 },
    );
  });

  test(`${kind}: a checkpoint after any events and a replay of the rest is the same as a replay of the whole`, () => {
    fc.assert(
      fc.property(events, fc.nat(40), (sequence, cut) => {
        let whole = behavior.start(INPUTS[kind]);
        let resumed: Step | null = null;
        for (const [index, { type, more }] of sequence.entries()) {
          if (whole.ended !== null) break;
          if (index === cut) {
            const memory: unknown = JSON.parse(JSON.stringify(behavior.save(whole.snapshot)));
            resumed = { ...whole, snapshot: behavior.restore(memory) };
          }
          const event = { ...fixed, ...more, type } as ActorEvent;
          whole = behavior.receive(whole.snapshot, event);
          if (resumed === null) continue;
          resumed = behavior.receive(resumed.snapshot, event);
          const shown = ({ snapshot, ...rest }: Step) => ({
            ...rest,
            memory: JSON.stringify(behavior.save(snapshot)),
          });
          assert.deepEqual(shown(resumed), shown(whole));
        }
      }),
      { numRuns: 300 },
    );
  });
}
