import assert from 'node:assert/strict';
import type { Socket } from 'node:net';
import type { TestContext } from 'node:test';
import { test } from 'node:test';
import type { Listener } from '../../src/model/gateway.ts';
import type { RouteRule } from '../../src/model/route.ts';
import type { Clocked } from './clocked.ts';
import { clocked, until } from './clocked.ts';
import type { Harness } from './harness.ts';
import { route, rule, startProxy, withHttp } from './harness.ts';
import type { RawBackend } from './raw.ts';
import { exchange, OK, RawClient, rawBackend } from './raw.ts';

const HOST = 'HTTP/1.1\r\nHost: a\r\n';
const CHUNKED = `POST / ${HOST}Transfer-Encoding: chunked\r\n\r\n`;
const GET = `GET / ${HOST}\r\n`;

interface Scene extends Clocked {
  readonly harness: Harness;
  readonly backend: RawBackend;
}

async function scene(
  context: TestContext,
  serve: (socket: Socket, bytes: Buffer, index: number) => void,
  settings: { readonly listener?: Partial<Listener>; readonly rule?: Partial<RouteRule> } = {},
): Promise<Scene> {
  const clock = clocked();
  const backend = await rawBackend(context, serve);
  const harness = await startProxy(context, [backend.port], {
    listener: settings.listener ?? {},
    system: clock.system,
    more: [{ kind: 'route', value: route({ rules: [rule(settings.rule)] }) }],
  });
  return { ...clock, harness, backend };
}

/** All clients have gone: nothing of them is left but idle connections to backends. */
async function assertClean({ harness, advance }: Scene): Promise<void> {
  await until(() => {
    advance(100);
    return harness.count('open_connections') === 0;
  });
  for (const gauge of ['active_connections', 'upstream_pending_requests'])
    assert.equal(harness.count(gauge), 0, gauge);
  const { endpoints } = harness.dataplane.report('whole');
  for (const { activeRequests } of endpoints) assert.equal(activeRequests, 0);
  // One timer for each idle connection to a backend.
  const idle = endpoints.reduce((sum, { connections }) => sum + connections, 0);
  assert.equal(harness.dataplane.armedTimers, idle);
  advance(61_000);
  await until(() => harness.count('upstream_open_connections') === 0);
  assert.equal(harness.dataplane.armedTimers, 0);
}

test('a body that is announced too long is refused at once: no backend hears of it', async (context) => {
  const on = await scene(context, () => {}, { listener: withHttp({}, { bodyBytes: 100 }) });
  const client = new RawClient(on.harness.port).send(
    `POST / ${HOST}Expect: 100-continue\r\nContent-Length: 101\r\n\r\n`,
  );
  await client.untilOver();
  assert.match(client.text, /^HTTP\/1\.1 413 .*x-novaedge-reason: body_too_large\r\nConnection: close\r\n/s);
  assert.equal(on.backend.connections.length, 0);
  assert.equal(on.harness.count('local_response_count', { reason: 'body_too_large' }), 1);
  await assertClean(on);
});

test('a body of exactly the limit passes, and one that is here whole costs no connection', async (context) => {
  const on = await scene(
    context,
    (socket, bytes) => {
      if (bytes.toString('latin1').endsWith('x')) socket.write(OK);
    },
    { listener: withHttp({}, { bodyBytes: 100 }) },
  );
  const post = (length: number): string =>
    `POST / ${HOST}Content-Length: ${length}\r\n\r\n${'x'.repeat(length)}`;
  const client = new RawClient(on.harness.port).send(post(100));
  await client.untilText('ok');
  client.text = '';
  client.send(post(101));
  await client.untilText(': body_too_large\n');
  client.text = '';
  client.send(post(100));
  await client.untilText('ok');
  client.socket.destroy();
  await assertClean(on);
});

