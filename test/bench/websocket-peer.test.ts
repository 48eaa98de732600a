import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { test } from 'node:test';
import fc from 'fast-check';
import { RoundTrips } from '../../bench/peer/round-trips.ts';
import { websocketBackend } from '../../bench/peer/websocket-backend.ts';
import { clientFrame, FrameReader, serverFrame } from '../../bench/peer/websocket-frame.ts';
import { loadWebSockets } from '../../bench/peer/websocket-load.ts';
import { listening, until } from './peers.ts';

test("the WebSocket backend sends back what Node's client sends, of every kind of length", async (t) => {
  const socket = new WebSocket(`ws://127.0.0.1:${await listening(t, websocketBackend())}/`);
  socket.binaryType = 'arraybuffer';
  await once(socket, 'open');
  for (const size of [0, 1, 125, 126, 65_535, 65_536, 1_000_000]) {
    const message = Buffer.alloc(size, 'w');
    const answer = once(socket, 'message') as Promise<[{ data: ArrayBuffer }]>;
    socket.send(message);
    assert.ok(Buffer.from((await answer)[0].data).equals(message), `${size} bytes`);
  }
  const closed = once(socket, 'close') as Promise<[CloseEvent]>;
  socket.close(1000, 'enough');
  assert.equal((await closed)[0].code, 1000);
});

test('frames are the same however their bytes are cut, masked or not', () => {
  const frame = fc.record({
    first: fc.nat(255),
    payload: fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes)),
    isMasked: fc.boolean(),
  });
  fc.assert(
    fc.property(
      fc.array(frame, { maxLength: 8 }),
      fc.array(fc.integer({ min: 1, max: 200 })),
      (frames, cuts) => {
        const bytes = Buffer.concat(
          frames.map(({ first, payload, isMasked }) =>
            (isMasked ? clientFrame : serverFrame)(first, payload),
          ),
        );
        const reader = new FrameReader();
        const read: unknown[] = [];
        let at = 0;
        for (const cut of [...cuts, bytes.length]) {
          read.push(...reader.read(bytes.subarray(at, at + cut)));
          at = Math.min(bytes.length, at + cut);
        }
        assert.deepEqual(
          read,
          frames.map(({ first, payload }) => ({ first, payload })),
        );
      },
    ),
  );
});

test('messages are counted that come back, and only those', async (t) => {
  const trips = new RoundTrips();
  const load = loadWebSockets(await listening(t, websocketBackend()), 3, trips);
  await until(() => trips.count >= 300);
  load.stop();
  assert.equal(trips.errors, 0);
});

test('a server that refuses the upgrade, or ends it, is an error', async (t) => {
  for (const answer of ['HTTP/1.1 503 Service Unavailable\r\n\r\n', '']) {
    const server = createServer((socket) =>
      socket.on('error', () => {}).once('data', () => socket.end(answer)),
    );
    const trips = new RoundTrips();
    const load = loadWebSockets(await listening(t, server), 2, trips);
    await until(() => trips.errors >= 2);
    load.stop();
    assert.equal(trips.count, 0);
  }
});
