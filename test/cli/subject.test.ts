import assert from 'node:assert/strict';
import { test } from 'node:test';
import { explain } from '../../src/cli/replay/explain.ts';
import { findSubject } from '../../src/cli/replay/subject.ts';
import type { JournalRecord } from '../../supervisors/record.ts';

let seq = 0;
function record(actor: string, event: { type: string; [field: string]: unknown }, cause = ''): JournalRecord {
  seq += 1;
  return {
    ...{ v: 2, run: 1, seq, mono: seq, wall: 1_000 * seq, thread: actor.split('/')[1]!, actor, cause, event },
    ...{ from: 'n/main/world', state: 's', reason: 'r', outcome: 'taken', effects: [] },
  };
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
  assert.deepEqual(ids('route/default/api'), ['main:1', 'main:2', 'main:12']);
  const { earlier, standing } = explain(RECORDS, one('endpoint/default/api/10.0.0.1:80'), 1);
  assert.equal(earlier, 1);
  assert.deepEqual(standing[0]!.since, 10_000);
  const [, ...cut] = RECORDS;
  assert.equal(explain(cut, one('listener/default/web/http'), 10).lost, 1);
});
