import assert from 'node:assert/strict';
import type { ServerResponse } from 'node:http';
import type { ClientHttp2Session } from 'node:http2';
import { constants } from 'node:http2';
import { test } from 'node:test';
import { cluster, endpoint, LISTENER, route, rule, startProxy, withHttp } from './harness.ts';
import type { Http2Answer } from './http2-client.ts';
import { answerOf, http2Client } from './http2-client.ts';
import { nodeBackend } from './node-backend.ts';
import { answering, exchange, OK, rawBackend } from './raw.ts';

function ask(
  session: ClientHttp2Session,
  headers: Record<string, string>,
  body: Buffer | string | null = null,
): Promise<Http2Answer> {
  const stream = session.request(
    { ':authority': 'a.example', ':path': '/', ...headers },
    { endStream: body === null },
  );
  const answer = answerOf(stream);
  if (body !== null) stream.end(body);
  return answer;
}

test('a request over HTTP/2 reaches an HTTP/1.1 backend as HTTP/1.1, and its answer comes back', async (context) => {
  const backend = await rawBackend(
    context,
    answering('HTTP/1.1 200 OK\r\nX-From: b\r\nContent-Length: 2\r\n\r\nok'),
  );
  const { port } = await startProxy(context, [backend.port]);
  const { headers, body } = await ask(http2Client(context, port), {
    ':path': '/a?b=c',
    'x-one': '1',
    cookie: 'a=1',
    'x-request-id': 'abc-12345',
    'x-forwarded-for': '6.6.6.6',
  });
  assert.equal(headers[':status'], 200);
  assert.equal(headers['x-from'], 'b');
  assert.equal(headers['content-length'], '2');
  assert.equal(body.toString(), 'ok');
  assert.equal(
    backend.received[0],
    `GET /a?b=c HTTP/1.1\r\nHost: a.example\r\nx-one: 1\r\ncookie: a=1\r\nX-Forwarded-For: 127.0.0.1\r\n` +
      `X-Forwarded-Proto: http\r\nX-Forwarded-Port: ${port}\r\nX-Forwarded-Host: a.example\r\nX-Request-Id: abc-12345\r\n\r\n`,
  );
});

for (const size of [0, 1, 100, 16_384, 65_536, 1_000_000, 8_000_000]) {
  test(`bodies of ${size} bytes go both ways, with and without a length`, async (context) => {
    const port = await nodeBackend(context, (message, response) => {
      if (message.headers['content-length'] !== undefined)
        response.setHeader('content-length', message.headers['content-length']);
      message.pipe(response);
    });
    const proxy = await startProxy(context, [port]);
    const session = http2Client(context, proxy.port);
    const body = Buffer.alloc(size, 'abcdefghij');
    for (const headers of [{}, { 'content-length': String(size) }]) {
      const answer = await ask(session, { ':method': 'POST', ...headers }, body);
      assert.equal(answer.headers[':status'], 200);
      assert.ok(answer.body.equals(body));
    }
  });
}

test('a hundred requests at once on one connection', async (context) => {
  const port = await nodeBackend(context, (message, response) => {
    setImmediate(() => response.end(`${message.url} `.repeat(500)));
  });
  const proxy = await startProxy(context, [port]);
  const session = http2Client(context, proxy.port);
  const answers = await Promise.all(
    Array.from({ length: 100 }, (_, index) => ask(session, { ':path': `/${index}` })),
  );
  for (const [index, { headers, body }] of answers.entries()) {
    assert.equal(headers[':status'], 200);
    assert.equal(body.toString(), `/${index} `.repeat(500));
  }
});

test('local answers: no route, and what is wrong', async (context) => {
  const backend = await rawBackend(context, answering(OK));
  const more = [
    {
      kind: 'route' as const,
      value: route({
        rules: [
          rule({
            matches: [{ path: { type: 'Exact', value: '/x' }, method: null, headers: [], queryParams: [] }],
          }),
        ],
      }),
    },
  ];
  const { port } = await startProxy(context, [backend.port], { more });
  const session = http2Client(context, port);
  const missing = await ask(session, { ':path': '/none' });
  assert.equal(missing.headers[':status'], 404);
  assert.equal(missing.headers['x-novaedge-reason'], 'route_not_found');
  assert.match(missing.body.toString(), /404 Not Found: route_not_found/);
  const head = await ask(session, { ':path': '/none', ':method': 'HEAD' });
  assert.equal(head.headers['content-length'], String(missing.body.length));
  assert.equal(head.body.length, 0);
  const found = await ask(session, { ':path': '/x' });
  assert.equal(found.headers[':status'], 200);
});

test('trailers and interim answers of a backend come through', async (context) => {
  const port = await nodeBackend(context, (_, response) => {
    response.writeEarlyHints({ link: '</a.css>; rel=preload' });
    response.setHeader('trailer', 'x-sum');
    response.write('one');
    response.addTrailers({ 'x-sum': '42' });
    response.end('two');
  });
  const proxy = await startProxy(context, [port]);
  const session = http2Client(context, proxy.port);
  const stream = session.request({ ':authority': 'a.example' });
  const hints: (string | undefined)[] = [];
  stream.on('headers', (headers) => hints.push(headers.link as string));
  const answer = await answerOf(stream);
  assert.equal(answer.body.toString(), 'onetwo');
  assert.equal(answer.trailers?.['x-sum'], '42');
  assert.deepEqual(hints, ['</a.css>; rel=preload']);
});

