import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Behavior, Step } from '../../supervisors/behavior.ts';
import type { AnyBindings } from '../../supervisors/effects.ts';
import { recordedSystem } from './recorder.ts';
import { SteppingWorld } from './stepping-world.ts';

/** Names an effect of the same name for each event, and knows no `odd` one. */
const echo: Behavior = {
  mailbox: { limit: 3, overflow: 'drop-newest' },
  save: (snapshot) => snapshot,
  restore: (memory) => memory,
  describe: (snapshot) => snapshot,
  start: (input) => step(input, 'started', []),
  receive(snapshot, event) {
    if (event.type === 'odd') return { ...step(snapshot, 'unexpected', []), outcome: 'unexpected' };
    if (event.type === 'break') throw new Error('broken');
    if (event.type === 'race') {
      const cancel = { type: 'cancelTimer', params: { timer: 't' } };
      return step(snapshot, 'got_race', [{ type: 'race', params: {} }, cancel]);
    }
    const { type, ...params } = event;
    return step(snapshot, `got_${type}`, [{ type, params }]);
  },
};

function step(snapshot: unknown, reason: string, effects: Step['effects']): Step {
  return { snapshot, state: 'up', reason, effects, outcome: 'taken', ended: null };
}

function rig(bindings: AnyBindings = {}, behavior: Behavior = echo) {
  const world = new SteppingWorld();
  const recorded = recordedSystem(world, { behaviors: { echo: behavior }, bindings: { echo: bindings } });
  for (const name of ['a', 'b'])
    recorded.system.start({
      address: `n/main/echo/${name}`,
      kind: 'echo',
      parent: 'n/main/supervisor/s',
      input: name,
    });
  return { world, ...recorded };
}

test('an event is in the journal before its actor sees it, and complete afterwards', () => {
  let seen: unknown;
  const { system, records } = rig({
    look: () => {
      seen = { ...records.at(-1)! };
      return undefined;
    },
  });
  system.send('n/main/echo/a', { type: 'look' });
  assert.equal((seen as { event: { type: string } }).event.type, 'look');
  assert.deepEqual(
    records.map(({ seq, actor, event, state, reason, outcome }) => [
      seq,
      actor,
      event.type,
      state,
      reason,
      outcome,
    ]),
    [
      [1, 'n/main/echo/a', 'actor.start', 'up', 'started', 'taken'],
      [2, 'n/main/echo/b', 'actor.start', 'up', 'started', 'taken'],
      [3, 'n/main/echo/a', 'look', 'up', 'got_look', 'taken'],
    ],
  );
});

test('what an actor causes comes later, in order, and names its cause', () => {
  const { system, records } = rig({
    ask: (_params, { send }) => {
      send('n/main/echo/b', { type: 'nop' });
      return [{ type: 'nop' }, { type: 'nop' }];
    },
    nop: () => undefined,
  });
  system.send('n/main/echo/a', { type: 'ask' });
  assert.deepEqual(
    records.slice(2).map(({ actor, cause, from }) => [actor.at(-1), cause, from]),
    [
      ['a', '', 'n/main/world'],
      ['b', 'main.1:3', 'n/main/echo/a'],
      ['a', 'main.1:3', 'n/main/world'],
      ['a', 'main.1:3', 'n/main/world'],
    ],
  );
});

test('an unexpected event is reported with its state and changes nothing', () => {
  const { system, notices, records } = rig();
  system.send('n/main/echo/a', { type: 'odd' });
  assert.deepEqual(
    notices.map(({ type, actor, event, state, id }) => [type, actor, event, state, id]),
    [['unexpected', 'n/main/echo/a', 'odd', 'up', 'main.1:3']],
  );
  assert.equal(records.at(-1)!.outcome, 'unexpected');
  assert.equal(system.report()[0]!.reason, 'started');
});

