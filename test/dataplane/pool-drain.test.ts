import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { System } from '../../src/os/system.ts';
import { SYSTEM } from '../../src/os/system.ts';
import { until } from './clocked.ts';
import { startProxy } from './harness.ts';
import { answering, OK, RawClient, rawBackend } from './raw.ts';

/** Connections are made when the test says so. */
function withheld(): { readonly system: System; readonly begin: (() => void)[] } {
  const begin: (() => void)[] = [];
  return {
    begin,
    system: {
      ...SYSTEM,
      connect(address, port, owner) {
        let attempt: ReturnType<System['connect']> | null = null;
        begin.push(() => {
          attempt = SYSTEM.connect(address, port, owner);
        });
        return {
          close(closed) {
            if (attempt === null) setImmediate(closed);
            else attempt.close(closed);
          },
        };
      },
    },
  };
}

test('a pool has not drained while a connection is being made for a request, and serves it', async (context) => {
  const backend = await rawBackend(context, answering(OK));
  const { system, begin } = withheld();
  const harness = await startProxy(context, [backend.port], {
    system,
  });
  const client = new RawClient(harness.port).send('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
  await until(() => begin.length === 1);
  harness.dataplane.drainPool('default/api');
  assert.ok(!harness.notifications.some(({ type }) => type === 'pool.drained'));
  begin[0]!();
  await client.untilText('ok');
  assert.match(client.text, /^HTTP\/1\.1 200 /);
  await harness.notified('pool.drained');
  assert.equal(harness.count('upstream_open_connections'), 0);
  client.socket.destroy();
});

test('it has drained when the request goes before its connection is there', async (context) => {
  const backend = await rawBackend(context, answering(OK));
  const { system, begin } = withheld();
  const harness = await startProxy(context, [backend.port], {
    system,
  });
  const client = new RawClient(harness.port).send('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
  await until(() => begin.length === 1);
  harness.dataplane.drainPool('default/api');
  client.socket.resetAndDestroy();
  await until(() => harness.count('active_connections') === 0);
  begin[0]!();
  await harness.notified('pool.drained');
  await until(() => harness.count('upstream_open_connections') === 0);
});
