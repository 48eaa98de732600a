import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { createServer } from 'node:http';
import type { Socket } from 'node:net';
import type { TestContext } from 'node:test';
import { test } from 'node:test';
import { WebSocket } from 'undici';
import { until } from './clocked.ts';
import type { Harness } from './harness.ts';
import { cluster, endpoint, route, start } from './harness.ts';

const GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';
const [CLOSE, PING, PONG] = [8, 9, 10] as const;

/*
 * RFC 6455 section 5.2, from the client:
 *
 *   | FIN, opcode | 1, length 7 | length 16 or 64 | mask 32 | masked payload |
 */
function frames(state: { rest: Buffer; wanted: number }): { opcode: number; payload: Buffer }[] {
  const found: { opcode: number; payload: Buffer }[] = [];
  for (;;) {
    const { rest } = state;
    state.wanted = 0;
    if (rest.length < 6) return found;
    const short = rest[1]! & 127;
    const extra = short === 126 ? 2 : short === 127 ? 8 : 0;
    const mask = 2 + extra;
    if (rest.length < mask + 4) return found;
    const length = extra === 0 ? short : extra === 2 ? rest.readUInt16BE(2) : Number(rest.readBigUInt64BE(2));
    const end = mask + 4 + length;
    if (rest.length < end) {
      state.wanted = end;
      return found;
    }
    const payload = Buffer.from(rest.subarray(mask + 4, end));
    for (let at = 0; at < length; at += 1) payload[at]! ^= rest[mask + (at & 3)]!;
    found.push({ opcode: rest[0]! & 15, payload });
    state.rest = rest.subarray(end);
  }
}

function frame(opcode: number, payload: Buffer): Buffer {
  const { length } = payload;
  const head = Buffer.alloc(length < 126 ? 2 : length < 65_536 ? 4 : 10);
  head[0] = 0x80 | opcode;
  head[1] = length < 126 ? length : length < 65_536 ? 126 : 127;
  if (head.length === 4) head.writeUInt16BE(length, 2);
  if (head.length === 10) head.writeBigUInt64BE(BigInt(length), 2);
  return Buffer.concat([head, payload]);
}

interface Echo {
  readonly harness: Harness;
  readonly sockets: Socket[];
  readonly url: string;
}