test('what throws fails the actor alone, and its supervisor is told', () => {
  for (const type of ['break', 'unbound', 'reject']) {
    const { system, notices, records } = rig({
      reject: () => {
        throw new Error('no');
      },
    });
    system.send('n/main/echo/a', { type });
    assert.equal(notices[0]!.type, 'failed');
    assert.equal(system.has('n/main/echo/a'), false);
    assert.equal(system.has('n/main/echo/b'), true);
    assert.deepEqual(
      [
        records.at(-1)!.actor,
        records.at(-1)!.event.type,
        (records.at(-1)!.event as { outcome?: string }).outcome,
      ],
      ['n/main/supervisor/s', 'child.exited', 'abnormal'],
    );
  }
});

test('a promise that rejects fails the actor, too; one that answers a dead actor does not', async () => {
  const { system, notices } = rig({
    later: () => Promise.reject(new Error('late')),
    answer: () => Promise.resolve({ type: 'nop' }),
  });
  system.send('n/main/echo/a', { type: 'later' });
  system.send('n/main/echo/b', { type: 'answer' });
  system.kill('n/main/echo/b');
  await new Promise(setImmediate);
  assert.deepEqual(
    notices.filter(({ type }) => type === 'failed').map(({ actor, event }) => [actor, event]),
    [['n/main/echo/a', 'effect.failed']],
  );
});

test('a mailbox that is full loses what its policy says, and says so', () => {
  for (const overflow of ['drop-newest', 'drop-oldest'] as const) {
    const seen: unknown[] = [];
    const { system, notices } = rig(
      {
        flood: (_params, { reply }) => {
          for (let n = 1; n <= 5; n += 1) reply({ type: 'note', n });
          return undefined;
        },
        note: ({ n }: { n: number }) => void seen.push(n) as undefined,
      },
      { ...echo, mailbox: { limit: 3, overflow } },
    );
    system.send('n/main/echo/a', { type: 'flood' });
    assert.deepEqual(seen, overflow === 'drop-newest' ? [1, 2, 3] : [3, 4, 5]);
    assert.deepEqual(
      notices.map(({ type }) => type),
      ['overflow', 'overflow'],
    );
    assert.equal(system.report()[0]!.mailbox, 0);
  }
});

test('a timer that is cancelled or started anew does not fire, even from the inbox', () => {
  const fired: unknown[] = [];
  const { system, world } = rig({
    'timer.fired': ({ timer }: { timer: string }) => void fired.push(timer) as undefined,
    race: () => {
      // The timer fires while this event is being processed: it waits in the inbox when it is cancelled.
      world.advance(100);
      return undefined;
    },
  });
  const send = (event: { type: string; timer?: string; ms?: number }) => system.send('n/main/echo/a', event);
  send({ type: 'startTimer', timer: 't', ms: 50 });
  send({ type: 'cancelTimer', timer: 't' });
  world.advance(100);
  assert.deepEqual(fired, []);
  send({ type: 'startTimer', timer: 't', ms: 50 });
  world.advance(40);
  send({ type: 'startTimer', timer: 't', ms: 50 });
  world.advance(40);
  assert.deepEqual(fired, []);
  world.advance(10);
  assert.deepEqual(fired, ['t']);
  send({ type: 'startTimer', timer: 't', ms: 50 });
  send({ type: 'race' });
  assert.deepEqual(fired, ['t']);
  send({ type: 'startTimer', timer: 'gone', ms: 50 });
  system.kill('n/main/echo/a');
  world.advance(100);
  assert.deepEqual(fired, ['t']);
  assert.equal(world.pending, 0);
});

test('an envelope for another thread is forwarded, not processed here', () => {
  const { system, forwarded, records } = rig({
    ask: (_params, { send }) => void send('n/dataplane-0/x', { type: 'y' }) as undefined,
  });
  system.send('n/main/echo/a', { type: 'ask' });
  assert.deepEqual(forwarded, [
    { to: 'n/dataplane-0/x', from: 'n/main/echo/a', cause: 'main.1:3', event: { type: 'y' } },
  ]);
  assert.equal(records.length, 3);
});
