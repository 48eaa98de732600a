import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Http2Connection } from '../../../src/wire/h2/connection.ts';
import { FRAME } from '../../../src/wire/h2/frame.ts';
import type { HeaderBlock } from '../../../src/wire/h2/header-block.ts';
import type { Http2Stream, Http2StreamOwner } from '../../../src/wire/h2/stream.ts';
import { NO_STREAM_OWNER } from '../../../src/wire/h2/stream.ts';
import { ClientOwner } from './digest-client.ts';
import { data, field, framesOf, get, PREFACE, post, SETTINGS_ACK, settings, windowUpdate } from './frames.ts';
import { MemoryOutput } from './memory-output.ts';
import { LOCAL, Server } from './server.ts';

const BODY = Buffer.alloc(16_000);

test('what the owner of a released stream never consumed is given back to the connection', () => {
  const server = Server.ready({ streamWindowBytes: 65_535 });
  const streams: Http2Stream[] = [];
  server.owner.onRequest = (stream) => {
    streams.push(stream);
  };
  assert.deepEqual(server.send(post(1), data(1, 0, BODY), data(1, 0, BODY), data(1, 1, BODY)), []);
  streams[0]!.release();
  const [, update] = server.read();
  assert.deepEqual(
    [update!.type, update!.id, update!.payload.readUInt32BE(0)],
    [FRAME.WINDOW_UPDATE, 0, 48_000],
  );
});

test('a stream window below the default holds from the acknowledgement on, also for open streams', () => {
  const server = new Server({ streamWindowBytes: 20_000 });
  server.owner.onRequest = () => {};
  server.send(PREFACE, settings(), post(1), data(1, 0, BODY), post(3));
  server.send(data(3, 0, BODY), data(3, 0, BODY));
  assert.deepEqual(server.owner.streamFaults, []);
  server.send(SETTINGS_ACK, data(1, 0, Buffer.alloc(4000)));
  assert.deepEqual(server.owner.streamFaults, []);
  server.send(data(1, 0, 'x'));
  assert.deepEqual(server.owner.streamFaults, ['window_exceeded']);
});

test('DATA of streams that were reset long ago is passed over too', () => {
  const server = Server.ready();
  for (let id = 1; id < 401; id += 2) server.send(post(id, field('content-length', '0')), data(id, 0, 'x'));
  server.send(data(1, 0, 'late'), data(201, 0, 'late'), data(399, 0, 'late'));
  assert.equal(server.owner.fault, null);
  // This one ended in order.
  server.send(get(401), data(401, 0, 'x'));
  assert.equal(server.owner.fault, 'closed_stream');
});

test('a head larger than a frame leaves in several, and is read again as it was', () => {
  const value = 'v'.repeat(15_000);
  for (const count of [1, 2, 3]) {
    const [up, down] = [new MemoryOutput(), new MemoryOutput()];
    const client = new Http2Connection('client', LOCAL, new ClientOwner(), up, 0);
    const server = new Server();
    client.begin();
    let text: string | null = null;
    const owner: Http2StreamOwner = {
      ...NO_STREAM_OWNER,
      onHead: (head: HeaderBlock) => {
        text = head.combined('x-long');
      },
    };
    const stream = client.open(owner, false)!;
    const writer = stream.beginHead(100);
    writer.all(Buffer.from([0x82, 0x86, 0x84, 0x41, 0x01, 0x61]));
    stream.endHead(true);
    server.owner.onRequest = (asked) => {
      const answer = asked.beginHead(count * 15_100 + 100);
      const { encoder } = server.connection;
      encoder.status(answer, 200);
      for (let at = 0; at < count; at += 1) encoder.field(answer, 'x-long', value);
      asked.endHead(true);
      asked.release();
    };
    const frames = server.send(up.take());
    const types = frames
      .map(({ type }) => type)
      .filter((type) => type === FRAME.HEADERS || type === FRAME.CONTINUATION);
    assert.deepEqual(types, [FRAME.HEADERS, ...Array.from({ length: count - 1 }, () => FRAME.CONTINUATION)]);
    assert.ok(frames.every(({ payload }) => payload.length <= 16_384));
    const block = Buffer.concat(
      frames
        .filter(({ type }) => type === FRAME.HEADERS || type === FRAME.CONTINUATION)
        .map(({ type, flags, id, payload }) => {
          const header = Buffer.from([0, 0, 0, type, flags, 0, 0, 0, id]);
          header.writeUIntBE(payload.length, 0, 3);
          return Buffer.concat([header, payload]);
        }),
    );
    const greeting = settings();
    client.receive(Buffer.concat([greeting, block]), 0, greeting.length + block.length, 0);
    assert.equal(text, Array.from({ length: count }, () => value).join(', '));
    assert.equal(down.total, 0);
  }
});

test('a stream that sends in pieces has one turn, not one for each piece', () => {
  const server = Server.ready({ maxConcurrentStreams: 10 });
  const piece = Buffer.alloc(65_536);
  server.owner.onRequest = (stream) => {
    stream.beginHead(10).all(Buffer.from([0x88]));
    stream.endHead(false);
    stream.owner = {
      ...NO_STREAM_OWNER,
      onWritable: () => {
        // Without an end: only the turn makes it stop.
        while (stream.sendData(piece, 0, piece.length, false) === piece.length);
      },
    };
    stream.owner.onWritable();
  };
  server.send(settings(4, 2 ** 30), windowUpdate(0, 2 ** 20));
  server.output.isBlocked = true;
  const bytes = Buffer.concat([post(1), post(3)]);
  server.connection.receive(bytes, 0, bytes.length, 0);
  const order = [...server.read(), ...framesOf(server.output.take())]
    .filter(({ type }) => type === FRAME.DATA)
    .map(({ id }) => id);
  const turns = order.filter((id, at) => id !== order[at - 1]).length;
  assert.ok(turns >= 16, `${turns} turns`);
});

test('a head that does not fit is not sent', () => {
  const server = Server.ready();
  server.owner.onRequest = (stream) => {
    const writer = stream.beginHead(10);
    writer.length = writer.block.length + 1;
    assert.throws(() => stream.endHead(true), RangeError);
    writer.length = 0;
  };
  server.send(post(1));
});
