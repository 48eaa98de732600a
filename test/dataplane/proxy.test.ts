import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { Agent, request } from 'node:http';
import { connect } from 'node:net';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { needs } from '../needs.ts';
import { endpoint, route, startProxy, untilRefused } from './harness.ts';
import { nodeBackend } from './node-backend.ts';
import { answering, exchange, OK, RawClient, rawBackend } from './raw.ts';

const GET = 'GET /x HTTP/1.1\r\nHost: a.example\r\n\r\n';
const GET_CLOSE = 'GET /x HTTP/1.1\r\nHost: a.example\r\nConnection: close\r\n\r\n';

test('a request is forwarded anew and its answer comes back', async (context) => {
  const backend = await rawBackend(context, answering(OK));
  const { port } = await startProxy(context, [backend.port]);
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
  const { port, count } = await startProxy(context, [backend]);
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
  const { port } = await startProxy(context, [backend]);
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
      const { port } = await startProxy(context, [backend]);
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
  const { port } = await startProxy(context, [backend]);
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
  const { port } = await startProxy(context, [backend]);
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
  const { port } = await startProxy(context, [backend.port]);
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
  const { port, dataplane } = await startProxy(context, [backend.port]);
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
  const { port } = await startProxy(context, [backend.port]);
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
  const { port } = await startProxy(context, [backend]);
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
  const { port } = await startProxy(context, [backend.port]);
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
  const { port } = await startProxy(context, [backend.port]);
  const answer = await exchange(port, GET_CLOSE);
  assert.match(answer, /\r\n\r\n3\r\nabc\r\n0\r\nX-Sum: 1\r\n\r\n$/);
});

test('an early answer reaches a client that still sends', async (context) => {
  const backend = await nodeBackend(context, (_message, response) => {
    response.writeHead(413, { connection: 'close' }).end('too much');
  });
  const { port } = await startProxy(context, [backend]);
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
  const { port, count } = await startProxy(context, [backend.port]);
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
  const { port } = await startProxy(context, [backend.port]);
  const client = new RawClient(port);
  client.socket.end(GET);
  await client.untilOver();
  assert.match(client.text, /ok$/);
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
  const { port } = await startProxy(context, [backend]);
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

test('curl is content', needs('curl'), async (context) => {
  const backend = await nodeBackend(context, (message, response) => {
    response.setHeader('x-method', message.method ?? '');
    message.pipe(response);
  });
  const { port } = await startProxy(context, [backend]);
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
  const { port, dataplane, notified } = await startProxy(context, [backend]);
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
  const { port, change } = await startProxy(context, [first]);
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
