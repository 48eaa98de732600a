import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { Agent, createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { connect } from 'node:net';
import type { TestContext } from 'node:test';
import { test } from 'node:test';
import { promisify } from 'node:util';
import type { Resource } from '../../src/model/resource.ts';
import { needs } from '../needs.ts';
import type { Harness } from './harness.ts';
import { cluster, endpoint, filtered, route, rule, start, untilRefused } from './harness.ts';
import { answering, exchange, OK, RawClient, rawBackend } from './raw.ts';

const GET = 'GET /x HTTP/1.1\r\nHost: a.example\r\n\r\n';
const GET_CLOSE = 'GET /x HTTP/1.1\r\nHost: a.example\r\nConnection: close\r\n\r\n';

async function proxy(
  context: TestContext,
  ports: readonly number[],
  more: readonly Resource[] = [],
): Promise<Harness> {
  const harness = await start({
    resources: [
      { kind: 'cluster', value: cluster() },
      ...ports.map((port): Resource => ({ kind: 'endpoint', value: endpoint(port) })),
      { kind: 'route', value: route() },
      ...more,
    ],
  });
  context.after(() => harness.dataplane.shutdown());
  return harness;
}

async function nodeBackend(
  context: TestContext,
  serve: (request: IncomingMessage, response: ServerResponse) => void,
): Promise<number> {
  const server = createServer({ keepAliveTimeout: 0 }, serve);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  context.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

test('a request is forwarded anew and its answer comes back', async (context) => {
  const backend = await rawBackend(context, answering(OK));
  const { port } = await proxy(context, [backend.port]);
  const answer = await exchange(
    port,
    'GET /a?b=c HTTP/1.1\r\nhost:  a.example:80 \r\nX-One:1\r\nConnection: close, X-Secret\r\nX-Secret: 1\r\n' +
      'Keep-Alive: 5\r\nX_Under: 1\r\nX-Forwarded-For: 6.6.6.6\r\nForwarded: for=6.6.6.6\r\nX-Request-Id: abc-12345\r\n\r\n',
  );
  assert.equal(answer, 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok');
  assert.equal(
    backend.received[0],
    `GET /a?b=c HTTP/1.1\r\nHost: a.example:80\r\nX-One: 1\r\nX-Forwarded-For: 127.0.0.1\r\n` +
      `X-Forwarded-Proto: http\r\nX-Forwarded-Port: ${port}\r\nX-Forwarded-Host: a.example:80\r\nX-Request-Id: abc-12345\r\n\r\n`,
  );
});

test('connections on both sides are kept and pipelined requests answered in order', async (context) => {
  const backend = await nodeBackend(context, (message, response) => response.end(`<${message.url}>`));
  const { port, count } = await proxy(context, [backend]);
  const client = new RawClient(port);
  client.send(Array.from({ length: 50 }, (_, index) => `GET /${index} HTTP/1.1\r\nHost: a\r\n\r\n`).join(''));
  await client.untilText('</49>');
  const order = [...client.text.matchAll(/<\/(\d+)>/g)].map((match) => Number(match[1]));
  assert.deepEqual(
    order,
    Array.from({ length: 50 }, (_, index) => index),
  );
  assert.equal(count('upstream_connection_count'), 1);
  assert.equal(count('request_count', { code: '2xx' }), 50);
  client.socket.destroy();
});

test('a request whose bytes come one by one is one request', async (context) => {
  const backend = await nodeBackend(context, (message, response) => {
    message.on('data', () => {});
    message.on('end', () => response.end('done'));
  });
  const { port } = await proxy(context, [backend]);
  const client = new RawClient(port);
  for (const byte of 'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n') {
    client.send(byte);
    await new Promise((resolve) => setImmediate(resolve));
  }
  await client.untilText('done');
  client.socket.destroy();
});

for (const size of [0, 1, 16_000, 17_000, 70_000, 3_000_000]) {
  for (const chunked of [false, true]) {
    test(`a ${chunked ? 'chunked' : 'counted'} body of ${size} bytes passes both ways unchanged`, async (context) => {
      const backend = await nodeBackend(context, (message, response) => {
        if (!chunked && message.headers['content-length'] !== undefined) {
          response.setHeader('Content-Length', message.headers['content-length']);
        }
        message.pipe(response);
      });
      const { port } = await proxy(context, [backend]);
      const body = randomBytes(size);
      const digest = await new Promise<string>((resolve, reject) => {
        const hash = createHash('sha256');
        const outgoing = request({ port, host: '127.0.0.1', method: 'POST', agent: false }, (response) => {
          response.on('data', (bytes) => hash.update(bytes));
          response.on('end', () => resolve(hash.digest('hex')));
          response.on('error', reject);
        });
        outgoing.on('error', reject);
        if (chunked) for (let at = 0; at < size; at += 10_000) outgoing.write(body.subarray(at, at + 10_000));
        outgoing.end(chunked ? undefined : body);
      });
      assert.equal(digest, createHash('sha256').update(body).digest('hex'));
    });
  }
}

test('HEAD, 204 and 304 have no body and keep the connection', async (context) => {
  const backend = await nodeBackend(context, (message, response) => {
    if (message.url === '/204') response.writeHead(204).end();
    else if (message.url === '/304') response.writeHead(304, { etag: '"1"' }).end();
    else response.writeHead(200, { 'content-length': 5 }).end('hello');
  });
  const { port } = await proxy(context, [backend]);
  const client = new RawClient(port);
  client.send(
    'HEAD / HTTP/1.1\r\nHost: a\r\n\r\nGET /204 HTTP/1.1\r\nHost: a\r\n\r\nGET /304 HTTP/1.1\r\nHost: a\r\n\r\n' +
      GET_CLOSE,
  );
  await client.untilOver();
  const heads = client.text.split('\r\n\r\n').map((part) => part.split('\r\n')[0]);
  assert.deepEqual(heads, [
    'HTTP/1.1 200 OK',
    'HTTP/1.1 204 No Content',
    'HTTP/1.1 304 Not Modified',
    'HTTP/1.1 200 OK',
    'hello',
  ]);
  assert.match(client.text, /^HTTP\/1\.1 200 OK\r\n(?:.*\r\n)*?Content-Length: 5\r\n/);
});

test('Expect: 100-continue is passed on and the interim answer comes back', async (context) => {
  const backend = await nodeBackend(context, (message, response) => {
    message.resume();
    message.on('end', () => response.end('thanks'));
  });
  const { port } = await proxy(context, [backend]);
  const client = new RawClient(port);
  client.send('POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n');
  await client.untilText('HTTP/1.1 100 Continue\r\n\r\n');
  client.send('abc');
  await client.untilText('thanks');
  client.socket.destroy();
  assert.match(
    await exchange(port, 'GET / HTTP/1.1\r\nHost: a\r\nExpect: 200-ok\r\n\r\n'),
    /^HTTP\/1\.1 417 /,
  );
});

test('an upgraded connection is a tunnel until both sides have ended', async (context) => {
  const backend = await rawBackend(context, (socket, bytes) => {
    const text = bytes.toString('latin1');
    if (text.includes('HTTP/1.1'))
      socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\nhi!');
    else socket.write(bytes);
  });
  const { port } = await proxy(context, [backend.port]);
  const client = new RawClient(port);
  client.send('GET / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: echo\r\n\r\n');
  await client.untilText('hi!');
  assert.match(
    client.text,
    /^HTTP\/1\.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\nhi!$/,
  );
  const big = 'x'.repeat(300_000);
  client.send(big);
  await client.until(() => client.text.endsWith(big));
  client.socket.end();
  await client.untilOver();
});

test('a tunnel whose client reads slowly holds its backend back and goes on', async (context) => {
  const total = 40_000_000;
  const backend = await rawBackend(context, (socket) => {
    socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: flood\r\n\r\n');
    socket.end(Buffer.alloc(total, 'x'));
  });
  const { port, dataplane } = await proxy(context, [backend.port]);
  const client = connect({ port, host: '127.0.0.1' });
  client.write('GET / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: flood\r\n\r\n');
  let bytes = 0;
  for await (const piece of client) {
    bytes += (piece as Buffer).length;
    if (bytes % 7 === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  assert.ok(bytes > total && bytes < total + 200);
  while (dataplane.report('whole').listeners[0]!.openConnections > 0)
    await new Promise((resolve) => setImmediate(resolve));
});

test('a backend that refuses to upgrade answers, and what follows is not read as a request', async (context) => {
  const backend = await rawBackend(context, answering(OK));
  const { port } = await proxy(context, [backend.port]);
  const answer = await exchange(
    port,
    'GET / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n',
  );
  assert.match(answer, /^HTTP\/1\.1 200 OK\r\n.*Connection: close\r\n\r\nok$/s);
  assert.ok(!backend.received.join().includes('smuggled'));
});

test('HTTP/1.0 gets no chunks, and its connection is kept only where it asks', async (context) => {
  const backend = await nodeBackend(context, (message, response) => {
    if (message.url === '/known') response.setHeader('content-length', 3).end('abc');
    else {
      response.write('ab');
      response.end('c');
    }
  });
  const { port } = await proxy(context, [backend]);
  const answer = await exchange(port, 'GET / HTTP/1.0\r\n\r\n');
  assert.match(answer, /^HTTP\/1\.1 200 OK\r\n.*Connection: close\r\n\r\nabc$/s);
  const client = new RawClient(port);
  client.send('GET /known HTTP/1.0\r\nConnection: keep-alive\r\n\r\n');
  await client.untilText('abc');
  assert.match(client.text, /Connection: keep-alive\r\n/);
  client.text = '';
  client.send('GET /known HTTP/1.0\r\n\r\n');
  await client.untilOver();
  assert.match(client.text, /abc$/);
});

test('an answer that ends with the connection becomes chunks', async (context) => {
  const backend = await rawBackend(context, (socket) => socket.end('HTTP/1.1 200 OK\r\n\r\nabc'));
  const { port } = await proxy(context, [backend.port]);
  const client = new RawClient(port);
  client.send(GET);
  await client.untilText('0\r\n\r\n');
  assert.equal(client.text, 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n');
  client.socket.destroy();
});

test('trailers pass, those that belong to the head do not', async (context) => {
  const backend = await rawBackend(
    context,
    answering(
      'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3;x=y\r\nabc\r\n0\r\nX-Sum: 1\r\nSet-Cookie: a=b\r\n\r\n',
    ),
  );
  const { port } = await proxy(context, [backend.port]);
  const answer = await exchange(port, GET_CLOSE);
  assert.match(answer, /\r\n\r\n3\r\nabc\r\n0\r\nX-Sum: 1\r\n\r\n$/);
});

test('an early answer reaches a client that still sends', async (context) => {
  const backend = await nodeBackend(context, (_message, response) => {
    response.writeHead(413, { connection: 'close' }).end('too much');
  });
  const { port } = await proxy(context, [backend]);
  const client = new RawClient(port);
  client.send('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10000000\r\n\r\n');
  client.send(Buffer.alloc(100_000));
  await client.untilText('too much');
  await client.untilOver();
  assert.match(client.text, /^HTTP\/1\.1 413 /);
});

test('a client that goes away frees its backend connection', async (context) => {
  let gone: () => void = () => {};
  const aborted = new Promise<void>((resolve) => {
    gone = resolve;
  });
  const backend = await rawBackend(context, (socket) => {
    socket.on('close', gone);
  });
  const { port, count } = await proxy(context, [backend.port]);
  const client = new RawClient(port);
  client.send(GET);
  while (backend.connections.length === 0) await new Promise((resolve) => setImmediate(resolve));
  client.socket.resetAndDestroy();
  await aborted;
  while (count('open_connections') !== 0) await new Promise((resolve) => setImmediate(resolve));
  assert.equal(count('local_response_count', { reason: 'client_reset' }), 1);
  assert.equal(count('upstream_open_connections'), 0);
});

test('a client that closes its half still gets its answer', async (context) => {
  const backend = await rawBackend(context, (socket) => setImmediate(() => socket.write(OK)));
  const { port } = await proxy(context, [backend.port]);
  const client = new RawClient(port);
  client.socket.end(GET);
  await client.untilOver();
  assert.match(client.text, /ok$/);
});

for (const [name, answer] of [
  ['a counted', 'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nabc'],
  ['a chunked', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n'],
] as const) {
  test(`${name} answer that breaks off is cut, not ended`, async (context) => {
    const backend = await rawBackend(context, (socket) => socket.end(answer));
    const { port, count } = await proxy(context, [backend.port]);
    const failed = await new Promise<boolean>((resolve) => {
      const outgoing = request({ port, host: '127.0.0.1', agent: false }, (response) => {
        response.resume();
        response.on('end', () => resolve(false));
        response.on('error', () => resolve(true));
      });
      outgoing.on('error', () => resolve(true));
      outgoing.end();
    });
    assert.ok(failed);
    assert.equal(count('local_response_count', { reason: 'upstream_reset' }), 1);
  });
}

test('HTTP/1.0 can tell a broken answer by a reset', async (context) => {
  const backend = await rawBackend(context, (socket) => {
    socket.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n');
    setTimeout(() => socket.destroy(), 20);
  });
  const { port } = await proxy(context, [backend.port]);
  const client = new RawClient(port);
  client.send('GET / HTTP/1.0\r\n\r\n');
  await new Promise<void>((resolve) => client.socket.on('close', () => resolve()));
  assert.equal(client.error, 'ECONNRESET');
});

test('no backend that listens: 502 after others were tried, and the endpoint is reported', async (context) => {
  const dead = await rawBackend(context, () => {});
  dead.close();
  const { port, count, notified } = await proxy(context, [dead.port]);
  assert.match(
    await exchange(port, GET_CLOSE),
    /^HTTP\/1\.1 502 .*x-novaedge-reason: upstream_connect_failed\r\n/s,
  );
  assert.equal(count('upstream_connect_failures', { reason: 'ECONNREFUSED' }), 3);
  const notification = await notified('endpoint.failing');
  assert.equal(notification.type === 'endpoint.failing' && notification.failures, 3);
});

test('one dead endpoint among two costs no request', async (context) => {
  const dead = await rawBackend(context, () => {});
  dead.close();
  const backend = await rawBackend(context, answering(OK));
  const { port } = await proxy(context, [dead.port, backend.port]);
  for (let turn = 0; turn < 4; turn += 1) assert.match(await exchange(port, GET_CLOSE), /^HTTP\/1\.1 200 /);
});

for (const [name, answer] of Object.entries({
  'no HTTP': 'SSH-2.0-OpenSSH\r\n\r\n',
  'two lengths': 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\nok',
  'length and coding': 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
  'folded field': 'HTTP/1.1 200 OK\r\nA: b\r\n c\r\n\r\n',
  'bare LF': 'HTTP/1.1 200 OK\nContent-Length: 2\n\nok',
  'unasked upgrade': 'HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n',
})) {
  test(`a backend that lies (${name}) is answered for with 502`, async (context) => {
    const backend = await rawBackend(context, (socket) => socket.write(answer));
    const { port } = await proxy(context, [backend.port]);
    assert.match(
      await exchange(port, GET_CLOSE),
      /^HTTP\/1\.1 502 .*x-novaedge-reason: upstream_protocol_error\r\n/s,
    );
  });
}

test("bytes after an answer never become the next request's answer", async (context) => {
  const backend = await rawBackend(context, (socket) =>
    socket.write(`${OK}HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil`),
  );
  const { port } = await proxy(context, [backend.port]);
  const client = new RawClient(port);
  client.send(GET);
  await client.untilText('ok');
  client.send(GET_CLOSE);
  await client.untilOver();
  assert.ok(!client.text.includes('evil'));
  assert.equal(backend.connections.length, 2);
});

test("a backend that hangs is answered for with 504 after the rule's time", async (context) => {
  const backend = await rawBackend(context, () => {});
  const { port } = await proxy(
    context,
    [backend.port],
    [{ kind: 'route', value: route({ rules: [rule({ backendTimeoutMs: 50 })] }) }],
  );
  assert.match(await exchange(port, GET_CLOSE), /^HTTP\/1\.1 504 .*x-novaedge-reason: upstream_timeout\r\n/s);
});

test('the whole request has a limit of its own', async (context) => {
  const backend = await rawBackend(context, (socket) =>
    socket.write('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc'),
  );
  const { port, count } = await proxy(
    context,
    [backend.port],
    [{ kind: 'route', value: route({ rules: [rule({ requestTimeoutMs: 100 })] }) }],
  );
  const answer = await exchange(port, GET_CLOSE);
  assert.match(answer, /abc$/);
  assert.equal(count('local_response_count', { reason: 'upstream_timeout' }), 1);
});

test('a kept connection that the backend has closed meanwhile costs no request', async (context) => {
  let served = 0;
  const backend = await rawBackend(context, (socket) => {
    served += 1;
    // Every second request of a connection finds it closed without an answer.
    if (served === 2) socket.destroy();
    else socket.write(OK);
  });
  const { port, count } = await proxy(context, [backend.port]);
  const client = new RawClient(port);
  client.send(GET);
  await client.untilText('ok');
  client.text = '';
  client.send(GET_CLOSE);
  await client.untilOver();
  assert.match(client.text, /^HTTP\/1\.1 200 /);
  assert.equal(count('upstream_retries', { reason: 'stale_connection' }), 1);
});

test('a POST on a connection that died may have been processed and is not sent again', async (context) => {
  let served = 0;
  const backend = await rawBackend(context, (socket) => {
    served += 1;
    if (served === 2) socket.destroy();
    else socket.write(OK);
  });
  const { port } = await proxy(context, [backend.port]);
  const client = new RawClient(port);
  client.send(GET);
  await client.untilText('ok');
  client.text = '';
  client.send('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nConnection: close\r\n\r\nx');
  await client.untilOver();
  assert.match(client.text, /^HTTP\/1\.1 502 .*upstream_reset/s);
  assert.equal(served, 2);
});

test('a slow reader holds the backend back, not our memory', async (context) => {
  let sent = 0;
  const piece = Buffer.alloc(65_536, 'x');
  const total = 256 * 1024 * 1024;
  const backend = await nodeBackend(context, (_message, response) => {
    response.writeHead(200, { 'content-length': total });
    const more = (): void => {
      while (sent < total) {
        sent += piece.length;
        if (!response.write(piece)) {
          response.once('drain', more);
          return;
        }
      }
      response.end();
    };
    more();
  });
  const { port } = await proxy(context, [backend]);
  const client = new RawClient(port);
  client.send(GET);
  await client.untilText('\r\n\r\n');
  client.socket.pause();
  // Wait until the backend is stuck: nothing moved over many turns.
  let before = -1;
  for (let quiet = 0; quiet < 20; ) {
    await new Promise((resolve) => setTimeout(resolve, 10));
    quiet = sent === before ? quiet + 1 : 0;
    before = sent;
  }
  assert.ok(sent < 64 * 1024 * 1024, `${sent} bytes were taken for a client that reads none`);
  client.socket.destroy();
});

test('no route, no cluster, no endpoint: 404, 500, 503, and the connection is kept', async (context) => {
  const harness = await start({
    resources: [
      { kind: 'cluster', value: cluster() },
      {
        kind: 'route',
        value: route({
          rules: [
            rule({
              matches: [
                { path: { type: 'PathPrefix', value: '/empty' }, method: null, headers: [], queryParams: [] },
              ],
            }),
            rule({
              matches: [
                { path: { type: 'PathPrefix', value: '/none' }, method: null, headers: [], queryParams: [] },
              ],
              clusters: [{ cluster: 'default/missing', weight: 1 }],
            }),
          ],
        }),
      },
    ],
  });
  context.after(() => harness.dataplane.shutdown());
  const answer = await exchange(
    harness.port,
    'GET / HTTP/1.1\r\nHost: a\r\n\r\nPOST /none HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello' +
      'GET /empty HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n',
  );
  const reasons = [...answer.matchAll(/HTTP\/1\.1 (\d+) .*?x-novaedge-reason: (\w+)/gs)].map(
    (match) => `${match[1]} ${match[2]}`,
  );
  assert.deepEqual(reasons, ['404 route_not_found', '500 cluster_not_found', '503 no_healthy_endpoint']);
});

test('filters change headers, host and path, and redirect', async (context) => {
  const backend = await rawBackend(
    context,
    answering('HTTP/1.1 200 OK\r\nServer: x\r\nContent-Length: 2\r\n\r\nok'),
  );
  const path = { type: 'PathPrefix', value: '/old' } as const;
  const { port, change } = await proxy(
    context,
    [backend.port],
    [
      {
        kind: 'route',
        value: filtered(
          [
            {
              type: 'RequestHeaders',
              changes: {
                set: [{ name: 'X-A', value: '1' }],
                add: [{ name: 'X-B', value: '2' }],
                remove: ['x-c'],
              },
            },
            {
              type: 'ResponseHeaders',
              changes: { set: [], add: [{ name: 'X-Answer', value: 'yes' }], remove: ['server'] },
            },
            {
              type: 'Rewrite',
              hostname: 'inner.example',
              path: { type: 'ReplacePrefixMatch', value: '/new' },
            },
          ],
          path,
        ),
      },
    ],
  );
  const answer = await exchange(
    port,
    'GET /old/x?q=1 HTTP/1.1\r\nHost: a\r\nx-a: 0\r\nX-C: 3\r\nX-B: 1\r\nConnection: close\r\n\r\n',
  );
  assert.match(backend.received[0]!, /^GET \/new\/x\?q=1 HTTP\/1\.1\r\nHost: inner\.example\r\nX-B: 1\r\n/);
  assert.match(backend.received[0]!, /\r\nX-Forwarded-Host: a\r\n/);
  assert.match(backend.received[0]!, /\r\nX-A: 1\r\nX-B: 2\r\n/);
  assert.doesNotMatch(backend.received[0]!, /x-c|x-a: 0/);
  assert.match(answer, /\r\nX-Answer: yes\r\n/);
  assert.doesNotMatch(answer, /Server/);
  change([
    {
      kind: 'route',
      value: filtered(
        [
          {
            type: 'Redirect',
            scheme: 'https',
            hostname: null,
            port: null,
            path: { type: 'ReplacePrefixMatch', value: '/' },
            statusCode: 308,
          },
        ],
        path,
      ),
    },
  ]);
  const redirect = await exchange(
    port,
    'GET /old/x?q=1 HTTP/1.1\r\nHost: a:8080\r\nConnection: close\r\n\r\n',
  );
  assert.match(redirect, /^HTTP\/1\.1 308 Permanent Redirect\r\nLocation: https:\/\/a\/x\?q=1\r\n/);
});

test('a policy of the gateway holds for routes that came before it', async (context) => {
  const backend = await rawBackend(context, answering(OK));
  const { port, change } = await proxy(context, [backend.port]);
  await exchange(port, GET_CLOSE);
  change([
    {
      kind: 'policy',
      value: {
        name: 'default/p',
        target: { kind: 'gateway', name: 'default/edge' },
        createdAt: 0,
        filters: [
          { type: 'ResponseHeaders', changes: { set: [{ name: 'X-P', value: '1' }], add: [], remove: [] } },
        ],
      },
    },
  ]);
  assert.match(await exchange(port, GET_CLOSE), /\r\nX-P: 1\r\n/);
  change([], ['policy/default/p']);
  assert.doesNotMatch(await exchange(port, GET_CLOSE), /X-P/);
});

test('curl is content', needs('curl'), async (context) => {
  const backend = await nodeBackend(context, (message, response) => {
    response.setHeader('x-method', message.method ?? '');
    message.pipe(response);
  });
  const { port } = await proxy(context, [backend]);
  const curl = promisify(execFile);
  const { stdout } = await curl('curl', ['-sS', '-i', '-d', 'a=b', `http://127.0.0.1:${port}/`]);
  assert.match(stdout, /^HTTP\/1\.1 200 OK\r\n.*x-method: POST\r\n.*a=b$/s);
  const head = await curl('curl', ['-sS', '-I', `http://127.0.0.1:${port}/`]);
  assert.match(head.stdout, /^HTTP\/1\.1 200 OK\r\n.*x-method: HEAD\r\n/s);
});

test('drain: what is in flight is answered and told to close, then the listener is drained', async (context) => {
  let release: () => void = () => {};
  let arrive: () => void = () => {};
  const arrived = new Promise<void>((resolve) => {
    arrive = resolve;
  });
  const backend = await nodeBackend(context, (_message, response) => {
    release = () => response.end('late');
    arrive();
  });
  const { port, dataplane, notified } = await proxy(context, [backend]);
  const idle = new RawClient(port);
  const busy = new RawClient(port);
  busy.send(GET);
  await arrived;
  dataplane.drainListener('default/edge/http');
  await untilRefused(port);
  release();
  await busy.untilText('late');
  assert.match(busy.text, /\r\nConnection: close\r\n/);
  await idle.untilOver();
  await notified('listener.drained');
  assert.equal(dataplane.closeListener('default/edge/http'), 0);
});

test('changes under load lose no request', async (context) => {
  const first = await nodeBackend(context, (_message, response) => response.end('1'));
  const second = await nodeBackend(context, (_message, response) => response.end('2'));
  const { port, change } = await proxy(context, [first]);
  const agent = new Agent({ keepAlive: true, maxSockets: 16 });
  context.after(() => agent.destroy());
  const seen = new Set<string>();
  let failures = 0;
  let running = true;
  const once = (): Promise<void> =>
    new Promise((resolve) => {
      const outgoing = request({ port, host: '127.0.0.1', agent }, (response) => {
        if (response.statusCode !== 200) failures += 1;
        response.on('data', (bytes) => seen.add(String(bytes)));
        response.on('end', resolve);
      });
      outgoing.on('error', () => {
        failures += 1;
        resolve();
      });
      outgoing.end();
    });
  const load = Array.from({ length: 16 }, async () => {
    while (running) await once();
  });
  for (let turn = 0; turn < 40; turn += 1) {
    const [adds, goes] = turn % 2 === 0 ? [second, first] : [first, second];
    change([{ kind: 'endpoint', value: endpoint(adds) }], [`endpoint/default/api/127.0.0.1:${goes}`]);
    change([{ kind: 'route', value: route({ createdAt: turn }) }]);
    await Promise.all([once(), once()]);
  }
  running = false;
  await Promise.all(load);
  assert.equal(failures, 0);
  assert.deepEqual([...seen].sort(), ['1', '2']);
});
