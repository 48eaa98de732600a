import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cluster, startProxy } from './harness.ts';
import { OK, RawClient, rawBackend } from './raw.ts';

const SMALL = 'GET /small HTTP/1.1\r\nHost: a\r\n\r\n';
const LARGE = 'GET /large HTTP/1.1\r\nHost: a\r\n\r\n';
const BODY_BYTES = 30_000;
/** More than the kernel takes for a client that reads nothing. */
const ANSWERS = 800;

test('a connection that was paused for a client which does not read serves the next who waits for it', {
  timeout: 60_000,
}, async (context) => {
  const large = Buffer.from(
    `HTTP/1.1 200 OK\r\nContent-Length: ${BODY_BYTES}\r\n\r\n${'x'.repeat(BODY_BYTES)}`,
  );
  const backend = await rawBackend(context, (socket, bytes) => {
    socket.write(bytes.includes('/large') ? large : OK);
  });
  const harness = await startProxy(context, [backend.port], {
    more: [{ kind: 'cluster', value: cluster({ maxConnections: 1, maxPendingRequests: 10 }) }],
  });
  const deaf = new RawClient(harness.port);
  const polite = new RawClient(harness.port);
  context.after(() => {
    deaf.socket.destroy();
    polite.socket.destroy();
  });
  await new Promise((resolve) => deaf.socket.once('connect', resolve));
  deaf.socket.pause();
  // The backend's one connection goes to and fro between the two, who both always have somebody waiting.
  deaf.send(LARGE.repeat(ANSWERS));
  polite.send(SMALL.repeat(ANSWERS));
  await polite.until(({ text }) => text.length === OK.length * ANSWERS);
  deaf.socket.resume();
  await deaf.until(({ text }) => text.length === large.length * ANSWERS);
  assert.equal(polite.text, OK.repeat(ANSWERS));
});