test('a rule has a limit of its own, larger, smaller or none', async (context) => {
  for (const [own, length, status] of [
    [200, 150, 200],
    [50, 60, 413],
    [0, 100_000, 200],
    [-1, 101, 413],
  ] as const) {
    const on = await scene(
      context,
      (socket, bytes) => {
        if (bytes.toString('latin1').endsWith('z')) socket.write(OK);
      },
      { listener: withHttp({}, { bodyBytes: 100 }), rule: { bodyBytes: own } },
    );
    const text = await exchange(
      on.harness.port,
      `POST / ${HOST}Connection: close\r\nContent-Length: ${length}\r\n\r\n${'x'.repeat(length - 1)}z`,
    );
    assert.ok(text.startsWith(`HTTP/1.1 ${status} `), `${own}: ${text.slice(0, 30)}`);
    await assertClean(on);
  }
});

test('chunks are counted as they pass: what the backend has is cut, never ended, and the answer arrives', async (context) => {
  const on = await scene(context, () => {}, { listener: withHttp({}, { bodyBytes: 100_000 }) });
  const chunk = `1000\r\n${'x'.repeat(4096)}\r\n`;
  const client = new RawClient(on.harness.port).send(CHUNKED);
  for (let sent = 0; sent < 24; sent += 1) client.send(chunk);
  await until(() => (on.backend.received[0] ?? '').length > 24 * 4096);
  assert.equal(client.text, '');
  client.send(chunk);
  // It goes on sending, as a client does that does not look.
  for (let more = 0; more < 50; more += 1) client.send(chunk);
  await client.untilText('body_too_large\n');
  assert.match(client.text, /^HTTP\/1\.1 413 .*\r\nConnection: close\r\n/s);
  assert.equal(client.error, '');
  await until(() => on.backend.connections[0]!.destroyed);
  assert.ok(!on.backend.received[0]!.includes('0\r\n\r\n'));
  client.socket.destroy();
  await assertClean(on);
});

test('chunks beyond the limit in one read with the head never reach a backend', async (context) => {
  const on = await scene(context, () => {}, { listener: withHttp({}, { bodyBytes: 10 }) });
  const text = await exchange(on.harness.port, `${CHUNKED}b\r\n12345678901\r\n0\r\n\r\n`);
  assert.match(text, /^HTTP\/1\.1 413 /);
  assert.equal(on.backend.received.join(''), '');
  await assertClean(on);
});

test('a body that grows too long while its answer is already going out cuts the answer', async (context) => {
  const on = await scene(
    context,
    (socket, bytes) => {
      if (bytes.toString('latin1').startsWith('POST'))
        socket.write('HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nbegin');
    },
    { listener: withHttp({}, { bodyBytes: 10 }) },
  );
  const client = new RawClient(on.harness.port).send(`${CHUNKED}2\r\nab\r\n`);
  await client.untilText('begin');
  client.send('9\r\n123456789\r\n');
  await client.untilOver();
  assert.ok(!client.text.includes('413'));
  assert.equal(on.harness.count('local_response_count', { reason: 'body_too_large' }), 1);
  await assertClean(on);
});

test('the last answer that a connection may have says so', async (context) => {
  const on = await scene(context, (socket) => socket.write(OK), {
    listener: withHttp({}, { requestsPerConnection: 3 }),
  });
  const client = new RawClient(on.harness.port);
  for (let turn = 1; turn <= 3; turn += 1) {
    client.text = '';
    client.send(GET);
    await client.untilText('ok');
    assert.equal(client.text.includes('Connection: close'), turn === 3);
  }
  await client.untilOver();
  const piped = await exchange(on.harness.port, GET.repeat(5));
  assert.equal(piped.split('HTTP/1.1 200').length - 1, 3);
  await assertClean(on);
});

