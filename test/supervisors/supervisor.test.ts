import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Behavior } from '../../supervisors/behavior.ts';
import type { AnyBindings } from '../../supervisors/effects.ts';
import type { Policy } from '../../supervisors/strategy.ts';
import { supervisorBehavior } from '../../supervisors/supervisor.ts';
import { PLAIN, plainStep } from './plain-child.ts';
import { recordedSystem } from './recorder.ts';
import { SteppingWorld } from './stepping-world.ts';

/** A child that does as it is told: `crash`, `finish`, or on `stop` ends after `stopMs`, or never. */
function puppet(log: string[]): Behavior {
  return {
    ...PLAIN,
    start(input) {
      const child = input as { name: string; stopMs: number | null };
      log.push(`start ${child.name}`);
      return plainStep(child);
    },
    receive(snapshot, event) {
      const child = snapshot as { name: string; stopMs: number | null };
      if (event.type === 'crash') return plainStep(child, { ended: 'abnormal' });
      if (event.type === 'timer.fired' || event.type === 'finish') {
        log.push(`end ${child.name}`);
        return plainStep(child, { ended: 'normal' });
      }
      log.push(`stop ${child.name}`);
      if (child.stopMs === null) return plainStep(child);
      return plainStep(child, {
        effects: [{ type: 'startTimer', params: { timer: 'end', ms: child.stopMs } }],
      });
    },
  };
}

function rig(policy: Partial<Policy>, stopping: Readonly<Record<string, number | null>> = {}) {
  const world = new SteppingWorld(() => 0);
  const log: string[] = [];
  const address = (name: string) => `n/main/puppet/${name}`;
  const bindings: AnyBindings = {
    startChild: ({ child, restarts }: { child: string; restarts: number }, scope) => {
      const name = child.split('/').at(-1)!;
      const stopMs = name in stopping ? stopping[name] : 0;
      recorded.system.start({
        address: child,
        kind: 'puppet',
        parent: scope.actor,
        input: { name, stopMs },
        restarts,
      });
      return undefined;
    },
    stopChild: ({ child }: { child: string }, { send }) => void send(child, { type: 'stop' }) as undefined,
    killChild: ({ child }: { child: string }) => {
      log.push(`kill ${child.split('/').at(-1)}`);
      recorded.system.kill(child);
      return undefined;
    },
    childGone: () => undefined,
    childIsolated: ({ child }: { child: string }) =>
      void log.push(`isolate ${child.split('/').at(-1)}`) as undefined,
  };
  const recorded = recordedSystem(world, {
    behaviors: { supervisor: supervisorBehavior, puppet: puppet(log) },
    bindings: { supervisor: bindings, puppet: {} },
  });
  recorded.system.start({
    address: 'n/main/supervisor/top',
    kind: 'supervisor',
    parent: 'n/host/test',
    input: {
      policy: {
        strategy: 'one-for-one',
        intensity: {
          restarts: 2,
          withinMs: 10_000,
          of: 'supervisor',
          exceeded: 'escalate',
          isolatedRetryMs: null,
        },
        backoff: { baseMs: 100, maxMs: 1_000 },
        ...policy,
      },
      many: false,
      children: ['a', 'b', 'c'].map((name) => ({ child: address(name), restart: 'permanent', stopMs: 500 })),
    },
  });
  const tell = (name: string, type: string) => recorded.system.send(address(name), { type });
  const take = () => log.splice(0);
  return {
    world,
    take,
    tell,
    ...recorded,
    stop: () => recorded.system.send('n/main/supervisor/top', { type: 'stop' }),
  };
}

test('children start in order and stop in reverse, one after the other', () => {
  const { take, stop, world, forwarded } = rig({}, { b: 50 });
  assert.deepEqual(take(), ['start a', 'start b', 'start c']);
  stop();
  world.advance(1_000);
  assert.deepEqual(take(), ['stop c', 'end c', 'stop b', 'end b', 'stop a', 'end a']);
  assert.equal(forwarded.length, 1);
  assert.deepEqual((forwarded[0]!.event as { outcome?: string }).outcome, 'normal');
  assert.equal(world.pending, 0, 'no timer is left');
});