test('an answer that breaks off is reset, not ended', async (context) => {
  const backend = await rawBackend(context, (socket) =>
    socket.end('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc'),
  );
  const { port } = await startProxy(context, [backend.port]);
  const answer = await ask(http2Client(context, port), {});
  assert.equal(answer.headers[':status'], 200);
  assert.equal(answer.code, constants.NGHTTP2_INTERNAL_ERROR);
});

test('a slow reader holds its own stream only', async (context) => {
  const port = await nodeBackend(context, (message, response) => {
    if (message.url === '/large') response.end(Buffer.alloc(4_000_000));
    else response.end('small');
  });
  const proxy = await startProxy(context, [port]);
  const session = http2Client(context, proxy.port);
  const large = session.request({ ':authority': 'a.example', ':path': '/large' });
  await new Promise((resolve) => large.once('response', resolve));
  // Nothing of it is read, until its window is full.
  for (let index = 0; index < 20; index += 1) {
    const { body } = await ask(session, { ':path': '/small' });
    assert.equal(body.toString(), 'small');
  }
  assert.equal((await answerOf(large)).body.length, 4_000_000);
});

test('a client that leaves gives its backend connection back, or up', async (context) => {
  const backend = await rawBackend(context, () => {});
  const { port, count } = await startProxy(context, [backend.port]);
  const session = http2Client(context, port);
  const stream = session.request({ ':authority': 'a.example' });
  while (backend.received.length === 0) await new Promise((resolve) => setImmediate(resolve));
  const closed = new Promise((resolve) => backend.connections[0]!.once('close', resolve));
  stream.close(constants.NGHTTP2_CANCEL);
  await closed;
  assert.equal(count('local_response_count', { reason: 'client_reset' }), 1);
});

test('a drain says goodbye, and loses nothing', async (context) => {
  let asked: ((response: ServerResponse) => void) | null = null;
  const response = new Promise<ServerResponse>((resolve) => {
    asked = resolve;
  });
  const port = await nodeBackend(context, (_, given) => asked?.(given));
  const proxy = await startProxy(context, [port]);
  const session = http2Client(context, proxy.port);
  const pending = ask(session, {});
  const late = await response;
  const goaway = new Promise((resolve) => session.once('goaway', resolve));
  proxy.dataplane.drainListener(LISTENER);
  await goaway;
  late.end('late');
  assert.equal((await pending).body.toString(), 'late');
  await new Promise((resolve) => session.once('close', resolve));
});

test('where it is switched off the preface is refused as HTTP/1.1', async (context) => {
  const backend = await rawBackend(context, answering(OK));
  const { http } = withHttp({});
  const { port } = await startProxy(context, [backend.port], {
    listener: { http: { ...http, http2: { ...http.http2, enabled: false } } },
  });
  const session = http2Client(context, port);
  const error = await new Promise<Error>((resolve) => session.once('error', resolve));
  assert.match(error.message, /protocol|socket/i);
});

test('a port for HTTP/2 alone serves it, and nothing else', async (context) => {
  const backend = await rawBackend(context, answering(OK));
  const { http } = withHttp({});
  const { port } = await startProxy(context, [backend.port], {
    listener: { http: { ...http, http1: false } },
  });
  assert.equal((await ask(http2Client(context, port), {})).headers[':status'], 200);
  const answer = await exchange(port, 'GET / HTTP/1.1\r\nHost: a.example\r\n\r\n');
  assert.doesNotMatch(answer, /HTTP\/1\.1/);
  assert.equal(backend.received.length, 1);
});

test('a body that comes whole with its head is ended once, for its backend and for a mirror', async (context) => {
  const backend = await rawBackend(context, answering(OK));
  const shadow = await rawBackend(context, answering(OK));
  const { port } = await startProxy(context, [backend.port], {
    more: [
      { kind: 'cluster', value: cluster({ name: 'default/shadow' }) },
      { kind: 'endpoint', value: endpoint(shadow.port, { cluster: 'default/shadow' }) },
      {
        kind: 'route',
        value: route({ rules: [rule({ mirrors: [{ cluster: 'default/shadow', share: 1 }] })] }),
      },
    ],
  });
  const session = http2Client(context, port);
  await ask(session, { ':path': '/first' });
  const answer = await ask(session, { ':path': '/body', ':method': 'POST' }, 'hello');
  assert.equal(answer.headers[':status'], 200);
  assert.equal((await ask(session, { ':path': '/last' })).headers[':status'], 200);
  for (const { received } of [backend, shadow]) {
    // A mirror's requests may come by different connections, in any order.
    while (received.join('').split('\r\n\r\n').length < 5)
      await new Promise((resolve) => setImmediate(resolve));
    const text = received.join('');
    assert.equal(text.split('5\r\nhello\r\n0\r\n\r\n').length, 2, text);
    assert.equal(text.split('0\r\n\r\n').length, 2, text);
    assert.equal(text.split('HTTP/1.1\r\n').length, 4, text);
  }
});
