import assert from 'node:assert/strict';
import type { ServerHttp2Stream } from 'node:http2';
import { connect } from 'node:http2';
import { test } from 'node:test';
import { acceptKey } from '../../src/wire/websocket/opening-handshake.ts';
import { http2Backend, http2Proxy, saying } from './http2-backend.ts';
import { exchange, RawClient } from './raw.ts';

const KEY = 'dGhlIHNhbXBsZSBub25jZQ==';
const UPGRADE =
  'GET /chat?a=b HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n' +
  `Sec-WebSocket-Key: ${KEY}\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: chat\r\n\r\n`;
const CONNECT = { enableConnectProtocol: true };

/** Sends back what comes. */
function echo(stream: ServerHttp2Stream): void {
  stream.respond({ ':status': 200, 'sec-websocket-protocol': 'chat' });
  stream.pipe(stream);
}

test('an upgrade becomes an extended CONNECT, and its answer a 101', async (context) => {
  const seen: Record<string, unknown>[] = [];
  const backend = await http2Backend(
    context,
    (stream, headers) => {
      seen.push({ ...headers });
      echo(stream);
    },
    CONNECT,
  );
  const harness = await http2Proxy(context, [backend.port]);
  const client = await new RawClient(harness.port).send(UPGRADE).untilText('\r\n\r\n');
  assert.match(client.text, /^HTTP\/1\.1 101 Switching Protocols\r\n/);
  assert.ok(client.text.includes(`\r\nSec-WebSocket-Accept: ${acceptKey(KEY)}\r\n`), client.text);
  assert.match(client.text, /\r\nsec-websocket-protocol: chat\r\n/i);
  const headers = seen[0]!;
  assert.equal(headers[':method'], 'CONNECT');
  assert.equal(headers[':protocol'], 'websocket');
  assert.equal(headers[':path'], '/chat?a=b');
  assert.equal(headers['sec-websocket-version'], '13');
  assert.equal(headers['sec-websocket-key'], undefined);
  assert.equal(headers.upgrade, undefined);
  await client.send(Buffer.from([0x81, 0x02, 0x68, 0x69])).untilText('\x81\x02hi');
  const long = Buffer.concat([
    Buffer.from([0x82, 127, 0, 0, 0, 0, 0, 0x10, 0, 0]),
    Buffer.alloc(1 << 20, 'z'),
  ]);
  const before = client.text.length;
  client.send(long);
  await client.until(({ text }) => text.length === before + long.length);
  client.socket.end();
  await client.untilOver();
  assert.equal(backend.sessions.length, 1);
  assert.equal(backend.sessions[0]!.destroyed, false);
  while (harness.dataplane.report('whole').endpoints[0]!.activeRequests > 0)
    await new Promise((resolve) => setImmediate(resolve));
});

test('an answer that is no consent goes to the client as it is', async (context) => {
  const backend = await http2Backend(
    context,
    (stream) => {
      stream.respond({ ':status': 403, 'content-length': 2 });
      stream.end('no');
    },
    CONNECT,
  );
  const harness = await http2Proxy(context, [backend.port]);
  const text = await exchange(harness.port, UPGRADE);
  assert.match(text, /^HTTP\/1\.1 403 [\s\S]*no$/);
});

test('a backend that takes no extended CONNECT is not asked', async (context) => {
  const backend = await http2Backend(context, saying('fine'));
  const harness = await http2Proxy(context, [backend.port]);
  for (let round = 0; round < 2; round += 1)
    assert.match(await exchange(harness.port, UPGRADE), /^HTTP\/1\.1 502 [\s\S]*upstream_protocol_error/);
  assert.equal(backend.count(), 0);
  const get = 'GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n';
  assert.match(await exchange(harness.port, get), /fine$/);
});

test('no other protocol is carried', async (context) => {
  const backend = await http2Backend(context, echo, CONNECT);
  const harness = await http2Proxy(context, [backend.port]);
  const other = UPGRADE.replace('Upgrade: websocket', 'Upgrade: chat');
  assert.match(await exchange(harness.port, other), /^HTTP\/1\.1 502 [\s\S]*upstream_protocol_error/);
  assert.equal(backend.count(), 0);
});

test('from HTTP/2 to HTTP/2', async (context) => {
  const backend = await http2Backend(context, echo, CONNECT);
  const harness = await http2Proxy(context, [backend.port]);
  const client = connect(`http://127.0.0.1:${harness.port}`);
  context.after(() => client.destroy());
  await new Promise((resolve) => client.once('remoteSettings', resolve));
  const stream = client.request({
    ':method': 'CONNECT',
    ':protocol': 'websocket',
    ':scheme': 'http',
    ':path': '/',
    ':authority': 'a',
    'sec-websocket-version': '13',
  });
  const status = await new Promise((resolve) =>
    stream.once('response', (headers) => resolve(headers[':status'])),
  );
  assert.equal(status, 200);
  stream.write(Buffer.from([0x81, 0x02, 0x68, 0x69]));
  const back = await new Promise<Buffer>((resolve) => stream.once('data', resolve));
  assert.deepEqual(back, Buffer.from([0x81, 0x02, 0x68, 0x69]));
  const ended = new Promise((resolve) => stream.once('close', resolve));
  stream.end();
  await ended;
});
