import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readiness } from '../../src/agent/readiness.ts';

const worker = { name: 'dataplane-0', serves: true, served: true, givenUp: '', cannotBeEnded: false };
const other = { ...worker, name: 'dataplane-1' };
const facts = (...workers: (typeof worker)[]) => ({ settled: true, streamProblem: '', workers, ended: '' });

test('a worker that is being restarted does not count while another one serves', () => {
  assert.deepEqual(readiness(facts(worker, { ...other, serves: false })), { ready: true, reasons: [] });
  assert.deepEqual(readiness(facts({ ...worker, serves: false })).reasons, ['no dataplane worker serves']);
});

test('a worker that keeps failing, or left a thread behind, is named with its reason', () => {
  const givenUp = readiness(facts(worker, { ...other, serves: false, givenUp: 'ended: out of luck' }));
  assert.deepEqual(givenUp, { ready: false, reasons: ['dataplane-1 keeps failing: ended: out of luck'] });
  const held = readiness(facts({ ...worker, cannotBeEnded: true }, other));
  assert.deepEqual(held, {
    ready: false,
    reasons: ["dataplane-0's old thread cannot be ended and holds its ports; restart the agent"],
  });
});
