import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ABUSE_LIMITS } from '../../../src/wire/h2/abuse-limits.ts';
import { ERROR_CODE } from '../../../src/wire/h2/error-code.ts';
import { FRAME } from '../../../src/wire/h2/frame.ts';
import type { Http2Fault } from '../../../src/wire/h2/http2-fault.ts';
import { SETTING } from '../../../src/wire/h2/settings.ts';
import {
  ACK,
  data,
  END_HEADERS,
  END_STREAM,
  field,
  frame,
  GET,
  get,
  headers,
  ping,
  post,
  reset,
  settings,
  uint32,
  windowUpdate,
} from './frames.ts';
import { Server } from './server.ts';

const MANY = 100_000;
const PRIORITY = Buffer.concat([uint32(0), Buffer.from([15])]);

interface Attack {
  readonly name: string;
  readonly fault: Http2Fault;
  /** Before it. */
  readonly first?: readonly Buffer[];
  /** The `count`th step. */
  step(count: number): Buffer;
  /** Steps that must still be taken. */
  readonly least: number;
  /** Steps within which it must have ended. */
  readonly most: number;
}

const { resets, emptyFrames, framesPerHead } = ABUSE_LIMITS;
const id = (count: number) => 1 + 2 * count;
const flood = (name: string, fault: Http2Fault, bytes: Buffer, first: readonly Buffer[] = []): Attack => ({
  name,
  fault,
  first,
  step: () => bytes,
  least: 500,
  most: emptyFrames.burst + 20,
});

const ATTACKS: readonly Attack[] = [
  {
    name: 'rapid reset (CVE-2023-44487)',
    fault: 'rapid_reset',
    step: (count) => Buffer.concat([post(id(count)), reset(id(count), 8)]),
    least: 100,
    most: resets.burst + 1,
  },
  {
    name: 'resets that we are made to send, by WINDOW_UPDATE (CVE-2025-8671)',
    fault: 'rapid_reset',
    step: (count) => Buffer.concat([post(id(count)), windowUpdate(id(count), 0)]),
    least: 100,
    most: resets.burst + 1,
  },
  {
    name: 'resets that we are made to send, by too wide a window (CVE-2025-8671)',
    fault: 'rapid_reset',
    step: (count) => Buffer.concat([post(id(count)), windowUpdate(id(count), 2 ** 31 - 1)]),
    least: 100,
    most: resets.burst + 1,
  },
  {
    name: 'resets that we are made to send, by DATA after the end (CVE-2025-8671)',
    fault: 'rapid_reset',
    first: [settings(SETTING.INITIAL_WINDOW_SIZE, 0)],
    step: (count) => Buffer.concat([get(id(count)), data(id(count), 0, 'x')]),
    least: 100,
    most: resets.burst + 1,
  },
  {
    name: 'resets that we are made to send, by more than content-length (CVE-2025-8671)',
    fault: 'rapid_reset',
    step: (count) => Buffer.concat([post(id(count), field('content-length', '0')), data(id(count), 0, 'x')]),
    least: 100,
    most: resets.burst + 1,
  },
  {
    name: 'resets that we are made to send, by malformed heads (CVE-2025-8671)',
    fault: 'rapid_reset',
    step: (count) => headers(id(count), END_HEADERS | END_STREAM, GET, field('X', 'y')),
    least: 100,
    most: resets.burst + 1,
  },
  {
    name: 'CONTINUATION without an end (CVE-2024-27316)',
    fault: 'continuation_flood',
    first: [headers(1, END_STREAM, GET)],
    step: () => frame(FRAME.CONTINUATION, 0, 1, field('x', 'y')),
    least: 8,
    most: framesPerHead,
  },
  {
    name: 'empty CONTINUATION without an end',
    fault: 'continuation_flood',
    first: [headers(1, END_STREAM, GET)],
    step: () => frame(FRAME.CONTINUATION, 0, 1),
    least: 8,
    most: framesPerHead,
  },
  {
    name: 'a header block that is far too large',
    fault: 'header_block_too_large',
    first: [headers(1, END_STREAM, GET)],
    step: () => frame(FRAME.CONTINUATION, 0, 1, Buffer.alloc(16_384)),
    least: 6,
    most: 9,
  },
  flood('PING', 'ping_flood', ping()),
  flood('PING acknowledged that was not sent', 'ping_flood', ping('12345678', ACK)),
  flood('SETTINGS', 'settings_flood', settings()),
  {
    ...flood(
      'SETTINGS that change the windows of open streams',
      'settings_flood',
      Buffer.concat([settings(SETTING.INITIAL_WINDOW_SIZE, 1), settings(SETTING.INITIAL_WINDOW_SIZE, 2)]),
      [post(1), post(3)],
    ),
    least: 300,
  },
  {
    ...flood(
      'long SETTINGS',
      'settings_flood',
      settings(...Array.from({ length: 2000 }, () => [0xff, 1]).flat()),
    ),
    least: 5,
    most: 12,
  },
  flood('PRIORITY', 'priority_flood', frame(FRAME.PRIORITY, 0, 1, PRIORITY)),
  flood('WINDOW_UPDATE of the connection', 'window_update_flood', windowUpdate(0, 1)),
  flood('WINDOW_UPDATE of a stream', 'window_update_flood', windowUpdate(1, 1), [post(1)]),
  flood('WINDOW_UPDATE of a closed stream', 'window_update_flood', windowUpdate(1, 1), [get(1)]),
  flood('RST_STREAM of a closed stream', 'reset_flood', reset(1, 8), [get(1)]),
  flood('empty DATA', 'empty_data_flood', data(1, 0, ''), [post(1)]),
  flood('DATA of padding alone', 'empty_data_flood', data(1, 8, Buffer.from([0])), [post(1)]),
  flood('empty DATA of a stream that was reset', 'empty_data_flood', data(1, 0, ''), [
    post(1),
    windowUpdate(1, 0),
  ]),
  flood('unknown frames', 'unknown_frame_flood', frame(0xee, 0, 0)),
  flood('GOAWAY', 'unknown_frame_flood', frame(FRAME.GOAWAY, 0, 0, Buffer.alloc(8))),
  {
    name: 'requests above what is taken at once',
    fault: 'refused_stream_flood',
    first: Array.from({ length: 10 }, (_, count) => post(id(count))),
    step: (count) => post(id(10 + count)),
    least: 500,
    most: 1100,
  },
  {
    name: 'a window that opens byte by byte',
    fault: 'tiny_windows',
    // The other stream is read in earnest, and earns what the WINDOW_UPDATEs cost.
    first: [settings(SETTING.INITIAL_WINDOW_SIZE, 0), get(1), get(3), windowUpdate(0, 10_000_000)],
    step: () => Buffer.concat([windowUpdate(1, 1), windowUpdate(3, 300)]),
    least: 500,
    most: 1100,
  },
];

