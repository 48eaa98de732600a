import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type Http2Server, type ServerHttp2Stream } from 'node:http2';
import { connect } from 'node:net';
import { test } from 'node:test';
import { Client, credentials, type ServiceError } from '@grpc/grpc-js';
import fc from 'fast-check';
import { fieldBlock } from '../../bench/peer/field-block.ts';
import { grpcBackend } from '../../bench/peer/grpc-backend.ts';
import { loadStreams, MESSAGE_BYTES, STREAM_PATH } from '../../bench/peer/grpc-stream-load.ts';
import { H2Connection } from '../../bench/peer/h2-connection.ts';
import { RoundTrips } from '../../bench/peer/round-trips.ts';
import { listening, until } from './peers.ts';

const asIs = (bytes: Buffer) => bytes;

test('the gRPC backend answers grpc-js: unary calls, side by side, of messages larger than any window', async (t) => {
  const client = new Client(`127.0.0.1:${await listening(t, grpcBackend())}`, credentials.createInsecure());
  t.after(() => client.close());
  const sizes = [0, 1, 16_379, 16_380, 65_535, 300_000, 2_000_000];
  const answers = await Promise.all(
    sizes.map((size, index) => {
      const { promise, resolve, reject } = Promise.withResolvers<Buffer | undefined>();
      const message = Buffer.alloc(size, index + 1);
      client.makeUnaryRequest('/a.B/C', asIs, asIs, message, (error: ServiceError | null, answer?: Buffer) =>
        error === null ? resolve(answer) : reject(error),
      );
      return promise.then((answer) => answer?.equals(message));
    }),
  );
  assert.deepEqual(
    answers,
    sizes.map(() => true),
  );
});

test('the gRPC backend sends each message of a stream back as it comes, and then status 0', async (t) => {
  const client = new Client(`127.0.0.1:${await listening(t, grpcBackend())}`, credentials.createInsecure());
  t.after(() => client.close());
  const call = client.makeBidiStreamRequest('/a.B/C', asIs, asIs);
  for (const text of ['one', 'two', 'x'.repeat(100_000)]) {
    call.write(Buffer.from(text));
    const [answer] = (await once(call, 'data')) as [Buffer];
    assert.equal(answer.toString(), text);
  }
  const status = once(call, 'status');
  call.resume().end();
  assert.equal(((await status) as [{ code: number }])[0].code, 0);
});

/** Node's HTTP/2 server, which sends back what it gets and keeps what it was asked. */
function echo(asked: Record<string, unknown>[]): Http2Server {
  const server = createServer();
  server.on('stream', (stream: ServerHttp2Stream, headers) => {
    asked.push({ ...headers });
    stream.respond({ ':status': 200 });
    stream.pipe(stream);
    stream.on('error', () => {});
  });
  return server;
}

test('streams are loaded against another HTTP/2 implementation, beyond its windows', async (t) => {
  const asked: Record<string, unknown>[] = [];
  const port = await listening(t, echo(asked));
  const trips = new RoundTrips();
  const load = loadStreams(port, 2, 3, trips);
  // Of each connection's first window 65,535 bytes, and more.
  await until(() => trips.count * (MESSAGE_BYTES + 5) > 2 * 3 * 100_000 || trips.errors > 0);
  load.stop();
  assert.equal(trips.errors, 0);
  assert.equal(asked.length, 6);
  assert.equal(asked[0]?.[':path'], STREAM_PATH);
  assert.equal(asked[0]?.['content-type'], 'application/grpc');
  const { units, latency } = trips.result(1);
  assert.equal(units, trips.count);
  assert.ok(latency.p50 > 0 && latency.p50 <= latency.p99 && latency.p99 <= latency.p999);
});

test('streams that the other side ends are errors, not messages', async (t) => {
  const server = createServer();
  server.on('stream', (stream: ServerHttp2Stream) => stream.respond({ ':status': 503 }, { endStream: true }));
  const trips = new RoundTrips();
  const load = loadStreams(await listening(t, server), 1, 2, trips);
  await until(() => trips.errors > 10);
  load.stop();
  assert.equal(trips.count, 0);
});

test('a header block of drawn fields is read by another implementation as it was meant', async (t) => {
  const asked: Record<string, unknown>[] = [];
  const socket = connect(await listening(t, echo(asked)), '127.0.0.1');
  t.after(() => socket.destroy());
  const ended = new Set<number>();
  const connection = new H2Connection(socket, 'client', {
    headers: (stream, isEnd) => isEnd && ended.add(stream),
    data: (stream, _, isEnd) => isEnd && ended.add(stream),
    reset: (stream) => ended.add(stream),
    goaway: () => {},
  });
  let next = 1;
  const text = (least: number) =>
    fc
      .array(fc.constantFrom(...'abcdefghijklmnopqrstuvwxyz0123456789-'), {
        minLength: least,
        maxLength: 400,
      })
      .map((characters) => characters.join(''));
  await fc.assert(
    fc.asyncProperty(text(1), text(0), text(0), async (name, value, path) => {
      const stream = next;
      next += 2;
      const fields = [
        [':method', 'GET'],
        [':scheme', 'http'],
        [':path', `/${path}`],
        [':authority', 'a.test'],
        [`x-${name}`, value],
      ] as const;
      connection.headers(stream, fieldBlock(fields), true);
      connection.flush();
      await until(() => ended.has(stream));
      const last = asked.at(-1)!;
      for (const [each, wanted] of fields) assert.equal(last[each], wanted);
    }),
    { numRuns: 50 },
  );
});