/** A server that sends back each message; `/refused` is not upgraded. */
async function echo(context: TestContext): Promise<Echo> {
  const sockets: Socket[] = [];
  const server = createServer((_incoming, response) => response.writeHead(200).end('no socket here'));
  server.on('upgrade', (incoming, socket: Socket, head: Buffer) => {
    if (incoming.url === '/refused') {
      socket.end('HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\nConnection: close\r\n\r\n');
      return;
    }
    const accept = createHash('sha1')
      .update(`${incoming.headers['sec-websocket-key']}${GUID}`)
      .digest('base64');
    socket.write(
      `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`,
    );
    sockets.push(socket);
    const state = { rest: head, wanted: 0 };
    let pieces: Buffer[] = [];
    let waiting = 0;
    socket.on('error', () => {});
    socket.on('end', () => socket.destroy());
    socket.on('data', (bytes: Buffer) => {
      pieces.push(bytes);
      waiting += bytes.length;
      if (state.rest.length + waiting < state.wanted) return;
      state.rest = Buffer.concat([state.rest, ...pieces]);
      pieces = [];
      waiting = 0;
      for (const { opcode, payload } of frames(state)) {
        if (opcode === CLOSE) socket.end(frame(CLOSE, payload));
        else socket.write(frame(opcode === PING ? PONG : opcode, payload));
      }
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  assert.ok(address !== null && typeof address === 'object');
  const harness = await start({
    resources: [
      { kind: 'cluster', value: cluster() },
      { kind: 'endpoint', value: endpoint(address.port) },
      { kind: 'route', value: route() },
    ],
    // A drain asks nobody to go before its deadline.
    timeouts: { webSocketSpread: 1e9 },
  });
  context.after(() => {
    harness.dataplane.shutdown();
    for (const socket of sockets) socket.destroy();
    server.closeAllConnections();
    server.close();
  });
  return { harness, sockets, url: `ws://127.0.0.1:${harness.port}` };
}

function opened(url: string): Promise<WebSocket> {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(url);
    socket.binaryType = 'arraybuffer';
    socket.addEventListener('open', () => resolve(socket), { once: true });
    socket.addEventListener('error', () => reject(new Error('it could not be opened')), { once: true });
  });
}

function closed(socket: WebSocket): Promise<{ code: number; wasClean: boolean }> {
  return new Promise((resolve) => {
    socket.addEventListener('close', ({ code, wasClean }) => resolve({ code, wasClean }), { once: true });
  });
}

async function assertNothingLeft(harness: Harness): Promise<void> {
  await until(() => harness.count('open_connections') === 0);
  assert.equal(harness.count('active_connections'), 0);
  await until(() => harness.count('upstream_open_connections') === 0);
  assert.equal(harness.dataplane.armedTimers, 0);
}

test('messages of all sizes come back as they went, and the closing handshake passes', async (context) => {
  const { harness, url } = await echo(context);
  const socket = await opened(`${url}/chat`);
  const messages = [0, 1, 125, 126, 65_535, 65_536, 1_000_000, 5_000_000].map((size) => {
    const bytes = Buffer.alloc(size);
    for (let at = 0; at < size; at += 997) bytes[at] = at & 255;
    return bytes;
  });
  const came: Buffer[] = [];
  socket.addEventListener('message', ({ data }) => {
    came.push(typeof data === 'string' ? Buffer.from(data) : Buffer.from(data as ArrayBuffer));
  });
  for (const message of messages) socket.send(message);
  socket.send('text: äöü');
  await until(() => came.length === messages.length + 1);
  for (const [index, message] of messages.entries())
    assert.ok(came[index]!.equals(message), `message ${index}`);
  assert.equal(came.at(-1)!.toString(), 'text: äöü');
  const over = closed(socket);
  socket.close(1000, 'done');
  assert.deepEqual(await over, { code: 1000, wasClean: true });
  await assertNothingLeft(harness);
  assert.equal(harness.count('local_response_count'), 0);
});

test('many sockets at once, and what each says is its own', async (context) => {
  const { harness, url } = await echo(context);
  const all = await Promise.all(Array.from({ length: 100 }, (_, index) => opened(`${url}/${index}`)));
  await Promise.all(
    all.map(async (socket, index) => {
      for (let turn = 0; turn < 20; turn += 1) {
        const answer = new Promise((resolve) =>
          socket.addEventListener('message', ({ data }) => resolve(data), { once: true }),
        );
        socket.send(`${index}: ${turn}`);
        assert.equal(await answer, `${index}: ${turn}`);
      }
      const over = closed(socket);
      socket.close();
      await over;
    }),
  );
  await assertNothingLeft(harness);
});

test('an upgrade that the backend refuses is an answer, and leaves nothing', async (context) => {
  const { harness, url } = await echo(context);
  await assert.rejects(opened(`${url}/refused`), /could not be opened/);
  await assertNothingLeft(harness);
  assert.equal(harness.count('request_count', { code: '4xx' }), 1);
});

test('a drain lets a socket go on for a while; one that stays until the deadline is told, then cut', async (context) => {
  const { harness, url, sockets } = await echo(context);
  const socket = await opened(`${url}/long`);
  harness.change([], ['listener/default/edge/http']);
  harness.dataplane.drainListener('default/edge/http');
  const answer = new Promise((resolve) =>
    socket.addEventListener('message', ({ data }) => resolve(data), { once: true }),
  );
  socket.send('still there?');
  assert.equal(await answer, 'still there?');
  const over = closed(socket);
  assert.equal(harness.dataplane.closeListener('default/edge/http'), 1);
  assert.deepEqual(await over, { code: 1001, wasClean: true });
  await until(() => sockets.every(({ destroyed }) => destroyed));
  assert.equal(harness.count('connections_cut'), 1);
  assert.equal(harness.count('local_response_count', { reason: 'draining' }), 1);
  await assertNothingLeft(harness);
});

test('a message larger than all buffers passes between a side that does not read and one that does', async (context) => {
  const { harness, url, sockets } = await echo(context);
  const socket = await opened(`${url}/large`);
  const large = Buffer.alloc(40_000_000, 120);
  const came = new Promise<number>((resolve) =>
    socket.addEventListener('message', ({ data }) => resolve((data as ArrayBuffer).byteLength), {
      once: true,
    }),
  );
  sockets[0]!.pause();
  socket.send(large);
  let last = -1;
  for (let still = 0; still < 20; still += 1) {
    await new Promise((resolve) => setTimeout(resolve, 5));
    if (socket.bufferedAmount !== last) still = 0;
    last = socket.bufferedAmount;
  }
  sockets[0]!.resume();
  assert.equal(await came, large.length);
  const over = closed(socket);
  socket.close();
  await over;
  await assertNothingLeft(harness);
});
