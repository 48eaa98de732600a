import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http2';
import type { TestContext } from 'node:test';
import { test } from 'node:test';
import { http2Backend, http2Proxy, saying } from './http2-backend.ts';
import { exchange, RawClient } from './raw.ts';

const CLOSE = 'Connection: close\r\n';
const get = (path = '/', more = ''): string => `GET ${path} HTTP/1.1\r\nHost: x.test\r\n${more}\r\n`;

/** Puts together what a stream is sent. */
function whole(stream: NodeJS.ReadableStream): Promise<Buffer> {
  return new Promise((resolve) => {
    const parts: Buffer[] = [];
    stream.on('data', (part: Buffer) => parts.push(part));
    stream.on('end', () => resolve(Buffer.concat(parts)));
  });
}

test('a request goes to a backend as HTTP/2 has it', async (context) => {
  const seen: IncomingHttpHeaders[] = [];
  const backend = await http2Backend(context, (stream, headers) => {
    seen.push(headers);
    saying('hello')(stream, headers);
  });
  const harness = await http2Proxy(context, [backend.port]);
  const more = `X-Any: thing\r\nTE: trailers, deflate\r\nKeep-Alive: 5\r\nX-Hop: 1\r\nConnection: close, x-hop\r\n`;
  const text = await exchange(harness.port, get('/a?b=c', more));
  assert.match(text, /^HTTP\/1\.1 200 OK\r\n/);
  assert.match(text, /\r\nContent-Length: 5\r\n/);
  assert.match(text, /hello$/);
  const headers = seen[0]!;
  assert.equal(headers[':method'], 'GET');
  assert.equal(headers[':scheme'], 'http');
  assert.equal(headers[':path'], '/a?b=c');
  assert.equal(headers[':authority'], 'x.test');
  assert.equal(headers['x-any'], 'thing');
  assert.equal(headers.te, 'trailers');
  assert.equal(headers['x-forwarded-for'], '127.0.0.1');
  for (const gone of ['host', 'connection', 'keep-alive', 'x-hop', 'transfer-encoding'])
    assert.equal(headers[gone], undefined, gone);
});

test('te is not said for a client that has not said it', async (context) => {
  const seen: IncomingHttpHeaders[] = [];
  const backend = await http2Backend(context, (stream, headers) => {
    seen.push(headers);
    saying('')(stream, headers);
  });
  const harness = await http2Proxy(context, [backend.port]);
  await exchange(harness.port, get('/', `TE: deflate\r\n${CLOSE}`));
  assert.equal(seen[0]!.te, undefined);
});

test('bodies of both framings arrive, with their trailers', async (context) => {
  const trailers: IncomingHttpHeaders[] = [];
  const lengths: (string | undefined)[] = [];
  const backend = await http2Backend(context, async (stream, headers) => {
    lengths.push(headers['content-length']);
    stream.on('trailers', (fields) => trailers.push(fields));
    const body = await whole(stream);
    stream.respond({ ':status': 200 }, { waitForTrailers: true });
    stream.on('wantTrailers', () => stream.sendTrailers({ 'x-after': 'end' }));
    stream.end(body);
  });
  const harness = await http2Proxy(context, [backend.port]);
  const fixed = await exchange(
    harness.port,
    `POST / HTTP/1.1\r\nHost: a\r\n${CLOSE}Content-Length: 5\r\n\r\nhello`,
  );
  assert.match(fixed, /\r\n5\r\nhello\r\n0\r\nx-after: end\r\n\r\n$/);
  const chunks = '3\r\nabc\r\n4\r\ndefg\r\n0\r\nX-Sum: 7\r\n\r\n';
  const chunked = `POST / HTTP/1.1\r\nHost: a\r\n${CLOSE}Transfer-Encoding: chunked\r\n\r\n`;
  assert.match(await exchange(harness.port, chunked + chunks), /abcdefg\r\n0\r\nx-after: end\r\n\r\n$/);
  const late = new RawClient(harness.port).send(chunked);
  for (const byte of chunks) {
    late.send(byte);
    await new Promise(setImmediate);
  }
  await late.untilOver();
  assert.match(late.text, /abcdefg\r\n0\r\nx-after: end\r\n\r\n$/);
  assert.deepEqual(lengths, ['5', undefined, undefined]);
  assert.deepEqual(
    trailers.map((fields) => fields['x-sum']),
    ['7', '7'],
  );
});

for (const [what, request, status, wanted] of [
  ['HEAD', get().replace('GET', 'HEAD'), 200, /\r\nContent-Length: 7\r\nConnection: close\r\n\r\n$/i],
  ['204', get(), 204, /\r\n\r\n$/],
  ['304', get(), 304, /\r\n\r\n$/],
  ['an empty body', get(), 200, /\r\nContent-Length: 0\r\n[\s\S]*\r\n\r\n$/i],
] as const)
  test(`${what} has no body`, async (context) => {
    const backend = await http2Backend(context, (stream) => {
      const length = what === 'HEAD' ? { 'content-length': 7 } : {};
      stream.respond({ ':status': status, ...length }, { endStream: true });
    });
    const harness = await http2Proxy(context, [backend.port]);
    const client = new RawClient(harness.port);
    for (let round = 0; round < 2; round += 1)
      await client.send(request).until(({ text }) => text.split(`HTTP/1.1 ${status}`).length === round + 2);
    const text = await exchange(harness.port, request.replace('\r\n\r\n', `\r\n${CLOSE}\r\n`));
    assert.match(text, wanted);
    client.socket.destroy();
    assert.equal(backend.sessions.length, 1);
  });

