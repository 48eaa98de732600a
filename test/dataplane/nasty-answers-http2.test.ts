import assert from 'node:assert/strict';
import type { AddressInfo, Server, Socket } from 'node:net';
import { createServer } from 'node:net';
import { after, before, test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { literals } from '../wire/h2/blocks.ts';
import { END_HEADERS, END_STREAM, headers } from '../wire/h2/frames.ts';
import { NASTY_ANSWERS } from '../wire/http1/nasty-answers.ts';
import type { Harness } from './harness.ts';
import { RawHttp2Client } from './raw-http2.ts';
import { startBefore } from './smuggling-http2-run.ts';
import type { Http2Message } from './strict-http2.ts';

/*
 * Everything nasty that a backend of HTTP/1.1 may answer, as a client of HTTP/2 gets it: read by RFC 9113 at its
 * strictest, whole, or as a 502, or reset.
 */
let server: Server;
let harness: Harness;
let pieces: readonly string[] = [];
const sockets = new Set<Socket>();
const GOOD = 'HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ngood';

async function answer(socket: Socket): Promise<void> {
  for (const piece of pieces) {
    socket.write(Buffer.from(piece, 'latin1'));
    await turn();
  }
  socket.end();
}

before(async () => {
  server = createServer({ noDelay: true }, (socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.on('close', () => sockets.delete(socket));
    socket.on('data', (bytes: Buffer) => {
      if (bytes.includes(' /nasty ')) void answer(socket);
      else socket.write(GOOD);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  harness = await startBefore((server.address() as AddressInfo).port, 'HTTP1');
});

after(() => {
  harness.dataplane.shutdown();
  for (const socket of sockets) socket.destroy();
  server.close();
});

function ask(id: number, path: string, method = 'GET'): Buffer {
  const lines = [`:method: ${method}`, ':scheme: http', ':authority: a', `:path: ${path}`];
  return headers(id, END_HEADERS | END_STREAM, literals(lines));
}

/** The answer to `/nasty`, behind which another request on the connection is answered as ever. */
async function answered(text: string, method = 'GET'): Promise<Http2Message> {
  const client = new RawHttp2Client(harness.port, (id) => id === 1 && method === 'HEAD');
  const middle = Math.floor(text.length / 2);
  pieces = [text.slice(0, middle), text.slice(middle)];
  client.send(ask(1, '/nasty', method));
  const message = await client.over(1);
  client.send(ask(3, '/good'));
  const next = await client.over(3);
  assert.deepEqual([next?.pseudo.get(':status'), next?.body], ['200', 'good']);
  client.close();
  assert.ok(message !== null);
  return message;
}

for (const { name, text, fault } of NASTY_ANSWERS)
  test(`a backend's ${name}: ${fault ?? 'in order'}`, { timeout: 20_000 }, async () => {
    const { pseudo, isEnded, body, fields } = await answered(text);
    const status = pseudo.get(':status');
    if (fault === null) {
      assert.ok(isEnded);
      assert.match(status!, /^(?:200|299|204|304)$/);
    } else if (!isEnded) assert.match(fault, /chunk|trailer/);
    else {
      assert.equal(status, '502');
      assert.equal(body, `502 Bad Gateway: upstream_protocol_error (${fault})\n`);
      assert.ok(fields.includes('x-novaedge-reason: upstream_protocol_error'));
    }
  });

const head = (fields: string): string => `HTTP/1.1 200 OK\r\n${fields}\r\n`;

test('what is about one connection stays behind, also of interim answers and trailers', async () => {
  const hop = 'Connection: X-Hop, close\r\nX-Hop: 1\r\nKeep-Alive: timeout=5\r\nProxy-Connection: x\r\n';
  const { interims, fields, trailer, body } = await answered(
    `HTTP/1.1 103 Early Hints\r\n${hop}Link: x\r\n\r\n` +
      `${head(`${hop}Transfer-Encoding: chunked\r\nTrailer: X-Sum\r\nX-Kept: 1\r\n`)}2\r\nok\r\n0\r\nX-Hop: 1\r\n\r\n`,
  );
  assert.deepEqual(interims, [['103', 'link: x']]);
  assert.deepEqual([fields, body, trailer], [['x-kept: 1'], 'ok', []]);
});

test('a body that has no place stays behind', async () => {
  for (const [text, method] of [
    [`${head('Content-Length: 8\r\n')}smuggled`, 'HEAD'],
    [`${head('Transfer-Encoding: chunked\r\n')}8\r\nsmuggled\r\n0\r\n\r\n`, 'HEAD'],
    ['HTTP/1.1 204 No Content\r\n\r\nHTTP/1.1 200 OK\r\n\r\nsmuggled', 'GET'],
    ['HTTP/1.1 304 Not Modified\r\nContent-Length: 8\r\n\r\nsmuggled', 'GET'],
    [`${head('Content-Length: 0\r\n')}smuggled`, 'GET'],
  ] as const) {
    const { body, isEnded } = await answered(text, method);
    assert.deepEqual([body, isEnded], ['', true]);
  }
});

test('an answer that breaks off is reset', async () => {
  for (const text of [
    `${head('Content-Length: 9\r\n')}abc`,
    `${head('Transfer-Encoding: chunked\r\n')}3\r\nabc\r\n`,
    `${head('Transfer-Encoding: chunked\r\n')}3\r\nabc\r\n0\r\nX: y\r\n`,
  ]) {
    const { isEnded, resetCode, body } = await answered(text);
    assert.deepEqual([isEnded, body], [false, 'abc']);
    assert.notEqual(resetCode, 0);
  }
});

test('101 that nobody asked for is a 502', async () => {
  const { pseudo, body } = await answered(
    'HTTP/1.1 101 Yes\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\nsecret',
  );
  assert.equal(pseudo.get(':status'), '502');
  assert.doesNotMatch(body, /secret/);
});
