import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Behavior } from '../../supervisors/behavior.ts';
import type { AnyBindings } from '../../supervisors/effects.ts';
import type { Policy } from '../../supervisors/strategy.ts';
import { supervisorBehavior } from '../../supervisors/supervisor.ts';
import { described, lives, restored, type State, saved } from '../../supervisors/supervisor-state.ts';
import type { ActorSystem } from '../../supervisors/system.ts';
import { OtpModel } from './otp-model.ts';
import { PLAIN, plainStep } from './plain-child.ts';
import { recordedSystem } from './recorder.ts';
import { SteppingWorld } from './stepping-world.ts';

const policies: fc.Arbitrary<Policy> = fc.record({
  strategy: fc.constantFrom('one-for-one', 'one-for-all', 'rest-for-one'),
  intensity: fc.record({
    restarts: fc.nat(3),
    withinMs: fc.constantFrom(500, 2_000),
    of: fc.constantFrom('supervisor', 'child'),
    exceeded: fc.constantFrom('escalate', 'isolate'),
    isolatedRetryMs: fc.constantFrom(null, 3_000),
  }),
  backoff: fc.record({ baseMs: fc.constantFrom(10, 100), maxMs: fc.constantFrom(100, 1_000) }),
});

const children = fc
  .array(
    fc.record({
      restart: fc.constantFrom('permanent', 'transient', 'temporary'),
      stopMs: fc.constantFrom(50, 400),
      /** How long it takes to stop when asked; null: for ever. */
      takesMs: fc.constantFrom(0, 30, 300, null),
    }),
    { minLength: 1, maxLength: 5 },
  )
  .map((list) => list.map((child, index) => ({ ...child, name: 'abcde'[index]! })));

const moves = fc.array(
  fc.oneof(
    { weight: 4, arbitrary: fc.record({ child: fc.nat(4), end: fc.constantFrom('normal', 'abnormal') }) },
    { weight: 3, arbitrary: fc.record({ ms: fc.nat(300) }) },
    { weight: 1, arbitrary: fc.record({ ms: fc.nat(4_000) }) },
  ),
  { maxLength: 40 },
);

test('whatever ends whenever, a supervisor does as OTP says', () => {
  const seen = new Map<string, number>();
  fc.assert(
    fc.property(
      policies,
      fc.boolean(),
      children,
      moves,
      fc.infiniteStream(fc.double({ min: 0, max: 0.999, noNaN: true })),
      (policy, many, specs, steps, draws) => {
        const world = new SteppingWorld(() => draws.next().value as number);
        const model = new OtpModel(policy, many, specs);
        const see = (entry: string) => {
          const what = entry.split(' ')[0]!;
          seen.set(what, (seen.get(what) ?? 0) + 1);
          model.see(entry, world.now());
        };
        const system = puppetSystem(world, specs, see);
        system.start({
          address: TOP,
          kind: 'supervisor',
          parent: 'n/host/test',
          input: {
            policy,
            many,
            children: specs.map(({ name, restart, stopMs }) => ({ child: address(name), restart, stopMs })),
          },
        });
        for (const step of steps) {
          if (model.over) break;
          if ('ms' in step) world.advance(step.ms);
          else {
            const { name } = specs[step.child % specs.length]!;
            if (system.has(address(name))) system.send(address(name), { type: step.end });
          }
          assert.ok(model.settled);
        }
        if (!model.over) {
          see('stop');
          system.send(TOP, { type: 'stop' });
        }
        const longest = specs.reduce((sum, { stopMs }) => sum + stopMs, 0);
        world.advance(longest);
        assert.ok(model.over, 'it has ended by the sum of the deadlines');
        assert.deepEqual(system.report(), []);
        assert.equal(world.pending, 0, 'no timer is left');
        const { restarts, withinMs, of } = policy.intensity;
        for (const { at, name } of model.charged) {
          const within = model.charged.filter(
            (one) => one.at <= at && at - one.at < withinMs && (of === 'supervisor' || one.name === name),
          );
          assert.ok(within.length <= restarts, 'never more restarts in a window than the intensity');
        }
      },
    ),
    { numRuns: 3_000 },
  );
  for (const what of ['start', 'ask', 'exit', 'kill', 'isolate', 'over', 'stop'])
    assert.ok((seen.get(what) ?? 0) > 100, `${what} was tried ${seen.get(what)} times`);
});

/** As if it had been written down and read again before each event: nothing of it may be lost by that. */
const forgetful: Behavior = {
  ...supervisorBehavior,
  receive(snapshot, event) {
    const state = restored(JSON.parse(JSON.stringify(saved(snapshot as State))));
    const { children, absent } = described(state);
    assert.equal(absent, children.filter((child) => !lives(child)).length);
    return supervisorBehavior.receive(state, event);
  },
};

const TOP = 'n/main/supervisor/top';

function address(name: string): string {
  return `n/main/puppet/${name}`;
}

interface Puppet {
  readonly name: string;
  readonly takesMs: number | null;
}

/** Children that end when they are told to, and take their time when they are asked to stop; `see` gets the story. */
function puppetSystem(
  world: SteppingWorld,
  specs: readonly Puppet[],
  see: (entry: string) => void,
): ActorSystem {
  const puppet: Behavior = {
    ...PLAIN,
    start: (input) => plainStep(input as Puppet),
    receive(snapshot, event) {
      const self = snapshot as Puppet;
      if (event.type === 'stop')
        return self.takesMs === null
          ? plainStep(self)
          : plainStep(self, {
              effects: [{ type: 'startTimer', params: { timer: 'end', ms: self.takesMs } }],
            });
      const ended = event.type === 'abnormal' ? 'abnormal' : 'normal';
      see(`exit ${self.name} ${ended}`);
      return plainStep(self, { ended });
    },
  };
  const name = (child: string) => child.split('/').at(-1)!;
  const bindings: AnyBindings = {
    startChild: ({ child }: { child: string }, { actor }) => {
      see(`start ${name(child)}`);
      const input = specs.find((one) => one.name === name(child));
      system.start({ address: child, kind: 'puppet', parent: actor, input });
      return undefined;
    },
    stopChild: ({ child }: { child: string }, { send }) => {
      see(`ask ${name(child)}`);
      send(child, { type: 'stop' });
      return undefined;
    },
    killChild: ({ child }: { child: string }) => {
      see(`kill ${name(child)}`);
      system.kill(child);
      return undefined;
    },
    childGone: () => undefined,
    childIsolated: ({ child }: { child: string }) => {
      see(`isolate ${name(child)}`);
      return undefined;
    },
  };
  const { system } = recordedSystem(world, {
    behaviors: { supervisor: forgetful, puppet },
    bindings: { supervisor: bindings, puppet: {} },
    onNotice: (notice) => assert.equal(notice.type, 'undeliverable', notice.message),
    forward: ({ event }) => see(`over ${(event as { outcome?: string }).outcome}`),
  });
  return system;
}
