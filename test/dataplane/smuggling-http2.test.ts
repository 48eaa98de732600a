import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { literals } from '../wire/h2/blocks.ts';
import { data, END_HEADERS, END_STREAM, headers, reset } from '../wire/h2/frames.ts';
import type { Harness } from './harness.ts';
import { RawHttp2Client } from './raw-http2.ts';
import type { Recorder } from './recorded.ts';
import { recorderOf } from './recorded.ts';
import { RecordingBackend } from './recording-backend.ts';
import { HTTP2_SMUGGLING } from './smuggling-http2-cases.ts';
import { good, goodAnswer, MAKINGS, run, startBefore } from './smuggling-http2-run.ts';
import { arrivedAt, countWhole } from './three-readers.ts';

/*
 * Requests that could be read in two ways, as raw frames over HTTP/2 through a real data plane to an HTTP/1.1 backend
 * that remembers every byte. What came there is read by three readers that share nothing; good requests before and
 * behind are there whole, and nothing else is.
 */
let backend: RecordingBackend;
let recorder: Recorder;
let harness: Harness;

before(async () => {
  backend = await RecordingBackend.start(countWhole);
  recorder = recorderOf(backend);
  harness = await startBefore(backend.port, 'HTTP1');
});

after(() => {
  harness.dataplane.shutdown();
  backend.close();
});

const POST = [':method: POST', ':scheme: http', ':authority: a', ':path: /x'];
const CANCEL = 8;

for (const row of HTTP2_SMUGGLING)
  test(`${row.outcomes.map((one) => (typeof one === 'string' ? one : one.reason)).join(' or ')}: ${row.name}`, {
    timeout: 20_000,
  }, async () => {
    for (const making of MAKINGS) await run(row, making, harness.port, recorder);
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

test('at least 60 rows are refused, each under a name of its own', () => {
  const refused = HTTP2_SMUGGLING.filter(({ outcomes }) => !outcomes.includes('passes'));
  assert.ok(refused.length >= 60, `${refused.length}`);
  assert.equal(new Set(HTTP2_SMUGGLING.map(({ name }) => name)).size, HTTP2_SMUGGLING.length);
});
