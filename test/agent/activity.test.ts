import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { Worker } from 'node:worker_threads';
import { Activity } from '../../src/agent/worker/activity.ts';

test('what was interrupted is there again, and long texts are cut at a whole character', () => {
  const memory = Activity.memory();
  const writer = new Activity(memory);
  const reader = new Activity(memory);
  assert.equal(reader.read(), '');
  const nothing = writer.enter('commit');
  const commit = writer.enter('route/default/öffnung');
  assert.equal(reader.read(), 'route/default/öffnung');
  writer.leave(commit);
  assert.equal(reader.read(), 'commit');
  writer.leave(nothing);
  assert.equal(reader.read(), '');
  writer.enter('ö'.repeat(1_000));
  assert.match(reader.read(), /^ö{252}$/);
  assert.equal(reader.changes, 5);
});

test('what a thread was at is known when it has been ended in the middle of it', async () => {
  const memory = Activity.memory();
  const url = new URL('../../src/agent/worker/activity.ts', import.meta.url).href;
  const worker = new Worker(
    `const { parentPort, workerData } = require('node:worker_threads');
     import(${JSON.stringify(url)}).then(({ Activity }) => {
       new Activity(workerData).enter('a loop without an end');
       parentPort.postMessage('in it');
       for (;;);
     });`,
    { eval: true, workerData: memory },
  );
  await once(worker, 'message');
  await worker.terminate();
  assert.equal(new Activity(memory).read(), 'a loop without an end');
});
