import assert from 'node:assert/strict';
import type { AddressInfo, Server, Socket } from 'node:net';
import { createServer } from 'node:net';
import { after, before, test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { literals } from '../wire/h2/blocks.ts';
import {
  data,
  END_HEADERS,
  END_STREAM,
  framesOf,
  headers,
  PREFACE,
  SETTINGS_ACK,
  settings,
} from '../wire/h2/frames.ts';
import type { EvilAnswer, Fate } from './evil-answers.ts';
import { EVIL_ANSWERS, SECRET } from './evil-answers.ts';
import type { Harness } from './harness.ts';
import { RawClient } from './raw.ts';
import { RawHttp2Client } from './raw-http2.ts';
import { startBefore } from './smuggling-http2-run.ts';
import { readAnswer } from './strict-answer.ts';
import { StrictHttp2 } from './strict-http2.ts';

/*
 * Answers of a backend of HTTP/2, right and wrong, as clients of both versions get them: read by RFC 9112 and RFC 9113
 * at their strictest, whole, or as a 502, or so that nobody can take them for whole.
 */
let server: Server;
let harness: Harness;
let answer: EvilAnswer = EVIL_ANSWERS[0]!;
let isSplit = false;
const sockets = new Set<Socket>();

async function answerEvil(socket: Socket, id: number): Promise<void> {
  const { frames, ends } = answer;
  if (isSplit)
    for (const frame of frames(id)) {
      socket.write(frame);
      await turn();
    }
  else socket.write(Buffer.concat(frames(id)));
  if (ends === true) socket.end();
}

function serve(socket: Socket): void {
  const read = new StrictHttp2('request');
  const answered = new Set<number>();
  let bytes = Buffer.alloc(0);
  let isGreeted = false;
  sockets.add(socket);
  socket.on('error', () => {});
  socket.on('close', () => sockets.delete(socket));
  socket.write(settings());
  socket.on('data', (more: Buffer) => {
    bytes = Buffer.concat([bytes, more]);
    if (!isGreeted) {
      if (bytes.length < PREFACE.length) return;
      isGreeted = true;
      bytes = bytes.subarray(PREFACE.length);
    }
    for (const frame of framesOf(bytes)) {
      bytes = bytes.subarray(9 + frame.payload.length);
      if (frame.type === 4 && (frame.flags & 1) === 0) socket.write(SETTINGS_ACK);
      read.take(frame);
    }
    for (const [id, { pseudo, isEnded }] of read.messages) {
      if (!isEnded || answered.has(id)) continue;
      answered.add(id);
      if (pseudo.get(':path') === '/evil') void answerEvil(socket, id);
      else
        socket.write(
          Buffer.concat([
            headers(id, END_HEADERS, literals([':status: 200', 'content-length: 4'])),
            data(id, END_STREAM, 'good'),
          ]),
        );
    }
  });
}

before(async () => {
  server = createServer({ noDelay: true }, serve);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  harness = await startBefore((server.address() as AddressInfo).port, 'HTTP2');
});

after(() => {
  harness.dataplane.shutdown();
  for (const socket of sockets) socket.destroy();
  server.close();
});

interface Got {
  readonly fate: Fate;
  readonly status: number;
  readonly fields: readonly string[];
  readonly body: string;
  readonly trailer: readonly string[];
  readonly interims: readonly number[];
  readonly text: string;
}

function fateOf(isWhole: boolean, status: number): Fate {
  if (!isWhole) return 'cut';
  return status === 502 ? 'refused' : 'whole';
}

async function overHttp1(isHead: boolean): Promise<Got> {
  const client = new RawClient(harness.port);
  client.send(`${isHead ? 'HEAD' : 'GET'} /evil HTTP/1.1\r\nHost: a\r\n\r\n`);
  client.send('GET /good HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');
  await client.untilOver();
  const got = readAnswer(client.text, isHead, client.ended || client.closed);
  if (got.rest !== '') {
    // What comes behind is the answer to the next request, and only where this one is whole.
    assert.ok(got.isWhole);
    const next = readAnswer(got.rest, false, true);
    if (answer.breaks !== true || next.status !== 502)
      assert.deepEqual([next.status, next.body, next.rest], [200, 'good', '']);
  }
  return { ...got, fate: fateOf(got.isWhole, got.status), text: client.text };
}

async function overHttp2(isHead: boolean): Promise<Got> {
  const client = new RawHttp2Client(harness.port, (id) => isHead && id === 1);
  const ask = (id: number, method: string, path: string) =>
    headers(
      id,
      END_HEADERS | END_STREAM,
      literals([`:method: ${method}`, ':scheme: http', ':authority: a', `:path: ${path}`]),
    );
  client.send(ask(1, isHead ? 'HEAD' : 'GET', '/evil'));
  const message = await client.over(1);
  client.send(ask(3, 'GET', '/good'));
  const next = await client.over(3);
  assert.deepEqual([next?.pseudo.get(':status'), next?.body], ['200', 'good'], 'the next on the connection');
  client.close();
  assert.ok(message !== null);
  const { pseudo, fields, body, trailer, interims, isEnded } = message;
  const status = Number(pseudo.get(':status') ?? 0);
  const heads = interims.map(([code]) => Number(code));
  const text = JSON.stringify([fields, body, trailer, interims]);
  return { fate: fateOf(isEnded, status), status, fields, body, trailer, interims: heads, text };
}

function check(row: EvilAnswer, got: Got): void {
  assert.ok(row.fates.includes(got.fate), `${got.fate}: ${got.text}`);
  assert.ok(!got.text.includes(SECRET), got.text);
  if (got.fate === 'refused') return;
  if (got.fate === 'cut') {
    assert.ok(row.body.startsWith(got.body), got.text);
    return;
  }
  const fields = got.fields.map((field) => field.replace(/^[^:]*/, (name) => name.toLowerCase()));
  assert.deepEqual([got.status, got.body], [row.status, row.body]);
  for (const field of row.has ?? []) assert.ok(fields.includes(field), `${field} in ${fields.join(' | ')}`);
  if (row.trailer !== undefined) assert.deepEqual(got.trailer, row.trailer);
  if (row.interims !== undefined) assert.deepEqual(got.interims, row.interims);
}

for (const row of EVIL_ANSWERS)
  test(`${row.fates.join(' or ')}: ${row.name}`, { timeout: 20_000 }, async () => {
    answer = row;
    for (const split of [false, true]) {
      isSplit = split;
      check(row, await overHttp1(row.isHead === true));
      check(row, await overHttp2(row.isHead === true));
    }
    assert.equal(harness.dataplane.report('whole').endpoints[0]!.activeRequests, 0);
  });

test('at least 30 are refused or cut, each under a name of its own', () => {
  const bad = EVIL_ANSWERS.filter(({ fates }) => !fates.includes('whole'));
  assert.ok(bad.length >= 30, `${bad.length}`);
  assert.equal(new Set(EVIL_ANSWERS.map(({ name }) => name)).size, EVIL_ANSWERS.length);
});