test('a child that does not stop in time is ended, and the others after it', () => {
  const { take, stop, world, system } = rig({}, { b: null });
  take();
  stop();
  world.advance(499);
  assert.deepEqual(take(), ['stop c', 'end c', 'stop b']);
  world.advance(10);
  assert.deepEqual(take(), ['kill b', 'stop a', 'end a']);
  assert.deepEqual(system.report(), []);
});

test('a failed child comes back after its back-off, which doubles; a stop meanwhile gets through', () => {
  const { take, tell, world, stop, system } = rig({});
  take();
  tell('b', 'crash');
  world.advance(99);
  assert.deepEqual(take(), []);
  world.advance(1);
  assert.deepEqual(take(), ['start b']);
  assert.equal(system.report().find((one) => one.address.endsWith('/b'))!.restarts, 1);
  tell('b', 'crash');
  world.advance(199);
  assert.deepEqual(take(), []);
  stop();
  world.advance(10_000);
  assert.deepEqual(take(), ['stop c', 'end c', 'stop a', 'end a']);
});

test('one-for-all stops the others in reverse, one after the other, and starts all in order', () => {
  const { take, tell, world } = rig({ strategy: 'one-for-all' }, { a: 300, c: 50 });
  take();
  tell('b', 'crash');
  world.advance(49);
  assert.deepEqual(take(), ['stop c']);
  world.advance(300);
  assert.deepEqual(take(), ['end c', 'stop a']);
  world.advance(1);
  assert.deepEqual(take(), ['end a', 'start a', 'start b', 'start c']);
});

test('rest-for-one leaves those that were started before alone', () => {
  const { take, tell, world } = rig({ strategy: 'rest-for-one' });
  take();
  tell('b', 'crash');
  world.advance(100);
  assert.deepEqual(take(), ['stop c', 'end c', 'start b', 'start c']);
});

test('too many failures escalate: the children are stopped and the supervisor fails itself', () => {
  const { take, tell, world, forwarded } = rig({});
  take();
  for (let round = 0; round < 3; round += 1) {
    tell('a', 'crash');
    world.advance(1_000);
  }
  assert.deepEqual(take(), ['start a', 'start a', 'stop c', 'end c', 'stop b', 'end b']);
  assert.deepEqual(
    forwarded.map(({ event }) => [
      (event as { outcome?: string }).outcome,
      (event as { reason?: string }).reason,
    ]),
    [['abnormal', 'gave_up']],
  );
});

test('an isolated child is left out and tried again at a slow pace; the rest goes on', () => {
  const { take, tell, world } = rig({
    intensity: { restarts: 1, withinMs: 10_000, of: 'child', exceeded: 'isolate', isolatedRetryMs: 30_000 },
  });
  take();
  tell('a', 'crash');
  world.advance(100);
  tell('a', 'crash');
  assert.deepEqual(take(), ['start a', 'isolate a']);
  tell('b', 'crash');
  world.advance(100);
  assert.deepEqual(take(), ['start b']);
  world.advance(30_000);
  assert.deepEqual(take(), ['start a']);
});

test('whatever fails and however: a stop ends everything, and no timer is left', () => {
  fc.assert(
    fc.property(
      fc.constantFrom('one-for-one' as const, 'one-for-all' as const, 'rest-for-one' as const),
      fc.constantFrom('escalate' as const, 'isolate' as const),
      fc.array(
        fc.oneof(
          fc.record({
            name: fc.constantFrom('a', 'b', 'c'),
            how: fc.constantFrom('crash', 'finish', 'stop'),
          }),
          fc.record({ ms: fc.nat(700) }),
        ),
        { maxLength: 30 },
      ),
      (strategy, exceeded, moves) => {
        const { system, world, tell, stop, forwarded, notices } = rig(
          {
            strategy,
            intensity: { restarts: 3, withinMs: 5_000, of: 'supervisor', exceeded, isolatedRetryMs: 20_000 },
          },
          { a: 30, b: null, c: 0 },
        );
        for (const one of moves) {
          if ('ms' in one) world.advance(one.ms);
          else if (system.has(`n/main/puppet/${one.name}`)) tell(one.name, one.how);
        }
        if (forwarded.length === 0) stop();
        world.advance(60_000);
        assert.deepEqual(system.report(), []);
        assert.equal(forwarded.length, 1);
        assert.equal(world.pending, 0);
        assert.deepEqual(
          notices.filter((notice) => notice.type !== 'undeliverable'),
          [],
        );
      },
    ),
    { numRuns: 500 },
  );
});
