import assert from 'node:assert/strict';
import type { ServerHttp2Stream } from 'node:http2';
import { constants } from 'node:http2';
import { test } from 'node:test';
import { LIMIT_CONNECTIONS, LIMIT_PENDING, limitBytes, limitTotalIndex } from '../../src/model/limits.ts';
import { FLAG, FRAME } from '../../src/wire/h2/frame.ts';
import { frame, OK, uint32 } from '../wire/h2/frames.ts';
import { http2Backend, http2Proxy, saying } from './http2-backend.ts';
import { answering, exchange, OK as OK_1, RawClient, rawBackend } from './raw.ts';
import { isRequest, scriptedBackend } from './scripted-http2.ts';

const CLOSE = 'Connection: close\r\n';
const GET = `GET / HTTP/1.1\r\nHost: a\r\n${CLOSE}\r\n`;
const POST = `POST / HTTP/1.1\r\nHost: a\r\n${CLOSE}Content-Length: 2\r\n\r\nhi`;
const turn = () => new Promise(setImmediate);
const { HEADERS, GOAWAY, RST_STREAM, DATA } = FRAME;
const BOTH = FLAG.END_STREAM | FLAG.END_HEADERS;
const { NGHTTP2_INTERNAL_ERROR, NGHTTP2_REFUSED_STREAM, NGHTTP2_CANCEL, NGHTTP2_NO_ERROR } = constants;

test('a reset before the answer is 502, in the middle of it cuts it, and the connection goes on', async (context) => {
  const backend = await http2Backend(context, (stream, headers) => {
    switch (headers[':path']) {
      case '/before':
        stream.close(NGHTTP2_INTERNAL_ERROR);
        break;
      case '/head':
        stream.respond({ ':status': 200, 'content-length': 10 });
        setImmediate(() => stream.close(NGHTTP2_INTERNAL_ERROR));
        break;
      case '/middle':
        stream.respond({ ':status': 200, 'content-length': 10 });
        stream.write('12345', () => stream.close(NGHTTP2_CANCEL));
        break;
      default:
        saying('fine')(stream, headers);
    }
  });
  const harness = await http2Proxy(context, [backend.port]);
  const at = (path: string) => exchange(harness.port, GET.replace('/', path));
  assert.match(await at('/before'), /^HTTP\/1\.1 502 [\s\S]*upstream_reset/);
  assert.match(await at('/fine'), /fine$/);
  assert.ok(!/12345\d/.test(await at('/middle')));
  await at('/head');
  assert.match(await at('/fine'), /fine$/);
  assert.equal(backend.sessions.length, 1);
  assert.equal(backend.count(), 5);
  assert.equal(harness.dataplane.report('whole').endpoints[0]!.activeRequests, 0);
});

test('an answer before the request is whole stops the request, and the connection goes on', async (context) => {
  const codes: number[] = [];
  const backend = await http2Backend(context, (stream, headers) => {
    stream.on('close', () => codes.push(stream.rstCode));
    if (headers[':method'] !== 'POST') saying('fine')(stream, headers);
    else {
      stream.respond({ ':status': 413, 'content-length': 3 });
      stream.end('big');
    }
  });
  const harness = await http2Proxy(context, [backend.port]);
  const client = new RawClient(harness.port).send(
    'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 999999\r\n\r\nhi',
  );
  await client.untilText('big');
  await client.untilOver();
  assert.match(client.text, /^HTTP\/1\.1 413 /);
  assert.match(await exchange(harness.port, GET), /fine$/);
  assert.equal(backend.sessions.length, 1);
});

test('what the backend refuses is sent again, whatever its method, but not for ever', async (context) => {
  let refusals = 2;
  const bodies: string[] = [];
  const backend = await http2Backend(context, (stream) => {
    if (refusals > 0) {
      refusals -= 1;
      stream.close(NGHTTP2_REFUSED_STREAM);
      return;
    }
    stream.on('data', (part: Buffer) => bodies.push(part.toString()));
    stream.on('end', () => saying('done')(stream as ServerHttp2Stream, {}));
  });
  const harness = await http2Proxy(context, [backend.port]);
  assert.match(await exchange(harness.port, POST), /^HTTP\/1\.1 200 [\s\S]*done$/);
  assert.deepEqual(bodies, ['hi']);
  assert.equal(harness.count('upstream_retries', { reason: 'unprocessed' }), 2);
  refusals = 100;
  assert.match(await exchange(harness.port, POST), /^HTTP\/1\.1 502 /);
  assert.equal(refusals, 97);
});

test('a body that has been passed on is not sent again', async (context) => {
  const backend = await http2Backend(context, (stream) => {
    stream.once('data', () => stream.close(NGHTTP2_REFUSED_STREAM));
  });
  const harness = await http2Proxy(context, [backend.port]);
  const client = new RawClient(harness.port).send('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 90\r\n\r\n');
  while (backend.count() === 0) await turn();
  client.send('some');
  await client.untilOver();
  assert.match(client.text, /^HTTP\/1\.1 502 /);
  assert.equal(backend.count(), 1);
});

