import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { ClientHttp2Session, ClientHttp2Stream } from 'node:http2';
import { connect } from 'node:http2';
import type { AddressInfo, Socket } from 'node:net';
import type { TestContext } from 'node:test';
import { test } from 'node:test';
import { acceptKey } from '../../src/wire/websocket/opening-handshake.ts';
import { startProxy } from './harness.ts';

/** A backend that agrees to WebSockets (unless `accept` says another word) and sends back what comes. */
async function echo(
  context: TestContext,
  accept: (key: string) => string = acceptKey,
): Promise<{ port: number; seen: Record<string, string | string[] | undefined>[]; sockets: Socket[] }> {
  const seen: Record<string, string | string[] | undefined>[] = [];
  const sockets: Socket[] = [];
  const server = createServer((_, response) => response.writeHead(403).end('no'));
  server.on('upgrade', (message, socket: Socket) => {
    sockets.push(socket);
    seen.push({ ':method': message.method, ':path': message.url, ...message.headers });
    socket.on('error', () => {});
    const key = String(message.headers['sec-websocket-key']);
    socket.write(
      `HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nX-From: b\r\n` +
        `Sec-WebSocket-Accept: ${accept(key)}\r\nSec-WebSocket-Protocol: chat\r\n\r\n`,
    );
    socket.pipe(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  context.after(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return { port: (server.address() as AddressInfo).port, seen, sockets };
}

async function session(context: TestContext, port: number): Promise<ClientHttp2Session> {
  const client = connect(`http://127.0.0.1:${port}`);
  client.on('error', () => {});
  context.after(() => client.destroy());
  const settings = await new Promise<{ enableConnectProtocol?: boolean }>((resolve) =>
    client.once('remoteSettings', resolve),
  );
  assert.equal(settings.enableConnectProtocol, true);
  return client;
}

function open(client: ClientHttp2Session, protocol = 'websocket'): ClientHttp2Stream {
  const stream = client.request({
    ':method': 'CONNECT',
    ':protocol': protocol,
    ':path': '/chat?a=b',
    ':scheme': 'http',
    ':authority': 'chat.example',
    origin: 'http://chat.example',
    'sec-websocket-version': '13',
    'sec-websocket-protocol': 'chat',
    'sec-websocket-key': 'of no use here',
  });
  stream.on('error', () => {});
  return stream;
}

function response(stream: ClientHttp2Stream): Promise<Record<string, unknown>> {
  return new Promise((resolve) => stream.once('response', resolve));
}

test('an extended CONNECT is a WebSocket at an HTTP/1.1 backend, and bytes go both ways unharmed', async (context) => {
  const backend = await echo(context);
  const { port, count } = await startProxy(context, [backend.port]);
  const client = await session(context, port);
  const stream = open(client);
  const headers = await response(stream);
  assert.equal(headers[':status'], 200);
  assert.equal(headers['sec-websocket-protocol'], 'chat');
  assert.equal(headers['x-from'], 'b');
  assert.equal(headers['sec-websocket-accept'], undefined);
  assert.equal(headers.upgrade, undefined);
  const asked = backend.seen[0]!;
  assert.equal(asked[':method'], 'GET');
  assert.equal(asked[':path'], '/chat?a=b');
  assert.equal(asked.host, 'chat.example');
  assert.equal(asked.upgrade, 'websocket');
  assert.equal(asked.connection, 'Upgrade');
  assert.match(String(asked['sec-websocket-key']), /^[A-Za-z0-9+/]{22}==$/);
  assert.equal(asked['sec-websocket-version'], '13');
  const sent = Buffer.alloc(3_000_000, 'abcdefg');
  const got: Buffer[] = [];
  let size = 0;
  const all = new Promise<void>((resolve) =>
    stream.on('data', (piece: Buffer) => {
      got.push(piece);
      size += piece.length;
      if (size === sent.length) resolve();
    }),
  );
  stream.write(sent);
  await all;
  assert.ok(Buffer.concat(got).equals(sent));
  const closed = new Promise((resolve) => stream.once('close', resolve));
  const gone = new Promise((resolve) => backend.sockets[0]!.once('close', resolve));
  stream.end();
  await Promise.all([closed, gone]);
  assert.equal(count('local_response_count'), 0);
});

test('bytes that a client sends before the answer reach the backend after it', async (context) => {
  const backend = await echo(context);
  const { port } = await startProxy(context, [backend.port]);
  const stream = open(await session(context, port));
  stream.write('early');
  const first = new Promise<Buffer>((resolve) => stream.once('data', resolve));
  assert.equal((await first).toString(), 'early');
});

test('a backend that has not understood the handshake is answered for with 502', async (context) => {
  const backend = await echo(context, () => 'wrong');
  const { port } = await startProxy(context, [backend.port]);
  const headers = await response(open(await session(context, port)));
  assert.equal(headers[':status'], 502);
  assert.equal(headers['x-novaedge-reason'], 'upstream_protocol_error');
});

test('a refusal is an answer like others, and other protocols are not tunnelled', async (context) => {
  const server = createServer((_, answer) => answer.writeHead(403).end('no'));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  context.after(() => server.close());
  const { port } = await startProxy(context, [(server.address() as AddressInfo).port]);
  const client = await session(context, port);
  assert.equal((await response(open(client)))[':status'], 403);
  const other = await response(open(client, 'connect-udp'));
  assert.equal(other[':status'], 501);
  assert.equal(other['x-novaedge-reason'], 'protocol_not_supported');
});

test('many WebSockets share a connection, and one that does not read holds up none of them', async (context) => {
  const backend = await echo(context);
  const { port } = await startProxy(context, [backend.port]);
  const client = await session(context, port);
  const deaf = open(client);
  await response(deaf);
  deaf.pause();
  deaf.write(Buffer.alloc(4_000_000));
  for (let index = 0; index < 20; index += 1) {
    const stream = open(client);
    await response(stream);
    const heard = new Promise<Buffer>((resolve) => stream.once('data', resolve));
    stream.write(`hello ${index}`);
    assert.equal((await heard).toString(), `hello ${index}`);
    stream.close();
  }
});
