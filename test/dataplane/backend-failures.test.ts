import assert from 'node:assert/strict';
import { request } from 'node:http';
import { test } from 'node:test';
import { route, rule, startProxy } from './harness.ts';
import { answering, exchange, OK, RawClient, rawBackend } from './raw.ts';

const GET = 'GET /x HTTP/1.1\r\nHost: a.example\r\n\r\n';
const GET_CLOSE = 'GET /x HTTP/1.1\r\nHost: a.example\r\nConnection: close\r\n\r\n';

for (const [name, answer] of [
  ['a counted', 'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nabc'],
  ['a chunked', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n'],
] as const) {
  test(`${name} answer that breaks off is cut, not ended`, async (context) => {
    const backend = await rawBackend(context, (socket) => socket.end(answer));
    const { port, count } = await startProxy(context, [backend.port]);
    const failed = await new Promise<boolean>((resolve) => {
      const outgoing = request({ port, host: '127.0.0.1', agent: false }, (response) => {
        response.resume();
        response.on('end', () => resolve(false));
        response.on('error', () => resolve(true));
      });
      outgoing.on('error', () => resolve(true));
      outgoing.end();
    });
    assert.ok(failed);
    assert.equal(count('local_response_count', { reason: 'upstream_reset' }), 1);
  });
}

test('HTTP/1.0 can tell a broken answer by a reset', async (context) => {
  const backend = await rawBackend(context, (socket) => {
    socket.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n');
    setTimeout(() => socket.destroy(), 20);
  });
  const { port } = await startProxy(context, [backend.port]);
  const client = new RawClient(port);
  client.send('GET / HTTP/1.0\r\n\r\n');
  await new Promise<void>((resolve) => client.socket.on('close', () => resolve()));
  assert.equal(client.error, 'ECONNRESET');
});

test('no backend that listens: 502 after others were tried, and the endpoint is reported', async (context) => {
  const dead = await rawBackend(context, () => {});
  dead.close();
  const { port, count, notified } = await startProxy(context, [dead.port]);
  assert.match(
    await exchange(port, GET_CLOSE),
    /^HTTP\/1\.1 502 .*x-novaedge-reason: upstream_connect_failed\r\n/s,
  );
  assert.equal(count('upstream_connect_failures', { reason: 'ECONNREFUSED' }), 3);
  const notification = await notified('endpoint.failing');
  assert.equal(notification.type === 'endpoint.failing' && notification.failures, 3);
});

test('one dead endpoint among two costs no request', async (context) => {
  const dead = await rawBackend(context, () => {});
  dead.close();
  const backend = await rawBackend(context, answering(OK));
  const { port } = await startProxy(context, [dead.port, backend.port]);
  for (let turn = 0; turn < 4; turn += 1) assert.match(await exchange(port, GET_CLOSE), /^HTTP\/1\.1 200 /);
});

for (const [name, answer] of Object.entries({
  'no HTTP': 'SSH-2.0-OpenSSH\r\n\r\n',
  'two lengths': 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\nok',
  'length and coding': 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
  'folded field': 'HTTP/1.1 200 OK\r\nA: b\r\n c\r\n\r\n',
  'bare LF': 'HTTP/1.1 200 OK\nContent-Length: 2\n\nok',
  'unasked upgrade': 'HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n',
})) {
  test(`a backend that lies (${name}) is answered for with 502`, async (context) => {
    const backend = await rawBackend(context, (socket) => socket.write(answer));
    const { port } = await startProxy(context, [backend.port]);
    assert.match(
      await exchange(port, GET_CLOSE),
      /^HTTP\/1\.1 502 .*x-novaedge-reason: upstream_protocol_error\r\n/s,
    );
  });
}

test("bytes after an answer never become the next request's answer", async (context) => {
  const backend = await rawBackend(context, (socket) =>
    socket.write(`${OK}HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil`),
  );
  const { port } = await startProxy(context, [backend.port]);
  const client = new RawClient(port);
  client.send(GET);
  await client.untilText('ok');
  client.send(GET_CLOSE);
  await client.untilOver();
  assert.ok(!client.text.includes('evil'));
  assert.equal(backend.connections.length, 2);
});

test("a backend that hangs is answered for with 504 after the rule's time", async (context) => {
  const backend = await rawBackend(context, () => {});
  const { port } = await startProxy(context, [backend.port], {
    more: [{ kind: 'route', value: route({ rules: [rule({ backendTimeoutMs: 50 })] }) }],
  });
  assert.match(await exchange(port, GET_CLOSE), /^HTTP\/1\.1 504 .*x-novaedge-reason: upstream_timeout\r\n/s);
});

test('the whole request has a limit of its own', async (context) => {
  const backend = await rawBackend(context, (socket) =>
    socket.write('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc'),
  );
  const { port, count } = await startProxy(context, [backend.port], {
    more: [{ kind: 'route', value: route({ rules: [rule({ requestTimeoutMs: 100 })] }) }],
  });
  const answer = await exchange(port, GET_CLOSE);
  assert.match(answer, /abc$/);
  assert.equal(count('local_response_count', { reason: 'upstream_timeout' }), 1);
});

test('a kept connection that the backend has closed meanwhile costs no request', async (context) => {
  let served = 0;
  const backend = await rawBackend(context, (socket) => {
    served += 1;
    // Every second request of a connection finds it closed without an answer.
    if (served === 2) socket.destroy();
    else socket.write(OK);
  });
  const { port, count } = await startProxy(context, [backend.port]);
  const client = new RawClient(port);
  client.send(GET);
  await client.untilText('ok');
  client.text = '';
  client.send(GET_CLOSE);
  await client.untilOver();
  assert.match(client.text, /^HTTP\/1\.1 200 /);
  assert.equal(count('upstream_retries', { reason: 'stale_connection' }), 1);
});

test('a POST on a connection that died may have been processed and is not sent again', async (context) => {
  let served = 0;
  const backend = await rawBackend(context, (socket) => {
    served += 1;
    if (served === 2) socket.destroy();
    else socket.write(OK);
  });
  const { port } = await startProxy(context, [backend.port]);
  const client = new RawClient(port);
  client.send(GET);
  await client.untilText('ok');
  client.text = '';
  client.send('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nConnection: close\r\n\r\nx');
  await client.untilOver();
  assert.match(client.text, /^HTTP\/1\.1 502 .*upstream_reset/s);
  assert.equal(served, 2);
});
