import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import fc from 'fast-check';
import { HTTP_DEFAULTS } from '../../src/model/http-settings.ts';
import { FAULTS } from '../../src/wire/http1/fault.ts';
import { damage, requestStream } from '../wire/http1/generator.ts';
import type { Nasty } from '../wire/http1/nasty-requests.ts';
import { NASTY_REQUESTS } from '../wire/http1/nasty-requests.ts';
import { readStream } from '../wire/http1/stream.ts';
import type { Harness } from './harness.ts';
import { cluster, endpoint, route, start } from './harness.ts';
import { RawClient } from './raw.ts';
import { RecordingBackend } from './recording-backend.ts';
import { arrivedAt, countWhole } from './three-readers.ts';

/*
 * Everything nasty goes through a real data plane to a backend that remembers every byte. What came there is read by
 * three readers that share nothing: our codec, llhttp, and RFC 9112 by regular expressions. They have to agree.
 */
let backend: RecordingBackend;
let harness: Harness;

before(async () => {
  backend = await RecordingBackend.start(countWhole);
  // Where HTTP/2 is spoken too, its preface is no request that is refused.
  harness = await start({
    listener: { http: { ...HTTP_DEFAULTS, http2: { ...HTTP_DEFAULTS.http2, enabled: false } } },
    resources: [
      { kind: 'cluster', value: cluster() },
      { kind: 'endpoint', value: endpoint(backend.port) },
      { kind: 'route', value: route() },
    ],
  });
});

after(() => {
  harness.dataplane.shutdown();
  backend.close();
});

const GOOD = 'GET /good HTTP/1.1\r\nHost: good\r\n\r\n';
const CLOSE = 'GET /close HTTP/1.1\r\nHost: close\r\nConnection: close\r\n\r\n';
/**
 * Sends the pieces one after another, each in a read of its own where the kernel lets it. `wanted`: how many answers
 * come before the client ends its half; without it the proxy has to end the connection.
 */
async function send(pieces: readonly string[], wanted: number | null = null): Promise<string> {
  await backend.forget();
  const client = new RawClient(harness.port);
  for (const piece of pieces) {
    client.send(piece);
    await turn();
  }
  if (wanted !== null) {
    await client.until(({ text }) => statusesOf(text).length >= wanted);
    client.socket.end();
  }
  await client.untilOver();
  return client.text;
}

function halves(text: string): string[] {
  const middle = Math.floor(text.length / 2);
  return [text.slice(0, middle), text.slice(middle)];
}

function statusesOf(answer: string): number[] {
  return [...answer.matchAll(/HTTP\/1\.1 (\d{3}) /g)]
    .map((match) => Number(match[1]))
    .filter((status) => status !== 100);
}

/** Where the fault shows in the head, not a byte goes to a backend. */
function isHeadFault(fault: NonNullable<Nasty['fault']>): boolean {
  return !/chunk|trailer/.test(fault);
}

for (const row of NASTY_REQUESTS) {
  test(`refused with ${row.fault === null ? 'nothing' : FAULTS[row.fault]}: ${row.name}`, async () => {
    const { text, fault } = row;
    for (const pieces of [[text + CLOSE], [GOOD + text + CLOSE], [...halves(GOOD + text), CLOSE]]) {
      const answer = await send(pieces);
      const { starts, cut } = await arrivedAt(backend);
      const isPipelined = pieces[0] !== text + CLOSE;
      const others = starts.filter((start) => start !== 'GET /good 1.1');
      assert.equal(starts.length - others.length, isPipelined ? 1 : 0);
      const statuses = statusesOf(answer);
      if (isPipelined) assert.equal(statuses.shift(), 200);
      if (fault === null) {
        assert.ok(others.length >= 1 && cut === 0, `${others} in ${JSON.stringify(answer)}`);
        continue;
      }
      assert.deepEqual(statuses, [FAULTS[fault]]);
      assert.match(answer.slice(answer.lastIndexOf('HTTP/1.1 ')), /\r\nConnection: close\r\n/);
      assert.deepEqual(others, [], 'something of a refused message was taken for a request');
      if (isHeadFault(fault)) assert.equal(cut, 0, 'a part of a refused message has reached the backend');
    }
  });
}

test('whatever comes, drawn and damaged, the backend gets whole requests, each once, with one framing', async () => {
  let forwarded = 0;
  await fc.assert(
    fc.asyncProperty(
      requestStream,
      fc.array(damage, { maxLength: 2 }),
      fc.array(fc.nat(1000), { maxLength: 2 }),
      async (stream, harms, cuts) => {
        const text = harms.reduce((damaged, harm) => harm(damaged), stream) + CLOSE;
        const at = [0, ...cuts.map((cut) => cut % text.length).sort((a, b) => a - b), text.length];
        const mine = readStream('request', Buffer.from(text, 'latin1'));
        const pieces = at.slice(1).map((end, index) => text.slice(at[index], end));
        await send(pieces, mine.ending === 'more' ? mine.messages.length : null);
        const { starts, bodies } = await arrivedAt(backend);
        forwarded += starts.length;
        assert.deepEqual(bodies, mine.messages.map(({ body }) => body).slice(0, bodies.length));
        assert.equal(starts.length, mine.messages.length);
      },
    ),
    { numRuns: 2000 },
  );
  assert.ok(forwarded > 500, `${forwarded} were forwarded: the generator only makes rubbish`);
});

test('what Connection names goes, from the trailer too', async () => {
  await send([
    'POST / HTTP/1.1\r\nHost: a\r\nConnection: X-Hop, Y-Sum\r\nX-Hop: 1\r\nX-Kept: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nY-Sum: 3\r\n\r\n',
    CLOSE,
  ]);
  const [text] = backend.received;
  assert.match(text!, /X-Kept: 2/);
  assert.doesNotMatch(text!, /X-Hop|Y-Sum/);
});
