import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eventDetails, eventText } from '../../src/cli/replay/event-text.ts';
import { explain, explainEvent } from '../../src/cli/replay/explain.ts';
import { findEvents, findSubject, unnamedUpdates } from '../../src/cli/replay/subject.ts';
import type { JournalRecord } from '../../supervisors/record.ts';

let seq = 0;
function record(actor: string, event: { type: string; [field: string]: unknown }, cause = ''): JournalRecord {
  seq += 1;
  return {
    ...{ v: 2, run: 1, seq, mono: seq, wall: 1_000 * seq, thread: actor.split('/')[1]!, actor, cause, event },
    ...{ from: 'n/main/world', state: 's', reason: 'r', outcome: 'taken', effects: [] },
  };
}

/** A journal of its own, numbered from 1. */
function journal(
  ...lines: readonly [actor: string, event: { type: string }, more?: Partial<JournalRecord>][]
) {
  seq = 0;
  return lines.map(([actor, event, more]) => ({ ...record(actor, event), ...more }));
}

const RECORDS = [
  record('n/main/config-stream', {
    type: 'update.received',
    nonce: 1,
    keys: ['route/default/api', 'route/team/app'],
  }),
  record('n/main/rollout', { type: 'changes.staged', nonce: 1 }, 'main.1:1'),
  record('n/dataplane-0/listener/default/web/http', { type: 'actor.start' }, 'main.1:2'),
  record('n/dataplane-1/listener/default/web/http', { type: 'actor.start' }, 'main.1:2'),
  record('n/dataplane-0/listener/team/web/http', { type: 'actor.start' }, 'main.1:2'),
  record('n/dataplane-0/upstream-pool/default/api', { type: 'actor.start' }),
  record('n/dataplane-0/circuit-breaker/default/api', { type: 'actor.start' }),
  record('n/dataplane-0/upstream-pool/default/api', { type: 'endpoint.failing', endpoint: '10.0.0.1:80' }),
  record('n/dataplane-0/upstream-pool/team/api', { type: 'endpoint.failing', endpoint: '10.0.0.1:80' }),
  record(
    'n/dataplane-0/upstream-pool/default/api',
    { type: 'timer.fired', timer: 'endpoint:10.0.0.1:80' },
    'dataplane-0.1:8',
  ),
  record('n/main/dataplane-worker/0', { type: 'actor.start' }),
  record('n/main/config-stream', { type: 'rollout.finished', nonce: 1 }, 'main.1:2'),
];

const one = (typed: string) => {
  const found = findSubject(RECORDS, typed);
  assert.equal(found.type, 'one', `${typed}: ${JSON.stringify(found)}`);
  return found.type === 'one' ? found.subject : assert.fail();
};

test('what a person types names an actor on every worker, or on the one that is named', () => {
  for (const typed of ['listener/default/web/http', 'default/web/http', 'gateway/default/web', 'default/web'])
    assert.equal(one(typed).actors.size, 2, typed);
  for (const typed of [
    'n/dataplane-1/listener/default/web/http',
    'dataplane-1/listener/default/web/http',
    '/dataplane-1/listener/default/web/http/',
    'team/web',
  ])
    assert.equal(one(typed).actors.size, 1, typed);
  assert.deepEqual([...one('dataplane-0').actors], ['n/main/dataplane-worker/0']);
  assert.deepEqual([...one('rollout').actors], ['n/main/rollout']);
  assert.equal(one('backend/default/api').actors.size, 2);
  assert.equal(one('pool/default/api').actors.size, 1);
  assert.equal(one('default/api/10.0.0.1:80').endpoint, '10.0.0.1:80');
  assert.equal(one('route/team/app').actors.size, 0);
  assert.equal(one('app').name, 'route/team/app');
});

test('what can be more than one thing is answered with all that it can be', () => {
  const names = (typed: string) => {
    const found = findSubject(RECORDS, typed);
    return found.type === 'many' ? found.names : found;
  };
  assert.deepEqual(names('10.0.0.1:80'), [
    'endpoint/default/api/10.0.0.1:80',
    'endpoint/team/api/10.0.0.1:80',
  ]);
  assert.deepEqual(names('default/api'), ['cluster/default/api', 'route/default/api']);
  assert.deepEqual(names('http'), ['listener/default/web/http', 'listener/team/web/http']);
});

test('what is not there is answered with what is near, or with what there is', () => {
  const near = findSubject(RECORDS, 'listener/default/web/https');
  assert.deepEqual(near.type === 'none' && near.nearest[0], 'listener/default/web/http');
  const far = findSubject(RECORDS, 'something else altogether');
  assert.ok(far.type === 'none' && far.nearest.length === 0 && far.all.includes('rollout'));
});