for (const { name, fault, first = [], step, least, most } of ATTACKS) {
  test(`${name} ends with ${fault}`, () => {
    const server = Server.ready({}, Buffer.alloc(1_000_000, 'g'));
    if (first.length > 0) server.send(...first);
    let steps = 0;
    let frames = server.read();
    while (!server.connection.isClosed && steps < MANY) {
      frames = server.send(step(steps));
      steps += 1;
    }
    assert.equal(server.owner.fault, fault);
    assert.ok(steps >= least && steps <= most, `${steps} steps`);
    const last = frames.at(-1)!;
    assert.equal(last.type, FRAME.GOAWAY);
    assert.equal(last.payload.readUInt32BE(4), ERROR_CODE.ENHANCE_YOUR_CALM);
    assert.equal(server.connection.active, 0);
  });
}

test('what comes at a rate that is allowed goes on for ever', () => {
  const server = Server.ready({}, Buffer.alloc(10_000, 'g'));
  for (let second = 0; second < 1000; second += 1) {
    server.now += 1000;
    server.send(...Array.from({ length: emptyFrames.perSecond }, () => ping()));
    for (let count = 0; count < resets.perSecond; count += 1) {
      const next = id(second * resets.perSecond + count);
      server.send(post(next), reset(next, 8));
    }
  }
  assert.equal(server.owner.fault, null);
});

test('a browser that cancels much of what it asks for is served', () => {
  const server = Server.ready({ maxConcurrentStreams: 100 });
  let next = 1;
  for (let page = 0; page < 200; page += 1) {
    for (let count = 0; count < 150; count += 1, next += 2) {
      server.send(frame(FRAME.PRIORITY, 0, next, PRIORITY), get(next), windowUpdate(0, 5));
    }
    for (let count = 0; count < 100; count += 1, next += 2) server.send(post(next), reset(next, 8));
  }
  assert.equal(server.owner.fault, null);
  assert.equal(server.owner.requests, 200 * 250);
});

test('a client that takes small windows and reads on is served', () => {
  const server = Server.ready({}, Buffer.alloc(1_000_000, 'g'));
  server.send(settings(SETTING.INITIAL_WINDOW_SIZE, 300), get(1));
  let taken = 300;
  while (taken < 1_000_000 && !server.connection.isClosed) {
    const frames = server.send(windowUpdate(1, 300), windowUpdate(0, 300));
    for (const { type, payload } of frames) if (type === FRAME.DATA) taken += payload.length;
  }
  assert.equal(server.owner.fault, null);
  assert.equal(taken, 1_000_000);
});

test('answers to a client that reads none of them are bounded', () => {
  const server = Server.ready({ maxConcurrentStreams: 100_000 });
  server.output.isBlocked = true;
  const { connection, output } = server;
  const bytes = Buffer.concat(Array.from({ length: 100 }, () => ping()));
  let sent = 0;
  // The rate alone would allow it.
  while (!connection.isClosed && sent < MANY) {
    server.now += 1000;
    connection.receive(bytes, 0, bytes.length, server.now);
    sent += 100;
  }
  assert.equal(server.owner.fault, 'unread_answers');
  assert.ok(output.take().length < 20_000);
});

test('DATA of a stream that was reset costs the client its window and us no memory', () => {
  const server = Server.ready();
  server.send(post(1, field('content-length', '1')), data(1, 0, 'ab'));
  const before = server.output.total;
  for (let count = 0; count < 10_000; count += 1) server.send(data(1, 0, Buffer.alloc(16_384)));
  assert.equal(server.connection.isClosed, false);
  assert.ok(server.output.total - before < 10_000 * 13);
});