test('a limit of requests that comes down ends a connection that has had more with its next answer', async (context) => {
  const on = await scene(context, (socket) => socket.write(OK), {
    listener: withHttp({}, { requestsPerConnection: 0 }),
  });
  const client = new RawClient(on.harness.port).send(GET.repeat(5));
  await client.until(({ text }) => text.split('ok').length === 6);
  const value = { ...on.harness.listenerConfig(), ...withHttp({}, { requestsPerConnection: 3 }) };
  on.harness.change([{ kind: 'listener', value }]);
  client.text = '';
  client.send(GET);
  await client.untilOver();
  assert.match(client.text, /^HTTP\/1\.1 200 .*Connection: close\r\n.*ok$/s);
  await assertClean(on);
});

test('what a client sends ahead of its answers is read up to the limit, and the rest later', async (context) => {
  const waiting: Socket[] = [];
  const on = await scene(context, (socket) => waiting.push(socket), {
    listener: withHttp({}, { pipelinedBytes: 4096 }),
  });
  const padded = `GET / ${HOST}X-Pad: ${'p'.repeat(2000)}\r\n\r\n`;
  const client = new RawClient(on.harness.port).send(padded);
  await until(() => waiting.length === 1);
  const filler = Buffer.from(padded.repeat(32), 'latin1');
  let sent = 0;
  for (let still = 0; still < 20; still += 1) {
    if (client.socket.writableLength === 0) {
      client.socket.write(filler);
      sent += 32;
      still = 0;
    }
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  let answered = 0;
  while (answered < sent + 1) {
    await until(() => waiting.length > 0);
    waiting.shift()!.write(OK);
    answered += 1;
  }
  await client.until(({ text }) => text.split('HTTP/1.1 200').length - 1 === sent + 1);
  client.socket.destroy();
  await assertClean(on);
});

test('an answer that comes before the body ends reaches the client, and nothing is left', async (context) => {
  const on = await scene(context, (socket) => socket.write(OK));
  const client = new RawClient(on.harness.port).send(`POST / ${HOST}Content-Length: 1000000\r\n\r\nsome`);
  await client.untilText('ok');
  assert.ok(!client.text.includes('Connection: close') || client.text.endsWith('ok'));
  await client.untilOver();
  await until(() => on.backend.connections[0]!.destroyed);
  await assertClean(on);
});

test('a client that goes in the middle of its body: the backend sees it cut, and nothing is left', async (context) => {
  for (const how of ['reset', 'end'] as const) {
    const on = await scene(context, () => {});
    const client = new RawClient(on.harness.port).send(`${CHUNKED}5\r\nhello\r\n`);
    await until(() => (on.backend.received[0] ?? '').endsWith('hello\r\n'));
    if (how === 'reset') client.socket.resetAndDestroy();
    else client.socket.end();
    await until(() => on.backend.connections[0]!.destroyed);
    assert.ok(!on.backend.received[0]!.includes('0\r\n\r\n'));
    assert.equal(on.harness.count('local_response_count', { reason: 'client_reset' }), 1);
    client.socket.destroy();
    await assertClean(on);
  }
});

test('a backend that goes in the middle of its answer: the client sees it cut, and nothing is left', async (context) => {
  for (const [framing, body] of [
    ['Content-Length: 100', 'some'],
    ['Transfer-Encoding: chunked', '4\r\nsome\r\n'],
  ] as const) {
    const on = await scene(context, (socket) => socket.end(`HTTP/1.1 200 OK\r\n${framing}\r\n\r\n${body}`));
    const client = new RawClient(on.harness.port).send(GET);
    await client.untilOver();
    assert.ok(client.text.includes('some') && !client.text.includes('\r\n0\r\n\r\n'));
    assert.equal(on.harness.count('local_response_count', { reason: 'upstream_reset' }), 1);
    await assertClean(on);
  }
});

test('a client that has ended its half gets its answer, however long that takes', async (context) => {
  const asked: Socket[] = [];
  const on = await scene(context, (socket) => asked.push(socket));
  const client = new RawClient(on.harness.port).send(GET);
  client.socket.end();
  await until(() => asked.length === 1);
  on.advance(50_000);
  asked[0]!.write('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n12345');
  await client.untilText('12345');
  on.advance(50_000);
  asked[0]!.write('67890');
  await client.untilOver();
  assert.match(client.text, /\r\n\r\n1234567890$/);
  await assertClean(on);
});

test('a client that has ended its half gets the answers to all that it has sent, and what is half a head is dropped', async (context) => {
  const asked: Socket[] = [];
  const on = await scene(context, (socket) => asked.push(socket));
  for (const [more, expected] of [
    [GET.repeat(3), 4],
    [GET + GET.slice(0, 20), 2],
    [`GET /x ${HOST}Bad Name: x\r\n\r\n${GET}`, 2],
  ] as const) {
    const client = new RawClient(on.harness.port).send(GET + more);
    client.socket.end();
    let answered = 0;
    const serving = setInterval(() => {
      for (const socket of asked.splice(0)) socket.write(OK);
      answered = client.text.split('HTTP/1.1 ').length - 1;
    }, 1);
    await client.untilOver();
    clearInterval(serving);
    answered = client.text.split('HTTP/1.1 ').length - 1;
    assert.equal(answered, expected, JSON.stringify(client.text));
  }
  await assertClean(on);
});

test('a client that ends its half while the tail of its last answer waits for it gets that tail', async (context) => {
  const body = Buffer.alloc(12_000_000, 97);
  const on = await scene(context, (socket) => {
    socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n`);
    socket.write(body);
  });
  for (const how of ['Connection: close\r\n', '']) {
    const client = new RawClient(on.harness.port);
    client.socket.pause();
    client.send(`GET / ${HOST}${how}\r\n`);
    await until(() => on.backend.connections.length > 0);
    let last = -1;
    for (let still = 0; still < 20; still += 1) {
      await new Promise((resolve) => setTimeout(resolve, 5));
      const left = on.backend.connections.reduce((sum, socket) => sum + socket.writableLength, 0);
      if (left !== last) still = 0;
      last = left;
    }
    // Until only the tail is left, whatever the kernel keeps.
    let came = 0;
    client.socket.removeAllListeners('data');
    client.socket.on('data', (bytes: Buffer) => {
      came += bytes.length;
      if (came < body.length / 2) return;
      client.socket.end();
    });
    client.socket.resume();
    await client.untilOver();
    assert.ok(came > body.length, `${came} bytes`);
  }
  await assertClean(on);
});

test('a backend that has ended its half still gets the rest of a body, where its answer is whole', async (context) => {
  const on = await scene(context, (socket, bytes) => {
    if (bytes.toString('latin1').startsWith('POST')) socket.end(OK);
  });
  const client = new RawClient(on.harness.port).send(`POST / ${HOST}Content-Length: 10\r\n\r\n12345`);
  await client.untilText('ok');
  client.send('67890');
  await client.untilOver();
  await assertClean(on);
});

test('100 reaches the client before its body, the final answer after; a refusal spares the body', async (context) => {
  const on = await scene(context, (socket, bytes) => {
    const text = bytes.toString('latin1');
    if (text.startsWith('POST /yes')) socket.write('HTTP/1.1 100 Continue\r\n\r\n');
    else if (text.startsWith('POST /no'))
      socket.write('HTTP/1.1 401 Unauthorized\r\nContent-Length: 2\r\n\r\nno');
    else socket.write(OK);
  });
  const expecting = (path: string): string =>
    `POST ${path} ${HOST}Expect: 100-continue\r\nContent-Length: 4\r\n\r\n`;
  const client = new RawClient(on.harness.port).send(expecting('/yes'));
  await client.untilText('100 Continue');
  client.text = '';
  client.send('body');
  await client.untilText('ok');
  client.text = '';
  client.send(expecting('/no'));
  await client.untilOver();
  assert.match(client.text, /^HTTP\/1\.1 401 .*Connection: close\r\n.*no$/s);
  await assertClean(on);
});
