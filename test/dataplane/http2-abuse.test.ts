import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { test } from 'node:test';
import { ERROR_CODE } from '../../src/wire/h2/error-code.ts';
import { FRAME } from '../../src/wire/h2/frame.ts';
import {
  data,
  END_HEADERS,
  END_STREAM,
  field,
  framesOf,
  GET,
  get,
  headers,
  PREFACE,
  ping,
  post,
  reset,
  SETTINGS_ACK,
  settings,
} from '../wire/h2/frames.ts';
import { until } from './clocked.ts';
import type { Harness } from './harness.ts';
import { startProxy } from './harness.ts';
import type { RawBackend } from './raw.ts';
import { answering, OK, RawClient, rawBackend } from './raw.ts';

const GREETING = Buffer.concat([PREFACE, settings(), SETTINGS_ACK]);

function connected(context: TestContext, proxy: Harness): RawClient {
  const client = new RawClient(proxy.port);
  context.after(() => client.socket.destroy());
  return client;
}

function framesAt(client: RawClient): ReturnType<typeof framesOf> {
  return framesOf(Buffer.from(client.text, 'latin1'));
}

async function answered(client: RawClient, stream: number): Promise<void> {
  await client.until(() => framesAt(client).some(({ type, id }) => type === FRAME.HEADERS && id === stream));
}

function bodyOf({ received }: RawBackend): string {
  return received.join('').split('\r\n\r\n').slice(1).join('\r\n\r\n');
}

test('a request that is taken back in the same read reaches no backend', async (context) => {
  const backend = await rawBackend(context, answering(OK));
  const proxy = await startProxy(context, [backend.port]);
  const client = connected(context, proxy);
  const taken = Array.from({ length: 100 }, (_, index) =>
    Buffer.concat([get(2 * index + 1), reset(2 * index + 1, ERROR_CODE.CANCEL)]),
  );
  client.send(Buffer.concat([GREETING, ...taken, get(201)]));
  await answered(client, 201);
  assert.equal(backend.received.join('').match(/^GET /gm)?.length, 1);
});

test('DATA of one byte each goes on together, whole and in order', async (context) => {
  const backend = await rawBackend(context, (socket, bytes) => {
    if (bytes.toString('latin1').endsWith('0\r\n\r\n')) socket.write(OK);
  });
  const proxy = await startProxy(context, [backend.port]);
  const client = connected(context, proxy);
  client.send(Buffer.concat([GREETING, post(1)]));
  await until(() => backend.received.join('').includes('\r\n\r\n'));
  const pieces = Array.from({ length: 3000 }, (_, index) => data(1, 0, String(index % 10)));
  client.send(Buffer.concat([...pieces, data(1, END_STREAM, 'end')]));
  await answered(client, 1);
  const chunks = bodyOf(backend).split('\r\n');
  const sizes = chunks.filter((_, index) => index % 2 === 0).map((size) => Number.parseInt(size, 16));
  const body = chunks.filter((_, index) => index % 2 === 1).join('');
  assert.equal(body, `${'0123456789'.repeat(300)}end`);
  // Few reads have brought them, and each read is one chunk, or two with its end.
  assert.ok(sizes.length < 100, `${sizes.length} chunks`);
});

test('bodies that wait for a backend stop no other one of their connection', async (context) => {
  const stuck = await rawBackend(context, (socket) => socket.pause());
  const proxy = await startProxy(context, [stuck.port]);
  const client = connected(context, proxy);
  client.send(GREETING);
  // Each sends all that its window allows: eight times as much as four would need to shut the connection's window.
  const streams = Array.from({ length: 32 }, (_, index) => 2 * index + 1);
  const piece = Buffer.alloc(16_384, 'x');
  for (const id of streams) {
    client.send(post(id));
    for (let sent = 0; sent < 262_144; sent += piece.length) client.send(data(id, 0, piece));
  }
  client.send(ping());
  await client.until(() => framesAt(client).some(({ type }) => type === FRAME.PING));
  assert.deepEqual(
    framesAt(client).filter(({ type }) => type === FRAME.GOAWAY || type === FRAME.RST_STREAM),
    [],
  );
  const given = framesAt(client)
    .filter(({ type, id }) => type === FRAME.WINDOW_UPDATE && id === 0)
    .reduce((sum, { payload }) => sum + payload.readUInt32BE(0), 65_535);
  assert.ok(given >= streams.length * 262_144, `${given} bytes of window`);
});

test('heads that are too large are answered, but not for ever', async (context) => {
  const backend = await rawBackend(context, answering(OK));
  const proxy = await startProxy(context, [backend.port]);
  const client = connected(context, proxy);
  client.send(GREETING);
  const fields = Buffer.concat(Array.from({ length: 120 }, (_, index) => field(`x-${index}`, 'y')));
  for (let id = 1; id < 1400; id += 2) client.send(headers(id, END_HEADERS | END_STREAM, GET, fields));
  await client.untilOver();
  const answers = framesAt(client).filter(({ type }) => type === FRAME.HEADERS).length;
  assert.ok(answers >= 400 && answers <= 600, `${answers} answers`);
  assert.equal(proxy.count('http2_faults', { reason: 'rapid_reset' }), 1);
  assert.equal(backend.received.length, 0);
});
