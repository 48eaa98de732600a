import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { NASTY_REQUESTS } from '../wire/http1/nasty-requests.ts';
import type { Harness } from './harness.ts';
import { RawClient } from './raw.ts';
import type { RecordedRequest, Recorder } from './recorded.ts';
import { recorderOf, recorderOfHttp2 } from './recorded.ts';
import { RecordingBackend } from './recording-backend.ts';
import { RecordingHttp2Backend } from './recording-http2-backend.ts';
import { startBefore } from './smuggling-http2-run.ts';
import { countWhole } from './three-readers.ts';

/*
 * Everything nasty of HTTP/1.1 to a backend of HTTP/2, which reads by RFC 9113 at its strictest. What is accepted is
 * the same there as at a backend of HTTP/1.1; of what is refused nothing is a request there.
 */
let recorders: readonly Recorder[] = [];
let harnesses: readonly Harness[] = [];

before(async () => {
  recorders = [
    recorderOf(await RecordingBackend.start(countWhole)),
    recorderOfHttp2(await RecordingHttp2Backend.start()),
  ];
  harnesses = await Promise.all(
    recorders.map(({ port, isHttp2 }) => startBefore(port, isHttp2 ? 'HTTP2' : 'HTTP1')),
  );
});

after(() => {
  for (const { dataplane } of harnesses) dataplane.shutdown();
  for (const recorder of recorders) recorder.close();
});

const GOOD = 'GET /good HTTP/1.1\r\nHost: good\r\n\r\n';
const CLOSE = 'GET /close HTTP/1.1\r\nHost: close\r\nConnection: close\r\n\r\n';
/** Of each request another, or of each listener. */
const OWN = /^x-(?:request-id|forwarded-port): /;

async function sent(index: number, pieces: readonly string[]): Promise<RecordedRequest[]> {
  const recorder = recorders[index]!;
  await recorder.forget();
  const client = new RawClient(harnesses[index]!.port);
  for (const piece of pieces) {
    client.send(piece);
    await turn();
  }
  await client.untilOver();
  const { connections } = await recorder.recorded();
  return connections
    .flat()
    .map((request) => ({ ...request, fields: request.fields.filter((field) => !OWN.test(field)) }))
    .sort((a, b) => a.target.localeCompare(b.target));
}

for (const { name, text, fault } of NASTY_REQUESTS)
  test(`to HTTP/2 ${fault === null ? 'as to HTTP/1.1' : 'nothing'}: ${name}`, {
    timeout: 20_000,
  }, async () => {
    const middle = Math.floor(text.length / 2);
    for (const pieces of [[text + CLOSE], [GOOD, text.slice(0, middle), text.slice(middle), CLOSE]]) {
      const over2 = await sent(1, pieces);
      assert.deepEqual(over2, await sent(0, pieces));
      const others = over2.filter(({ target }) => target !== '/good');
      if (fault !== null) assert.deepEqual(others, []);
    }
  });