test('interim answers pass, and a body that waits for one', async (context) => {
  const backend = await http2Backend(context, (stream, headers) => {
    stream.additionalHeaders({ ':status': 103, link: '</a>' });
    if (headers.expect === '100-continue') stream.additionalHeaders({ ':status': 100 });
    void whole(stream).then((body) => saying(body.toString())(stream, headers));
  });
  const harness = await http2Proxy(context, [backend.port]);
  const client = new RawClient(harness.port).send(
    `PUT / HTTP/1.1\r\nHost: a\r\n${CLOSE}Expect: 100-continue\r\nContent-Length: 4\r\n\r\n`,
  );
  await client.untilText('HTTP/1.1 100 Continue\r\n');
  assert.match(client.text, /^HTTP\/1\.1 103 Early Hints\r\nlink: <\/a>\r\n\r\n/i);
  await client.send('body').untilOver();
  assert.match(client.text, /HTTP\/1\.1 200 OK\r\n[\s\S]*body$/);
});

/** Sends a body and resolves with what comes back of it; reads no faster than it can. */
async function mirrored(port: number, body: Buffer): Promise<string> {
  const response = await fetch(`http://127.0.0.1:${port}/`, { method: 'POST', body: new Uint8Array(body) });
  const hash = createHash('sha256');
  for await (const part of response.body!) hash.update(part);
  return hash.digest('hex');
}

for (const [what, settings, bytes] of [
  ['windows of their default size', {}, 25_000_000],
  ['tight windows', { initialWindowSize: 4096 }, 10_000_000],
  ['large frames and windows', { initialWindowSize: 10_000_000, maxFrameSize: 1_000_000 }, 25_000_000],
] as const)
  test(`large bodies pass both ways: ${what}`, { timeout: 60_000 }, async (context) => {
    const backend = await http2Backend(
      context,
      (stream) => {
        stream.respond({ ':status': 200 });
        stream.pipe(stream);
      },
      settings,
    );
    const harness = await http2Proxy(context, [backend.port]);
    const bodies = [randomBytes(bytes), randomBytes(bytes >> 1), randomBytes(1)];
    const hashes = await Promise.all(bodies.map((body) => mirrored(harness.port, body)));
    for (const [index, body] of bodies.entries())
      assert.equal(hashes[index], createHash('sha256').update(body).digest('hex'));
    assert.equal(backend.sessions.length, 1);
  });

test('a backend that shrinks its windows in the middle gets all of a body', async (context) => {
  const body = randomBytes(3_000_000);
  const backend = await http2Backend(context, (stream, headers) => {
    const { session } = stream;
    const hash = createHash('sha256');
    let size = 0;
    let shrinks = 0;
    stream.on('data', (part: Buffer) => {
      hash.update(part);
      size += part.length;
      if (size > shrinks * 300_000) {
        shrinks += 1;
        session!.settings({ initialWindowSize: shrinks % 2 === 0 ? 65_535 : 5000 });
      }
    });
    stream.on('end', () => saying(hash.digest('hex'))(stream, headers));
  });
  const harness = await http2Proxy(context, [backend.port]);
  const response = await fetch(`http://127.0.0.1:${harness.port}/`, {
    method: 'POST',
    body: new Uint8Array(body),
  });
  assert.equal(await response.text(), createHash('sha256').update(body).digest('hex'));
});

/** `count` requests, `width` at a time on connections of their own. */
async function burst(
  context: TestContext,
  port: number,
  count: number,
  width: number,
): Promise<Map<string, number>> {
  const statuses = new Map<string, number>();
  let left = count;
  const clients = Array.from({ length: width }, () => new RawClient(port));
  context.after(() => {
    for (const client of clients) client.socket.destroy();
  });
  await Promise.all(
    clients.map(async (client) => {
      for (let done = 1; left > 0; done += 1) {
        left -= 1;
        await client.send(get()).until(({ text }) => text.split('HTTP/1.1 ').length === done + 1);
      }
      for (const [, status] of client.text.matchAll(/HTTP\/1\.1 (\d+)/g))
        statuses.set(status!, (statuses.get(status!) ?? 0) + 1);
    }),
  );
  return statuses;
}

test('a thousand requests need one connection or two', async (context) => {
  const backend = await http2Backend(context, saying('ok'));
  const harness = await http2Proxy(context, [backend.port]);
  assert.deepEqual([...(await burst(context, harness.port, 1000, 100))], [['200', 1000]]);
  assert.ok(backend.sessions.length <= 2, `${backend.sessions.length} connections`);
  assert.equal(backend.count(), 1000);
});

test('no more streams than the backend wants, and no more connections than there may be', async (context) => {
  let now = 0;
  let most = 0;
  const backend = await http2Backend(
    context,
    (stream, headers) => {
      now += 1;
      most = Math.max(most, now);
      setImmediate(() => {
        now -= 1;
        saying('ok')(stream, headers);
      });
    },
    { maxConcurrentStreams: 1 },
  );
  const harness = await http2Proxy(context, [backend.port], { maxConnections: 2 });
  assert.deepEqual([...(await burst(context, harness.port, 300, 30))], [['200', 300]]);
  assert.equal(backend.sessions.length, 2);
  assert.ok(most <= 2, `${most} at once`);
  assert.equal(harness.count('upstream_retries'), 0);
});

test('no more streams than the cluster allows', async (context) => {
  const backend = await http2Backend(context, (stream, headers) =>
    setTimeout(() => saying('ok')(stream, headers), 1),
  );
  const harness = await http2Proxy(context, [backend.port], { maxConcurrentStreams: 5 });
  assert.deepEqual([...(await burst(context, harness.port, 200, 20))], [['200', 200]]);
  assert.ok(backend.sessions.length >= 2 && backend.sessions.length <= 4, `${backend.sessions.length}`);
});