test('an explanation is the own events with their causes, oldest first, across threads', () => {
  const ids = (typed: string, most = 10) =>
    explain(RECORDS, one(typed), most).chain.map(({ thread, seq: number }) => `${thread}:${number}`);
  assert.deepEqual(ids('listener/default/web/http'), ['main:1', 'main:2', 'dataplane-0:3', 'dataplane-1:4']);
  assert.deepEqual(ids('endpoint/default/api/10.0.0.1:80'), ['dataplane-0:8', 'dataplane-0:10']);
  assert.deepEqual(ids('route/default/api'), ['main:1', 'main:12']);
  const { earlier, standing } = explain(RECORDS, one('endpoint/default/api/10.0.0.1:80'), 1);
  assert.equal(earlier, 1);
  assert.deepEqual(standing[0]!.since, 10_000);
  const [, ...cut] = RECORDS;
  assert.equal(explain(cut, one('listener/default/web/http'), 10).lost, 1);
});

test('an event is found by its id, as statuses and logs write it, and an endpoint is not one', () => {
  const ids = (typed: string) => findEvents(RECORDS, typed)?.map(({ seq: number }) => number);
  for (const typed of ['main.1:2', 'event main.1:2', '(event main.1:2)', 'n/main.1:2', ' main.1:2'])
    assert.deepEqual(ids(typed), [2], typed);
  assert.deepEqual(ids('dataplane-0.1:8'), [8]);
  assert.deepEqual(ids('main.1:99'), []);
  assert.deepEqual(ids('other/main.1:2'), []);
  for (const typed of ['10.0.0.1:80', 'rollout', 'listener/default/web/http', 'default/api/10.0.0.1:80'])
    assert.equal(findEvents(RECORDS, typed), null, typed);
  const elsewhere = { ...RECORDS[1]!, actor: 'm/main/rollout' };
  assert.equal(findEvents([...RECORDS, elsewhere], 'main.1:2')?.length, 2);
  assert.equal(findEvents([...RECORDS, elsewhere], 'm/main.1:2')?.length, 1);
});

test('an event is explained by its causes and by what it led to, up to so many', () => {
  const numbers = (most: number) => {
    const { chain, later } = explainEvent(RECORDS, RECORDS[1]!, most);
    return [chain.map((one) => one.seq), later];
  };
  assert.deepEqual(numbers(10), [[1, 2, 3, 4, 5, 12], 0]);
  assert.deepEqual(numbers(2), [[1, 2, 3, 4], 2]);
});

test('an actor is gone with its thread; one that failed is as its supervisor decided; one that ended as it should is neither', () => {
  const [pool, worker, workers] = [
    'n/dataplane-1/upstream-pool/default/api',
    'n/main/dataplane-worker/1',
    'n/main/supervisor/workers',
  ];
  const records = journal(
    [worker, { type: 'actor.start' }],
    [pool, { type: 'actor.start' }],
    [worker, { type: 'worker.exited', message: 'exited with code 3' } as never, { state: 'lost' }],
    [
      workers,
      { type: 'child.exited', child: worker, outcome: 'abnormal', message: 'exited with code 3' } as never,
      { reason: 'child_isolated', cause: 'main.1:3' },
    ],
  );
  const standing = (list: readonly JournalRecord[], typed: string) => {
    const found = findSubject(list, typed);
    assert.equal(found.type, 'one');
    return found.type === 'one' ? explain(list, found.subject, 10).standing : [];
  };
  const [gone] = standing(records, 'pool/default/api');
  assert.deepEqual(
    [gone?.state, gone?.reason, gone?.since],
    ['gone with its thread', 'exited with code 3', 3_000],
  );
  const [left] = standing(records, 'worker/1');
  assert.deepEqual([left?.state, left?.reason], ['given_up', 'exited with code 3']);
  assert.equal(standing(records.slice(0, 2), 'pool/default/api')[0]?.state, 's');
  const ended = { type: 'child.exited', child: pool, outcome: 'normal' } as never;
  const orderly = journal(
    [pool, { type: 'actor.start' }, { state: 'closed' }],
    ['n/dataplane-1/supervisor/pools', ended],
    [worker, { type: 'worker.exited' }],
  );
  assert.equal(standing(orderly, 'pool/default/api')[0]?.state, 'closed');
});

