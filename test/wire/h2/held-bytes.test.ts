import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { ERROR_CODE } from '../../../src/wire/h2/error-code.ts';
import { FRAME } from '../../../src/wire/h2/frame.ts';
import { HeldBytes } from '../../../src/wire/h2/held-bytes.ts';
import type { Http2Stream } from '../../../src/wire/h2/stream.ts';
import { NO_STREAM_OWNER } from '../../../src/wire/h2/stream.ts';
import { data, type Frame, post, reset } from './frames.ts';
import { Server } from './server.ts';

const WINDOW = 65_535;

/** A server whose streams hold what comes. */
function holding(held: HeldBytes): { server: Server; streams: Map<number, Http2Stream> } {
  const server = Server.ready({
    held,
    connectionWindowBytes: WINDOW,
    streamWindowBytes: WINDOW,
    maxConcurrentStreams: 100,
  });
  const streams = new Map<number, Http2Stream>();
  server.owner.onRequest = (stream) => {
    stream.owner = { ...NO_STREAM_OWNER, onReset: () => {} };
    streams.set(stream.id, stream);
  };
  return { server, streams };
}

function credited(frames: readonly Frame[]): number {
  return frames
    .filter(({ type, id }) => type === FRAME.WINDOW_UPDATE && id === 0)
    .reduce((sum, { payload }) => sum + payload.readUInt32BE(0), 0);
}

test('while the thread holds little, bodies that wait keep nothing of the window of their connection', () => {
  const { server } = holding(new HeldBytes(1_000_000));
  let sent = 0;
  let window = WINDOW;
  for (let id = 1; id < 20; id += 2) {
    server.send(post(id));
    for (let of = 0; of < 4; of += 1) {
      window += credited(server.send(data(id, 0, Buffer.alloc(16_000)))) - 16_000;
      sent += 16_000;
    }
  }
  assert.equal(server.owner.fault, null);
  assert.ok(window > WINDOW / 2, `${window} left of it after ${sent} bytes`);
});

test('beyond that they do, whoever holds the rest; and it is given back with theirs', () => {
  const held = new HeldBytes(40_000);
  const { server, streams } = holding(held);
  const other = holding(held);
  other.server.send(post(1), data(1, 0, Buffer.alloc(16_000)), data(1, 0, Buffer.alloc(16_000)));
  server.send(post(1), post(3));
  let given = 0;
  for (let of = 0; of < 4; of += 1) given += credited(server.send(data(1, 0, Buffer.alloc(16_000))));
  assert.equal(given, 0);
  server.send(data(3, 0, Buffer.alloc(1536)));
  assert.equal(server.owner.fault, 'window_exceeded');
  other.server.connection.end(ERROR_CODE.CANCEL);
  for (const stream of [...other.streams.values(), ...streams.values()]) stream.release();
  assert.equal(held.take(40_000), true);
});

const STEP = fc.oneof(
  fc.record({
    kind: fc.constant('data' as const),
    stream: fc.nat(7),
    size: fc.integer({ min: 1, max: 16_000 }),
  }),
  fc.record({
    kind: fc.constant('consume' as const),
    stream: fc.nat(7),
    size: fc.integer({ min: 1, max: 40_000 }),
  }),
  fc.record({ kind: fc.constant('release' as const), stream: fc.nat(7), size: fc.constant(0) }),
  fc.record({ kind: fc.constant('reset' as const), stream: fc.nat(7), size: fc.constant(0) }),
);

test('whatever is sent, consumed and ended: the window comes back whole, and so does what was held', () => {
  fc.assert(
    fc.property(fc.array(STEP, { maxLength: 60 }), fc.integer({ min: 0, max: 100_000 }), (steps, most) => {
      const held = new HeldBytes(most);
      const { server, streams } = holding(held);
      const unconsumed = new Map<number, number>();
      const ids: number[] = [];
      let next = 1;
      let window = WINDOW;
      for (const { kind, stream: which, size } of steps) {
        let id = ids[which];
        if (id === undefined) {
          id = next;
          next += 2;
          ids[which] = id;
          server.send(post(id));
          unconsumed.set(id, 0);
        }
        const stream = streams.get(id)!;
        const waits = unconsumed.get(id)!;
        if (kind === 'data') {
          if (size > window || size > stream.receiveWindow) continue;
          window -= size;
          unconsumed.set(id, waits + size);
          window += credited(server.send(data(id, 0, Buffer.alloc(size))));
        } else if (kind === 'consume') {
          const part = Math.min(size, waits);
          if (part === 0) continue;
          unconsumed.set(id, waits - part);
          stream.consumed(part);
          window += credited(server.read());
        } else {
          if (kind === 'reset') window += credited(server.send(reset(id, ERROR_CODE.CANCEL)));
          stream.release();
          delete ids[which];
          window += credited(server.read());
        }
      }
      for (const id of ids.filter((id) => id !== undefined)) streams.get(id)!.release();
      window += credited(server.read());
      assert.equal(server.owner.fault, null);
      // What has not been given back yet is less than what is worth a frame.
      assert.ok(window > WINDOW / 2, `${window}`);
      assert.equal(held.take(most), true);
    }),
    { numRuns: 300 },
  );
});
