import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { literals } from '../wire/h2/blocks.ts';
import { data, END_HEADERS, END_STREAM, frame, headers, reset } from '../wire/h2/frames.ts';
import type { Harness } from './harness.ts';
import { cluster, endpoint, route, rule, start } from './harness.ts';
import { RawHttp2Client } from './raw-http2.ts';
import { RecordingBackend } from './recording-backend.ts';
import type { Http2Smuggling, Outcome } from './smuggling-http2-cases.ts';
import { HTTP2_SMUGGLING } from './smuggling-http2-cases.ts';
import type { Http2Message } from './strict-http2.ts';
import { arrivedAt, countWhole } from './three-readers.ts';

/*
 * Requests that could be read in two ways, as raw frames over HTTP/2 through a real data plane to an HTTP/1.1 backend
 * that remembers every byte. What came there is read by three readers that share nothing; good requests before and
 * behind are there whole, and nothing else is.
 */
let backend: RecordingBackend;
let harness: Harness;

before(async () => {
  backend = await RecordingBackend.start(countWhole);
  const web = rule({
    grpcWeb: true,
    matches: [{ path: { type: 'Exact', value: '/web' }, method: null, headers: [], queryParams: [] }],
  });
  harness = await start({
    resources: [
      { kind: 'cluster', value: cluster() },
      { kind: 'endpoint', value: endpoint(backend.port) },
      { kind: 'route', value: route({ rules: [web, rule()] }) },
    ],
  });
});

after(() => {
  harness.dataplane.shutdown();
  backend.close();
});

const GOOD = literals([':method: GET', ':scheme: http', ':authority: good', ':path: /good']);
const POST = [':method: POST', ':scheme: http', ':authority: a', ':path: /x'];
const CANCEL = 8;
const CONTINUATION = 9;
const MOST_FRAME_BYTES = 16_384;

const good = (id: number): Buffer => headers(id, END_HEADERS | END_STREAM, GOOD);

/** A head in `count` frames or more, of its HPACK in literals of this pattern. */
function head(
  id: number,
  lines: readonly string[],
  ends: boolean,
  count: number,
  pattern: 0 | 16 | 64,
): Buffer {
  const block = literals(lines, pattern);
  const size = Math.min(MOST_FRAME_BYTES, Math.max(1, Math.ceil(block.length / count)));
  const frames: Buffer[] = [];
  for (let at = 0; at === 0 || at < block.length; at += size) {
    const flags = (at === 0 && ends ? END_STREAM : 0) | (at + size >= block.length ? END_HEADERS : 0);
    frames.push(frame(at === 0 ? 1 : CONTINUATION, flags, id, block.subarray(at, at + size)));
  }
  return Buffer.concat(frames);
}

function framesOf(row: Http2Smuggling, id: number, count: number, pattern: 0 | 16 | 64): Buffer[] {
  const { body, trailer } = row;
  const isWhole = body.length === 0 && trailer === undefined;
  const frames = [head(id, row.lines, isWhole, count, pattern)];
  for (const [index, piece] of body.entries()) {
    const ends = index === body.length - 1 && trailer === undefined && row.isOpen !== true;
    frames.push(data(id, ends ? END_STREAM : 0, Buffer.from(piece, 'latin1')));
  }
  if (trailer !== undefined) frames.push(head(id, trailer, true, count, pattern));
  if (row.more !== undefined) frames.push(row.more(id));
  return frames;
}

function outcomeOf(message: Http2Message | null): Outcome {
  if (message === null || (!message.isEnded && message.resetCode === null)) return 'goaway';
  if (!message.isEnded) return 'reset';
  const reason = message.fields.find((field) => field.startsWith('x-novaedge-reason: '));
  return reason === undefined ? 'passes' : { reason: reason.slice('x-novaedge-reason: '.length) };
}

async function goodAnswer(client: RawHttp2Client, id: number): Promise<void> {
  const message = await client.over(id);
  assert.deepEqual([message?.pseudo.get(':status'), message?.body], ['200', 'ok'], `good on ${id}`);
}

