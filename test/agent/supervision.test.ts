import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Supervision, supervisorBindings } from '../../src/agent/supervision.ts';
import type { Behavior } from '../../supervisors/behavior.ts';
import { supervisorBehavior } from '../../supervisors/supervisor.ts';
import type { ActorNode, SupervisorNode } from '../../supervisors/tree.ts';
import { PLAIN, plainStep } from '../supervisors/plain-child.ts';
import { recordedSystem } from '../supervisors/recorder.ts';
import { SteppingWorld } from '../supervisors/stepping-world.ts';

type Story = { readonly what: string; readonly name: string; readonly at: number }[];

const KIND = 'upstream-pool';
const ALONE = {
  strategy: 'one-for-one',
  intensity: { restarts: 1, withinMs: 1_000, of: 'child', exceeded: 'isolate', isolatedRetryMs: null },
  backoff: { baseMs: 100, maxMs: 100 },
} as const;
const LEAF: ActorNode = { kind: KIND, restart: 'permanent', stopMs: { afterDrain: 500 }, many: true };

/** A tree of supervisors over children that obey, or hang when asked to stop. */
function rig(
  tree: SupervisorNode,
  options: {
    readonly names: readonly string[];
    readonly hangs?: readonly string[];
    readonly input?: (name: string) => unknown;
  },
) {
  const world = new SteppingWorld(() => 0);
  const story: Story = [];
  const tell = (what: string, name: string) => story.push({ what, name, at: world.now() });
  const obedient: Behavior = {
    ...PLAIN,
    start(input) {
      tell('start', String(input));
      return plainStep(input);
    },
    receive(name, event) {
      if (event.type === 'crash') {
        tell('crash', String(name));
        const { message } = event as { message?: string };
        return plainStep(name, {
          ended: 'abnormal',
          reason: 'crashed',
          ...(message === undefined ? {} : { message }),
        });
      }
      tell('stop', String(name));
      return options.hangs?.includes(String(name)) === true
        ? plainStep(name)
        : plainStep(name, { ended: 'normal' });
    },
  };
  const overseer: Behavior = {
    ...supervisorBehavior,
    receive(snapshot, event) {
      const after = supervisorBehavior.receive(snapshot, event);
      if (after.ended !== null) tell(`over ${after.ended}`, 'supervisor');
      return after;
    },
  };
  let ended: string | null = null;
  let why: string | undefined;
  const { system } = recordedSystem(world, {
    thread: 't',
    behaviors: { supervisor: overseer, [KIND]: obedient },
    bindings: { supervisor: supervisorBindings(() => supervision), [KIND]: {} },
    onNotice: (notice) => assert.equal(notice.type, 'undeliverable', notice.message),
    forward: ({ event }) => {
      const { outcome, message } = event as { outcome?: string; message?: string };
      ended = outcome ?? null;
      why = message;
    },
  });
  const supervision: Supervision = new Supervision({
    node: 'n',
    thread: 't',
    tree,
    system: () => system,
    world,
    drainTimeoutMs: 2_000,
    source: {
      children: () => options.names,
      input: (_kind, name) => (options.input === undefined ? name : options.input(name)),
      gone: (_kind, name, reason) => tell(`gone ${reason}`, name),
      killed: (_kind, name) => tell('killed', name),
      restarted: () => {},
      isolated: (_kind, name, reason) => tell(`isolated ${reason}`, name),
    },
  });
  supervision.startTree(tree.supervisor, 'n/host/test');
  return {
    world,
    story,
    system,
    supervision,
    crash: (name: string, message?: string) =>
      system.send(supervision.address(KIND, name), { type: 'crash', ...(message && { message }) }),
    stop: () => system.send(supervision.address('supervisor', tree.supervisor), { type: 'stop' }),
    ended: () => ended,
    why: () => why,
    said: () => story.splice(0).map(({ what, name }) => `${what} ${name}`),
  };
}

const FLAT: SupervisorNode = { supervisor: 'top', ...ALONE, children: [LEAF] };

test('one that never stops is ended after the drain timeout and its grace, what it held is released, and the tree ends', () => {
  const { world, said, stop, ended } = rig(FLAT, { names: ['a', 'b'], hangs: ['a'] });
  said();
  stop();
  world.advance(2_499);
  assert.deepEqual(said(), ['stop b', 'stop a']);
  assert.equal(ended(), null);
  world.advance(1);
  assert.deepEqual(said(), ['over normal supervisor', 'killed a']);
  assert.equal(ended(), 'normal');
  assert.equal(world.pending, 0);
});

test('an input that cannot be made fails the child alone, and is tried again', () => {
  let broken = true;
  const { world, said, supervision, system } = rig(FLAT, {
    names: ['a', 'b'],
    input: (name) => {
      if (name === 'a' && broken) throw new Error('no such certificate');
      return name;
    },
  });
  assert.deepEqual(said(), ['start b']);
  const [absent] = supervision.absent();
  assert.deepEqual(
    [absent?.address, absent?.parent, absent?.state, absent?.reason],
    ['n/t/upstream-pool/a', 'n/t/supervisor/top', 'restart_waits', 'no such certificate'],
  );
  broken = false;
  world.advance(100);
  assert.deepEqual(said(), ['start a']);
  assert.deepEqual(supervision.absent(), []);
  assert.equal(system.report().length, 3);
});