test('goodbyes in the middle of traffic lose no request and double none', {
  timeout: 60_000,
}, async (context) => {
  const served = new Map<string, number>();
  const backend = await http2Backend(context, (stream, headers) => {
    const id = String(headers['x-id']);
    served.set(id, (served.get(id) ?? 0) + 1);
    setTimeout(() => saying(id)(stream, headers), 1);
    if (served.size % 40 === 0) stream.session!.close();
  });
  const harness = await http2Proxy(context, [backend.port]);
  const answers = await Promise.all(
    Array.from({ length: 20 }, async (_, client) => {
      const raw = new RawClient(harness.port);
      for (let round = 0; round < 50; round += 1) {
        const id = `${client}-${round}`;
        raw.send(`POST / HTTP/1.1\r\nHost: a\r\nX-Id: ${id}\r\nContent-Length: 2\r\n\r\nhi`);
        await raw.until(({ text }) => text.split('HTTP/1.1 ').length === round + 2 && text.endsWith(id));
      }
      raw.socket.destroy();
      return raw.text.match(/HTTP\/1\.1 200/g)?.length ?? 0;
    }),
  );
  assert.deepEqual(answers, new Array(20).fill(50));
  assert.equal(served.size, 1000);
  assert.deepEqual(
    [...served.values()].filter((times) => times !== 1),
    [],
  );
  assert.ok(backend.sessions.length >= 20, `${backend.sessions.length} connections`);
});

test('streams above the last of a goodbye are sent again on another connection', async (context) => {
  const requests: number[] = [];
  const backend = await scriptedBackend(context, {
    onFrame: (received, socket) => {
      if (!isRequest(received)) return;
      const connection = backend.sockets.indexOf(socket);
      requests.push(connection);
      if (connection > 0) socket.write(frame(HEADERS, BOTH, received.id, OK));
      // The first is worked on, the second is not.
      else if (received.id === 3) {
        socket.write(frame(GOAWAY, 0, 0, Buffer.concat([uint32(1), uint32(0)])));
        socket.write(frame(HEADERS, BOTH, 1, OK));
      }
    },
  });
  const harness = await http2Proxy(context, [backend.port]);
  const answers = await Promise.all([exchange(harness.port, POST), exchange(harness.port, POST)]);
  for (const answer of answers) assert.match(answer, /^HTTP\/1\.1 200 /);
  assert.deepEqual(requests, [0, 0, 1]);
});

test('a connection that dies takes its requests along and nothing else', async (context) => {
  const waiting: ServerHttp2Stream[] = [];
  let isDying = true;
  const backend = await http2Backend(context, (stream, headers) => {
    if (!isDying) {
      saying('alive')(stream, headers);
      return;
    }
    waiting.push(stream);
    if (waiting.length < 50) return;
    isDying = false;
    stream.session!.destroy();
  });
  const limits = new SharedArrayBuffer(limitBytes(2));
  const harness = await http2Proxy(context, [backend.port], {}, { limits });
  const answers = await Promise.all(Array.from({ length: 50 }, () => exchange(harness.port, POST)));
  for (const answer of answers) assert.match(answer, /^HTTP\/1\.1 502 [\s\S]*upstream_reset/);
  assert.match(await exchange(harness.port, POST), /alive$/);
  assert.equal(backend.count(), 51);
  const [endpoint] = harness.dataplane.report('whole').endpoints;
  assert.equal(endpoint!.activeRequests, 0);
  assert.equal(endpoint!.connections, 1);
  const cells = new Int32Array(limits);
  assert.equal(cells[limitTotalIndex(16, LIMIT_CONNECTIONS)], 1);
  assert.equal(cells[limitTotalIndex(16, LIMIT_PENDING)], 0);
});

test('a kept connection that turns out to be dead costs nobody an answer', async (context) => {
  const backend = await scriptedBackend(context, {
    onFrame: (received, socket) => {
      if (!isRequest(received)) return;
      const isDead = backend.sockets.length === 1 && received.id > 1;
      if (isDead) socket.resetAndDestroy();
      else socket.write(frame(HEADERS, BOTH, received.id, OK));
    },
  });
  const harness = await http2Proxy(context, [backend.port]);
  assert.match(await exchange(harness.port, GET), /^HTTP\/1\.1 200 /);
  const answers = await Promise.all(Array.from({ length: 10 }, () => exchange(harness.port, GET)));
  for (const answer of answers) assert.match(answer, /^HTTP\/1\.1 200 /);
  assert.equal(backend.sockets.length, 2);
});