/** Good requests before, in the same read or in one of its own, and behind: on a new connection where this one went. */
async function run(
  row: Http2Smuggling,
  isSplit: boolean,
  count: number,
  pattern: 0 | 16 | 64,
): Promise<void> {
  await backend.forget();
  let goods = 1;
  const isHead = row.lines.includes(':method: HEAD');
  const client = new RawHttp2Client(harness.port, (id) => isHead && id === 3);
  try {
    if (isSplit) {
      goods += 1;
      client.send(good(1));
      await goodAnswer(client, 1);
      for (const piece of framesOf(row, 3, count, pattern)) {
        client.send(piece);
        await turn();
      }
      client.send(good(5));
    } else client.send(...framesOf(row, 3, count, pattern), good(5));
    const outcome = outcomeOf(await client.over(3));
    assert.ok(
      row.outcomes.some((one) => JSON.stringify(one) === JSON.stringify(outcome)),
      `${JSON.stringify(outcome)}, not ${JSON.stringify(row.outcomes)}`,
    );
    await client.over(5);
    if (client.goAwayCode !== null || client.closed) {
      assert.ok(row.outcomes.includes('goaway'), 'the connection went');
      const next = new RawHttp2Client(harness.port);
      next.send(good(1));
      await goodAnswer(next, 1);
      next.close();
      // The good request behind may have come through before.
      goods = -1;
    } else await goodAnswer(client, 5);
    await check(row, outcome, goods);
  } finally {
    client.close();
  }
}

async function check(row: Http2Smuggling, outcome: Outcome, goods: number): Promise<void> {
  const { messages, cut } = await arrivedAt(backend);
  const others = messages.filter(({ start }) => start !== 'GET /good 1.1');
  if (goods !== -1) assert.equal(messages.length - others.length, goods, 'good requests at the backend');
  for (const { start, fields, body } of messages)
    if (start === 'GET /good 1.1') assert.deepEqual([fields[0], body], ['Host: good', '']);
  if (row.mayCut !== true) assert.equal(cut, 0, 'a part of a refused message has reached the backend');
  if (row.seen === null)
    assert.deepEqual(others, [], 'something of a refused message was taken for a request');
  if (outcome === 'passes') assert.equal(others.length, 1);
  else assert.ok(others.length <= 1, JSON.stringify(others));
  for (const { start, body, fields, trailer } of others) {
    assert.equal(start, `${row.seen} 1.1`);
    assert.equal(body, row.seenBody ?? '');
    for (const field of row.has ?? []) assert.ok(fields.includes(field), `${field} in ${fields.join(' | ')}`);
    if (row.hasTrailer !== undefined) assert.deepEqual(trailer, row.hasTrailer);
  }
  if (row.lacks !== undefined) for (const text of backend.received) assert.doesNotMatch(text, row.lacks);
}

for (const row of HTTP2_SMUGGLING)
  test(`${row.outcomes.map((one) => (typeof one === 'string' ? one : one.reason)).join(' or ')}: ${row.name}`, {
    timeout: 20_000,
  }, async () => {
    await run(row, false, 1, 0);
    await run(row, true, 1, 64);
    await run(row, true, 3, 16);
  });

/** Streams that are given up: a part of a request goes with its connection, and is never made whole by the next. */
for (const [what, first] of [
  ['behind its head', headers(3, END_HEADERS, literals(POST))],
  [
    'within its body',
    Buffer.concat([headers(3, END_HEADERS, literals([...POST, 'content-length: 50'])), data(3, 0, 'hello')]),
  ],
  ['behind its end', Buffer.concat([headers(3, END_HEADERS, literals(POST)), data(3, END_STREAM, 'hello')])],
] as const)
  test(`reset by the client ${what}`, { timeout: 20_000 }, async () => {
    for (const isSplit of [false, true]) {
      await backend.forget();
      const client = new RawHttp2Client(harness.port);
      client.send(good(1));
      await goodAnswer(client, 1);
      client.send(first);
      if (isSplit) await backend.until((texts) => texts.some((text) => text.includes('POST /x')));
      client.send(reset(3, CANCEL), good(5));
      await goodAnswer(client, 5);
      client.close();
      const { starts, bodies } = await arrivedAt(backend);
      assert.equal(starts.filter((start) => start === 'GET /good 1.1').length, 2);
      const others = starts.flatMap((start, at) => (start === 'POST /x 1.1' ? [bodies[at]] : []));
      assert.deepEqual(others, what === 'behind its end' && others.length > 0 ? ['hello'] : []);
    }
  });

test('at least 60 are refused, each under a name of its own', () => {
  const refused = HTTP2_SMUGGLING.filter(({ outcomes }) => !outcomes.includes('passes'));
  assert.ok(refused.length >= 60, `${refused.length}`);
  assert.equal(new Set(HTTP2_SMUGGLING.map(({ name }) => name)).size, HTTP2_SMUGGLING.length);
});