test('one that nobody wishes any more at its restart is forgotten', () => {
  let wished = true;
  const { world, said, crash, supervision, stop, ended } = rig(FLAT, {
    names: ['a'],
    input: (name) => (wished ? name : undefined),
  });
  crash('a');
  wished = false;
  world.advance(100);
  assert.deepEqual(said(), ['start a', 'crash a', 'gone not_wished a']);
  assert.deepEqual(supervision.absent(), []);
  stop();
  assert.equal(ended(), 'normal');
});

test('a child that is given up is shown with its reason and since when, though it does not live', () => {
  const { world, crash, supervision, said } = rig(FLAT, { names: ['a', 'b'] });
  crash('a');
  world.advance(100);
  crash('a');
  world.advance(700);
  assert.deepEqual(said().at(-1), 'isolated crashed a');
  assert.deepEqual(supervision.absent(), [
    {
      address: 'n/t/upstream-pool/a',
      parent: 'n/t/supervisor/top',
      thread: 't',
      state: 'given_up',
      reason: 'crashed',
      since: 1_000_100,
      restarts: 1,
      mailbox: 0,
    },
  ]);
});

test('who says why it ended is shown with that, and whoever gives up over it says so too', () => {
  const alone = rig(FLAT, { names: ['a'] });
  alone.crash('a', 'did not answer for 500 ms');
  assert.deepEqual(
    alone.supervision.absent().map(({ state, reason }) => [state, reason]),
    [['restart_waits', 'did not answer for 500 ms']],
  );
  alone.world.advance(100);
  alone.crash('a', 'exited with code 3');
  assert.equal(alone.said().at(-1), 'isolated exited with code 3 a');
  assert.equal(alone.supervision.absent()[0]?.reason, 'exited with code 3');

  const { intensity } = ALONE;
  const together = rig(
    { ...FLAT, intensity: { ...intensity, of: 'supervisor', exceeded: 'escalate' } },
    { names: ['a', 'b'] },
  );
  together.crash('a', 'no memory');
  together.world.advance(100);
  together.crash('b', 'no file');
  assert.equal(together.ended(), 'abnormal');
  assert.equal(together.why(), 'upstream-pool/b keeps failing: no file');
});

test('whatever fails in a tree of supervisors: nothing starts below one that ends, every child ends before it, a stop ends all in time', () => {
  const strategies = fc.constantFrom('one-for-one' as const, 'one-for-all' as const, 'rest-for-one' as const);
  const policy = (strategy: SupervisorNode['strategy']) => ({
    strategy,
    intensity: {
      restarts: 2,
      withinMs: 1_000,
      of: 'supervisor',
      exceeded: 'escalate',
      isolatedRetryMs: null,
    } as const,
    backoff: { baseMs: 50, maxMs: 200 },
  });
  let escalated = 0;
  fc.assert(
    fc.property(
      fc.tuple(strategies, strategies, strategies),
      fc.subarray(['a', 'b', 'c']),
      fc.array(
        fc.oneof(
          { weight: 3, arbitrary: fc.constantFrom('a', 'b', 'c') },
          { weight: 1, arbitrary: fc.nat(400) },
        ),
        { maxLength: 40 },
      ),
      ([top, left, right], hangs, moves) => {
        // One kind of actor a tree: the leaves hang below `right`, which hangs below `left`.
        const tree: SupervisorNode = {
          supervisor: 'top',
          ...policy(top),
          children: [
            {
              supervisor: 'left',
              ...policy(left),
              children: [{ supervisor: 'right', ...policy(right), children: [LEAF] }],
            },
          ],
        };
        const { world, story, system, crash, stop, ended } = rig(tree, { names: ['a', 'b', 'c'], hangs });
        for (const move of moves) {
          if (typeof move === 'number') world.advance(move);
          else if (system.has(`n/t/${KIND}/${move}`)) crash(move);
          const actors = system.report();
          for (const { parent } of actors)
            assert.ok(parent === 'n/host/test' || system.has(parent!), `${parent} ended before its child`);
        }
        if (ended() === null) stop();
        const from = world.now();
        world.advance(2_500);
        assert.notEqual(
          ended(),
          null,
          'it ends within the deadline of its leaves, which are stopped at once',
        );
        assert.deepEqual(system.report(), []);
        assert.equal(world.pending, 0);
        assert.ok(
          !story.some(({ what, at }) => what === 'start' && at > from),
          'nothing starts after a stop',
        );
        escalated += story.filter(({ what }) => what === 'over abnormal').length;
        // In each life, the leaves that ran are asked in reverse order of start.
        let asked: string[] = [];
        for (const { what, name } of story) {
          if (what === 'stop') asked.push(name);
          else if (what !== 'killed' && what !== 'crash') {
            assert.deepEqual(asked, [...asked].sort().reverse());
            asked = [];
          }
        }
      },
    ),
    { numRuns: 1_000 },
  );
  assert.ok(escalated > 100, `${escalated} escalations were seen`);
});
