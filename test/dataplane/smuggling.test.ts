import assert from 'node:assert/strict';
import type { AddressInfo, Server, Socket } from 'node:net';
import { createServer } from 'node:net';
import { after, before, test } from 'node:test';
import fc from 'fast-check';
import { damage, requestHead } from '../wire/http1/generator.ts';
import { decodeChunked, parseHead } from '../wire/http1/messages.ts';
import type { Harness } from './harness.ts';
import { cluster, endpoint, route, start } from './harness.ts';
import { RawClient } from './raw.ts';

/** Remembers every byte, and answers whatever looks like the end of a head, so that nothing waits. */
let backend: Server;
let received = new Map<Socket, string>();
let harness: Harness;

before(async () => {
  backend = createServer((socket) => {
    socket.on('error', () => {});
    socket.on('data', (bytes: Buffer) => {
      received.set(socket, (received.get(socket) ?? '') + bytes.toString('latin1'));
      socket.end('HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n');
    });
  });
  await new Promise<void>((resolve) => backend.listen(0, '127.0.0.1', resolve));
  harness = await start({
    resources: [
      { kind: 'cluster', value: cluster() },
      { kind: 'endpoint', value: endpoint((backend.address() as AddressInfo).port) },
      { kind: 'route', value: route() },
    ],
  });
});

after(() => {
  harness.dataplane.shutdown();
  backend.close();
});

/** One message with one framing, Host once and first, nothing of the connection, and every byte accounted for. */
function assertUnambiguous(text: string): void {
  const head = parseHead('request', text);
  assert.equal(head.outcome, 'done', `not a head: ${JSON.stringify(text)}`);
  assert.match(text, /^[^\r\n]+ HTTP\/1\.1\r\nHost: /);
  const names = head.fields.map((field) => field.slice(0, field.indexOf(':')).toLowerCase());
  for (const name of ['host', 'content-length', 'transfer-encoding', 'x-forwarded-for', 'x-request-id']) {
    assert.ok(names.filter((other) => other === name).length <= 1, `${name} twice: ${JSON.stringify(text)}`);
  }
  assert.ok(!(names.includes('content-length') && names.includes('transfer-encoding')));
  for (const name of names)
    assert.ok(!name.includes('_') || /_/.test(name) === false, `underscore in ${name}`);
  for (const name of ['keep-alive', 'proxy-connection', 'te', 'trailer', 'http2-settings'])
    assert.ok(!names.includes(name));
  for (const line of text.slice(0, head.length).split('\r\n').slice(1, -2))
    assert.match(line, /^[^\s:]+: [^\r\n\0]*$/);
  const body = text.slice(head.length);
  const [length, chunked] = head.framing.split(' ');
  if (chunked === 'true') {
    const decoded = decodeChunked(body);
    assert.notEqual(decoded.outcome, 'failed');
    if (decoded.outcome === 'end')
      assert.equal(decoded.consumed, body.length, `more than one message: ${JSON.stringify(text)}`);
  } else
    assert.ok(body.length <= Math.max(0, Number(length)), `more than one message: ${JSON.stringify(text)}`);
}

test('nothing that two readers could read differently reaches a backend', async () => {
  let forwarded = 0;
  await fc.assert(
    fc.asyncProperty(
      requestHead,
      fc.array(damage, { maxLength: 2 }),
      fc.constantFrom(
        '',
        'hello',
        '5\r\nhello\r\n0\r\n\r\n',
        '0\r\n\r\n',
        '5 \r\nhello\r\n0\r\n\r\n',
        '5\nhello\n0\n\n',
      ),
      async (head, harms, body) => {
        received = new Map();
        const text = harms.reduce((damaged, harm) => harm(damaged), head);
        const client = new RawClient(harness.port);
        client.send(`${text}${body}GET /admin HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`);
        client.socket.end();
        await client.untilOver();
        for (const stream of received.values()) assertUnambiguous(stream);
        forwarded += received.size;
      },
    ),
    { numRuns: 600 },
  );
  assert.ok(forwarded > 50, `${forwarded} were forwarded: the generator only makes rubbish`);
});

for (const [name, text] of Object.entries({
  'CL.TE': 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nG',
  'TE.CL':
    'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n5c\r\nGPOST / HTTP/1.1\r\n\r\n0\r\n\r\n',
  'TE.TE':
    'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: cow\r\n\r\n0\r\n\r\n',
  'TE.0 by space': 'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding : chunked\r\n\r\n0\r\n\r\n',
  'CL.0 by sign': 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: +6\r\n\r\nGET /x',
  'two hosts': 'GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n',
  'host against target': 'GET http://a/ HTTP/1.1\r\nHost: b\r\n\r\n',
  'chunk size overflow':
    'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n10000000000000005\r\nhello\r\n0\r\n\r\n',
})) {
  test(`${name} is refused with 400 and the connection closed`, async () => {
    received = new Map();
    const client = new RawClient(harness.port);
    client.send(text);
    await client.untilOver();
    assert.match(client.text, /^HTTP\/1\.1 400 .*\r\nConnection: close\r\n/s);
    for (const stream of received.values()) assert.ok(!/GPOST|GET \/x|hello/.test(stream));
  });
}