test('a round that changes were staged for is caused by them, not by the answer after which there was time for it', () => {
  const [rollout, stream, listener] = [
    'n/main/rollout',
    'n/main/config-stream',
    'n/dataplane-0/listener/default/web/http',
  ];
  const takes = { effects: ['takeChanges', 'prepareWorkers'] };
  const records = journal(
    [stream, { type: 'update.received', nonce: 1, keys: [] } as never],
    [rollout, { type: 'changes.staged' }, { cause: 'main.1:1' }],
    [rollout, { type: 'worker.joined' }],
    [rollout, { type: 'worker.loaded' }, { ...takes, cause: 'main.1:3' }],
    [listener, { type: 'actor.start' }, { cause: 'main.1:4' }],
    // Nothing was staged since: this one began again because of what its cause says.
    [rollout, { type: 'worker.left' }, { ...takes, cause: 'main.1:4' }],
    [listener, { type: 'listener.bound' }, { cause: 'main.1:6' }],
  );
  const found = findSubject(records.slice(0, 5), 'default/web/http');
  assert.ok(found.type === 'one');
  const chain = (list: readonly JournalRecord[]) =>
    explain(list, found.subject, 10).chain.map(({ seq: number }) => number);
  assert.deepEqual(chain(records.slice(0, 5)), [1, 2, 4, 5]);
  assert.deepEqual(chain(records), [1, 2, 4, 5, 6, 7]);
});

test('a worker that ended over an object was asked by the rollout to take it', () => {
  const [rollout, worker] = ['n/main/rollout', 'n/main/dataplane-worker/1'];
  const numbers = (doing: string) => {
    const records = journal(
      [rollout, { type: 'changes.staged' }, { effects: ['takeChanges', 'prepareWorkers'] }],
      ['n/main/config-stream', { type: 'timer.fired' }],
      [worker, { type: 'worker.exited', doing } as never],
    );
    return explainEvent(records, records[2]!, 10).chain.map(({ seq: number }) => number);
  };
  assert.deepEqual(numbers('prepare route/default/app'), [1, 3]);
  assert.deepEqual(numbers('commit'), [1, 3]);
  assert.deepEqual(numbers(''), [3]);
  assert.deepEqual(numbers('listener/default/web/http listener.bound'), [3]);
});

test('of an update only its end is shown, unless that is about the object', () => {
  const stream = 'n/main/config-stream';
  const records = (failures: readonly object[]) =>
    journal(
      [stream, { type: 'update.received', nonce: 4, keys: ['route/default/app'] } as never],
      ['n/main/rollout', { type: 'rollout.settled' }],
      [stream, { type: 'rollout.finished', nonce: 4, failures } as never, { cause: 'main.1:2' }],
    );
  const chain = (failures: readonly object[]) => {
    const list = records(failures);
    const found = findSubject(list, 'route/default/app');
    assert.ok(found.type === 'one');
    return explain(list, found.subject, 10).chain.map(({ seq: number }) => number);
  };
  assert.deepEqual(chain([]), [1, 3]);
  assert.deepEqual(chain([{ key: 'route/default/app', reason: 'CrashedWorker' }]), [1, 2, 3]);
});

test('updates that change more than they name are known', () => {
  const keys = ['a/b'];
  const records = journal(
    ['n/main/config-stream', { type: 'update.received', upserts: 1, removals: 0, keys } as never],
    ['n/main/config-stream', { type: 'update.received', upserts: 1, removals: 1, keys } as never],
  );
  assert.deepEqual(unnamedUpdates(records), [records[1]]);
});

test('of an event is told what explains something, and the object first that is asked for', () => {
  const update = { type: 'update.received', nonce: 3, version: 'f'.repeat(64), upserts: 4, removals: 1 };
  const text = (event: object, key = '') => eventText(event as { type: string }, key);
  assert.equal(
    text({ ...update, keys: ['route/a/b', 'route/a/c'] }, 'route/a/c'),
    'update.received route/a/c +4 nonce=3',
  );
  assert.equal(text({ ...update, keys: ['route/a/b', 'route/a/c'] }), 'update.received route/a/b +4 nonce=3');
  assert.equal(
    text({
      type: 'child.exited',
      child: 'n/main/dataplane-worker/1',
      outcome: 'abnormal',
      reason: 'exited',
      message: 'no memory',
      at: 7,
    }),
    'child.exited main/dataplane-worker/1 no memory',
  );
  assert.equal(
    text({ type: 'timer.fired', timer: 'restart:n/main/dataplane-worker/1' }),
    'timer.fired restart:main/dataplane-worker/1',
  );
  assert.equal(
    text({ type: 'timer.fired', timer: 'endpoint:10.0.0.1:80' }),
    'timer.fired endpoint:10.0.0.1:80',
  );
  assert.deepEqual(eventDetails({ type: 'x', draw: 1, list: [{ key: 'a' }], text: 'b\u001b' } as never), [
    ['list', '[{"key":"a"}]'],
    ['text', 'b\\x1b'],
  ]);
});