test('a client that does not read holds its own stream only', { timeout: 30_000 }, async (context) => {
  const chunk = Buffer.alloc(65_536, 'x');
  let sent = 0;
  const backend = await http2Backend(context, (stream, headers) => {
    if (headers[':path'] !== '/endless') {
      stream.respond({ ':status': 200 });
      stream.end(Buffer.alloc(1_000_000, 'y'));
      return;
    }
    stream.respond({ ':status': 200 });
    const more = (): void => {
      if (stream.destroyed) return;
      sent += chunk.length;
      stream.write(chunk, more);
    };
    more();
  });
  const harness = await http2Proxy(context, [backend.port]);
  const slow = new RawClient(harness.port);
  slow.socket.pause();
  slow.send(GET.replace('/', '/endless'));
  // Until nothing of it moves any more.
  for (let before = -1; before !== sent || sent === 0; ) {
    before = sent;
    for (let round = 0; round < 20; round += 1)
      assert.match(await exchange(harness.port, GET), /^HTTP\/1\.1 200 [\s\S]*y\r\n0\r\n\r\n$/);
  }
  assert.equal(backend.sessions.length, 1);
  slow.socket.resume();
  const had = sent;
  while (sent < had + 20_000_000) await turn();
  slow.socket.resetAndDestroy();
  while (harness.dataplane.report('whole').endpoints[0]!.activeRequests > 0) await turn();
  assert.match(await exchange(harness.port, GET), /^HTTP\/1\.1 200 /);
  assert.equal(backend.sessions.length, 1);
});

test('a client that goes cancels its stream, and the connection lives on', async (context) => {
  const codes: number[] = [];
  const backend = await http2Backend(context, (stream, headers) => {
    if (headers[':path'] === '/quick') saying('quick')(stream, headers);
    else stream.on('close', () => codes.push(stream.rstCode));
  });
  const harness = await http2Proxy(context, [backend.port]);
  const client = new RawClient(harness.port).send(GET);
  while (backend.count() === 0) await turn();
  client.socket.resetAndDestroy();
  while (codes.length === 0) await turn();
  assert.deepEqual(codes, [NGHTTP2_CANCEL]);
  assert.match(await exchange(harness.port, GET.replace('/', '/quick')), /quick$/);
  assert.equal(backend.sessions.length, 1);
});

test('an answer that does not come in time is 504, and its stream is cancelled', async (context) => {
  const codes: number[] = [];
  const backend = await http2Backend(context, (stream) => {
    stream.on('close', () => codes.push(stream.rstCode));
  });
  const harness = await http2Proxy(context, [backend.port], {}, { timeouts: { backend: 100 } });
  assert.match(await exchange(harness.port, GET), /^HTTP\/1\.1 504 [\s\S]*upstream_timeout/);
  while (codes.length === 0) await turn();
  assert.deepEqual(codes, [NGHTTP2_CANCEL]);
});

test('a backend that has vanished is noticed, one that is slow is left alone', async (context) => {
  let pings = 0;
  const backend = await scriptedBackend(context, {
    onFrame: (received, socket) => {
      if (received.type !== FRAME.PING) return;
      pings += 1;
      // It answers as long as it lives.
      if (pings < 3) socket.write(frame(FRAME.PING, FLAG.ACK, 0, received.payload));
    },
  });
  const harness = await http2Proxy(
    context,
    [backend.port],
    {},
    { timeouts: { backendSilence: 60, backendPong: 60 } },
  );
  assert.match(await exchange(harness.port, POST), /^HTTP\/1\.1 502 [\s\S]*upstream_reset/);
  assert.equal(pings, 3);
});

for (const [what, serve] of [
  ['speaks HTTP/1.1', answering(OK_1)],
  ['says nothing', () => {}],
  ['hangs up', (socket: { destroy(): void }) => socket.destroy()],
] as const)
  test(`no request reaches a backend that ${what}`, async (context) => {
    const backend = await rawBackend(context, serve);
    const harness = await http2Proxy(context, [backend.port], { connectTimeoutMs: 100 });
    assert.match(
      await exchange(harness.port, POST),
      /^HTTP\/1\.1 50[24] [\s\S]*upstream_connect_(failed|timeout)/,
    );
    for (const received of backend.received) assert.ok(!received.includes('hi'));
    const [endpoint] = harness.dataplane.report('whole').endpoints;
    assert.equal(endpoint!.activeRequests, 0);
    assert.equal(endpoint!.connections, 0);
  });

test('where nobody listens the requests that wait are all told', async (context) => {
  const harness = await http2Proxy(context, [1]);
  const answers = await Promise.all(Array.from({ length: 20 }, () => exchange(harness.port, POST)));
  for (const answer of answers) assert.match(answer, /^HTTP\/1\.1 502 [\s\S]*upstream_connect_failed/);
  assert.ok(harness.notifications.some(({ type }) => type === 'endpoint.failing'));
});

test('a reset after the end of an answer harms nobody', async (context) => {
  const backend = await scriptedBackend(context, {
    onFrame: (received, socket) => {
      if (!isRequest(received)) return;
      socket.write(frame(HEADERS, FLAG.END_HEADERS, received.id, OK));
      socket.write(frame(DATA, FLAG.END_STREAM, received.id, Buffer.from('ok')));
      socket.write(frame(RST_STREAM, 0, received.id, uint32(NGHTTP2_NO_ERROR)));
    },
  });
  const harness = await http2Proxy(context, [backend.port]);
  for (let round = 0; round < 5; round += 1)
    assert.match(await exchange(harness.port, POST), /ok\r\n0\r\n\r\n$/);
  assert.equal(backend.sockets.length, 1);
});
