import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LISTENER, startProxy } from './harness.ts';
import { RawClient, rawBackend } from './raw.ts';

test('an answer to HTTP/1.0 that only the end of the connection ends is cut by a reset, never by an end', {
  timeout: 20_000,
}, async (context) => {
  const backend = await rawBackend(context, (socket) => {
    socket.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n');
  });
  const harness = await startProxy(context, [backend.port]);
  const client = new RawClient(harness.port).send('GET / HTTP/1.0\r\nHost: a\r\n\r\n');
  await client.untilText('half');
  assert.doesNotMatch(client.text, /Transfer-Encoding|Content-Length/i);
  harness.dataplane.closeListener(LISTENER);
  await client.untilOver();
  assert.deepEqual([client.ended, client.error], [false, 'ECONNRESET']);
});
