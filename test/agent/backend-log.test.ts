import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pino } from 'pino';
import { BackendLog } from '../../src/agent/backend-log.ts';

function logged(): { log: BackendLog; lines: () => string[] } {
  const lines: string[] = [];
  const logger = pino(
    {},
    { write: (line: string) => void lines.push((JSON.parse(line) as { msg: string }).msg) },
  );
  return { log: new BackendLog(logger), lines: () => lines.splice(0) };
}

const about = { cluster: 'default/api', endpoint: '127.0.0.1:9001' };
const failing = { type: 'endpoint.failing', ...about, reason: 'ECONNREFUSED', failures: 3 } as const;
const recovered = { type: 'endpoint.recovered', ...about } as const;

test('an endpoint that fails on several workers, again and again, is told once, and once when it is well', () => {
  const { log, lines } = logged();
  for (const worker of [0, 1, 0]) log.note(worker, failing);
  assert.deepEqual(lines(), ['endpoint 127.0.0.1:9001 of default/api fails: ECONNREFUSED']);
  log.note(0, recovered);
  assert.deepEqual(lines(), []);
  log.note(1, recovered);
  assert.deepEqual(lines(), ['endpoint 127.0.0.1:9001 of default/api answers again']);
  log.note(1, failing);
  assert.equal(lines().length, 1);
});

test('a worker that is gone no longer holds the news back', () => {
  const { log, lines } = logged();
  log.note(0, failing);
  log.note(1, failing);
  log.forget(0);
  lines();
  log.note(1, recovered);
  assert.deepEqual(lines(), ['endpoint 127.0.0.1:9001 of default/api answers again']);
});

test('limits are told as endpoints are', () => {
  const { log, lines } = logged();
  const limit = { cluster: 'default/api', limit: 'maxConnections' } as const;
  log.note(0, { type: 'limit.reached', ...limit });
  log.note(0, { type: 'limit.reached', ...limit });
  log.note(0, { type: 'limit.cleared', ...limit });
  assert.deepEqual(lines(), [
    'maxConnections of default/api is reached: requests wait for a connection',
    'default/api is below its maxConnections again',
  ]);
  log.note(0, { type: 'limit.reached', cluster: 'default/api', limit: 'maxPendingRequests' });
  assert.deepEqual(lines().slice(-1), [
    'maxPendingRequests of default/api is reached: requests are refused with 503',
  ]);
});
