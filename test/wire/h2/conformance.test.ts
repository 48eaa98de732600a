import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ERROR_CODE, errorCodeName } from '../../../src/wire/h2/error-code.ts';
import { FRAME } from '../../../src/wire/h2/frame.ts';
import { SETTING } from '../../../src/wire/h2/settings.ts';
import {
  ACK,
  data,
  END_HEADERS,
  END_STREAM,
  type Frame,
  field,
  frame,
  framesOf,
  GET,
  get,
  goAway,
  headers,
  PADDED,
  PREFACE,
  ping,
  post,
  reset,
  SETTINGS_ACK,
  settings,
  uint32,
  WITH_PRIORITY,
  windowUpdate,
} from './frames.ts';
import { Server } from './server.ts';

const {
  PROTOCOL_ERROR,
  FRAME_SIZE_ERROR,
  FLOW_CONTROL_ERROR,
  STREAM_CLOSED,
  COMPRESSION_ERROR,
  REFUSED_STREAM,
} = ERROR_CODE;
const BODY = Buffer.alloc(16_384, 'b');
const TOO_LONG = Buffer.alloc(16_385);

/** A priority: exclusive or not, the stream depended on, the weight. */
const priority = (on: number) => Buffer.concat([uint32(on), Buffer.from([15])]);

interface Row {
  readonly section: string;
  readonly name: string;
  readonly send: readonly Buffer[];
}
interface ErrorRow extends Row {
  readonly code: number;
  /** Undefined: the connection ends. */
  readonly stream?: number;
}

const ERRORS: readonly ErrorRow[] = [
  {
    section: '4.2',
    name: 'DATA longer than SETTINGS_MAX_FRAME_SIZE',
    send: [post(1), data(1, 0, TOO_LONG)],
    code: FRAME_SIZE_ERROR,
  },
  {
    section: '4.2',
    name: 'HEADERS longer than SETTINGS_MAX_FRAME_SIZE',
    send: [headers(1, END_HEADERS, TOO_LONG)],
    code: FRAME_SIZE_ERROR,
  },
  {
    section: '4.2',
    name: 'a frame of an unknown type that is too long',
    send: [frame(0x50, 0, 1, TOO_LONG)],
    code: FRAME_SIZE_ERROR,
  },
  {
    section: '4.3',
    name: 'a header block that cannot be read',
    send: [headers(1, END_HEADERS | END_STREAM, Buffer.from([0x82, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]))],
    code: COMPRESSION_ERROR,
  },
  {
    section: '4.3',
    name: 'index 0',
    send: [headers(1, END_HEADERS | END_STREAM, Buffer.from([0x80]))],
    code: COMPRESSION_ERROR,
  },
  {
    section: '4.3',
    name: 'an index beyond both tables',
    send: [headers(1, END_HEADERS | END_STREAM, GET, Buffer.from([0xc6]))],
    code: COMPRESSION_ERROR,
  },
  {
    section: '4.3',
    name: 'PRIORITY within a header block',
    send: [headers(1, 0, GET), frame(FRAME.PRIORITY, 0, 1, priority(0))],
    code: PROTOCOL_ERROR,
  },
  {
    section: '4.3',
    name: 'HEADERS of another stream within a header block',
    send: [headers(1, 0, GET), get(3)],
    code: PROTOCOL_ERROR,
  },
  {
    section: '4.3',
    name: 'PING within a header block',
    send: [headers(1, 0, GET), ping()],
    code: PROTOCOL_ERROR,
  },
  {
    section: '4.3',
    name: 'DATA within a header block',
    send: [headers(1, 0, GET), data(1, 0, 'x')],
    code: PROTOCOL_ERROR,
  },
  {
    section: '5.5',
    name: 'an unknown type within a header block',
    send: [headers(1, 0, GET), frame(0x50, 0, 1)],
    code: PROTOCOL_ERROR,
  },
  { section: '5.1', name: 'idle: DATA', send: [data(1, END_STREAM, 'x')], code: PROTOCOL_ERROR },
  { section: '5.1', name: 'idle: empty DATA', send: [data(1, END_STREAM, '')], code: PROTOCOL_ERROR },
  { section: '5.1', name: 'idle: RST_STREAM', send: [reset(1, 8)], code: PROTOCOL_ERROR },
  { section: '5.1', name: 'idle: WINDOW_UPDATE', send: [windowUpdate(1, 100)], code: PROTOCOL_ERROR },
  {
    section: '5.1',
    name: 'idle: CONTINUATION',
    send: [frame(FRAME.CONTINUATION, END_HEADERS, 1, GET)],
    code: PROTOCOL_ERROR,
  },
  { section: '5.1', name: 'a stream of the server: DATA', send: [data(2, 0, 'x')], code: PROTOCOL_ERROR },
  {
    section: '5.1',
    name: 'a stream of the server: WINDOW_UPDATE',
    send: [windowUpdate(2, 1)],
    code: PROTOCOL_ERROR,
  },
  {
    section: '5.1',
    name: 'reset by the client: DATA',
    send: [post(1), reset(1, 8), data(1, 0, 'x')],
    code: STREAM_CLOSED,
  },
  {
    section: '5.1',
    name: 'reset by the client: HEADERS',
    send: [post(1), reset(1, 8), get(1)],
    code: STREAM_CLOSED,
  },
  {
    section: '5.1',
    name: 'reset by the client: CONTINUATION',
    send: [post(1), reset(1, 8), frame(FRAME.CONTINUATION, END_HEADERS, 1, GET)],
    code: PROTOCOL_ERROR,
  },
  { section: '5.1', name: 'closed: DATA', send: [get(1), data(1, 0, 'x')], code: STREAM_CLOSED },
  { section: '5.1', name: 'closed: HEADERS', send: [get(1), get(1)], code: STREAM_CLOSED },
  {
    section: '5.1',
    name: 'closed: CONTINUATION',
    send: [get(1), frame(FRAME.CONTINUATION, END_HEADERS, 1, GET)],
    code: PROTOCOL_ERROR,
  },
  { section: '5.1.1', name: 'an even id', send: [get(2)], code: PROTOCOL_ERROR },
  { section: '5.1.1', name: 'an id less than one before', send: [get(5), get(3)], code: PROTOCOL_ERROR },
  {
    section: '5.3.1',
    name: 'HEADERS that depend on themselves',
    send: [headers(1, END_HEADERS | END_STREAM | WITH_PRIORITY, priority(1), GET)],
    code: PROTOCOL_ERROR,
    stream: 1,
  },
  {
    section: '5.3.1',
    name: 'PRIORITY that depends on itself',
    send: [frame(FRAME.PRIORITY, 0, 3, priority(3))],
    code: PROTOCOL_ERROR,
  },
  { section: '6.1', name: 'DATA on the connection', send: [data(0, 0, 'x')], code: PROTOCOL_ERROR },
  {
    section: '6.1',
    name: 'DATA with more padding than payload',
    send: [post(1), data(1, PADDED, Buffer.from([6, 1, 2, 3, 4, 5]))],
    code: PROTOCOL_ERROR,
  },
  {
    section: '6.1',
    name: 'DATA whose padding is all and one more',
    send: [post(1), data(1, PADDED, Buffer.from([1]))],
    code: PROTOCOL_ERROR,
  },
  {
    section: '6.1',
    name: 'padded DATA without a length of padding',
    send: [post(1), data(1, PADDED, '')],
    code: FRAME_SIZE_ERROR,
  },
  {
    section: '6.2',
    name: 'HEADERS on the connection',
    send: [headers(0, END_HEADERS | END_STREAM, GET)],
    code: PROTOCOL_ERROR,
  },
  {
    section: '6.2',
    name: 'HEADERS with more padding than payload',
    send: [headers(1, END_HEADERS | END_STREAM | PADDED, Buffer.from([GET.length + 1]), GET)],
    code: PROTOCOL_ERROR,
  },
  {
    section: '6.2',
    name: 'padded HEADERS that are empty',
    send: [headers(1, END_HEADERS | END_STREAM | PADDED)],
    code: FRAME_SIZE_ERROR,
  },
  {
    section: '6.2',
    name: 'HEADERS too short for their priority',
    send: [headers(1, END_HEADERS | WITH_PRIORITY, Buffer.from([0, 0, 0, 0]))],
    code: FRAME_SIZE_ERROR,
  },
  {
    section: '6.3',
    name: 'PRIORITY on the connection',
    send: [frame(FRAME.PRIORITY, 0, 0, priority(1))],
    code: PROTOCOL_ERROR,
  },
  {
    section: '6.3',
    name: 'PRIORITY of four bytes',
    send: [frame(FRAME.PRIORITY, 0, 1, uint32(3))],
    code: FRAME_SIZE_ERROR,
  },
  { section: '6.4', name: 'RST_STREAM on the connection', send: [reset(0, 8)], code: PROTOCOL_ERROR },
  {
    section: '6.4',
    name: 'RST_STREAM of three bytes',
    send: [post(1), frame(FRAME.RST_STREAM, 0, 1, Buffer.alloc(3))],
    code: FRAME_SIZE_ERROR,
  },
  {
    section: '6.5',
    name: 'SETTINGS acknowledged with a payload',
    send: [frame(FRAME.SETTINGS, ACK, 0, Buffer.alloc(6))],
    code: FRAME_SIZE_ERROR,
  },
  { section: '6.5', name: 'SETTINGS on a stream', send: [frame(FRAME.SETTINGS, 0, 1)], code: PROTOCOL_ERROR },
  {
    section: '6.5',
    name: 'SETTINGS of three bytes',
    send: [frame(FRAME.SETTINGS, 0, 0, Buffer.alloc(3))],
    code: FRAME_SIZE_ERROR,
  },
  {
    section: '6.5.2',
    name: 'ENABLE_PUSH of 2',
    send: [settings(SETTING.ENABLE_PUSH, 2)],
    code: PROTOCOL_ERROR,
  },
  {
    section: '6.5.2',
    name: 'INITIAL_WINDOW_SIZE of 2^31',
    send: [settings(SETTING.INITIAL_WINDOW_SIZE, 2 ** 31)],
    code: FLOW_CONTROL_ERROR,
  },
  {
    section: '6.5.2',
    name: 'MAX_FRAME_SIZE below 2^14',
    send: [settings(SETTING.MAX_FRAME_SIZE, 16_383)],
    code: PROTOCOL_ERROR,
  },
  {
    section: '6.5.2',
    name: 'MAX_FRAME_SIZE of 2^24',
    send: [settings(SETTING.MAX_FRAME_SIZE, 2 ** 24)],
    code: PROTOCOL_ERROR,
  },
  { section: '6.5.3', name: 'SETTINGS acknowledged twice', send: [SETTINGS_ACK], code: PROTOCOL_ERROR },
  {
    section: 'RFC 8441, 3',
    name: 'ENABLE_CONNECT_PROTOCOL of 2',
    send: [settings(SETTING.ENABLE_CONNECT_PROTOCOL, 2)],
    code: PROTOCOL_ERROR,
  },
  {
    section: 'RFC 8441, 3',
    name: 'ENABLE_CONNECT_PROTOCOL taken back',
    send: [settings(SETTING.ENABLE_CONNECT_PROTOCOL, 1), settings(SETTING.ENABLE_CONNECT_PROTOCOL, 0)],
    code: PROTOCOL_ERROR,
  },
  {
    section: '6.6',
    name: 'PUSH_PROMISE',
    send: [post(1), frame(FRAME.PUSH_PROMISE, END_HEADERS, 1, Buffer.concat([uint32(2), GET]))],
    code: PROTOCOL_ERROR,
  },
  {
    section: '6.7',
    name: 'PING on a stream',
    send: [frame(FRAME.PING, 0, 1, Buffer.alloc(8))],
    code: PROTOCOL_ERROR,
  },
  {
    section: '6.7',
    name: 'PING of six bytes',
    send: [frame(FRAME.PING, 0, 0, Buffer.alloc(6))],
    code: FRAME_SIZE_ERROR,
  },
  {
    section: '6.8',
    name: 'GOAWAY on a stream',
    send: [frame(FRAME.GOAWAY, 0, 1, Buffer.alloc(8))],
    code: PROTOCOL_ERROR,
  },
  {
    section: '6.8',
    name: 'GOAWAY of seven bytes',
    send: [frame(FRAME.GOAWAY, 0, 0, Buffer.alloc(7))],
    code: FRAME_SIZE_ERROR,
  },
  {
    section: '6.9',
    name: 'WINDOW_UPDATE of 0 on the connection',
    send: [windowUpdate(0, 0)],
    code: PROTOCOL_ERROR,
  },
  {
    section: '6.9',
    name: 'WINDOW_UPDATE of 0 on a stream',
    send: [post(1), windowUpdate(1, 0)],
    code: PROTOCOL_ERROR,
    stream: 1,
  },
  {
    section: '6.9',
    name: 'WINDOW_UPDATE of three bytes',
    send: [frame(FRAME.WINDOW_UPDATE, 0, 0, Buffer.alloc(3))],
    code: FRAME_SIZE_ERROR,
  },
  {
    section: '6.9.1',
    name: 'a window of the connection above 2^31-1',
    send: [windowUpdate(0, 2 ** 31 - 1), windowUpdate(0, 2 ** 31 - 1)],
    code: FLOW_CONTROL_ERROR,
  },
  {
    section: '6.9.1',
    name: 'a window of a stream above 2^31-1',
    send: [post(1), windowUpdate(1, 2 ** 31 - 1)],
    code: FLOW_CONTROL_ERROR,
    stream: 1,
  },
  {
    section: '6.9.2',
    name: 'a window made larger than 2^31-1 by a setting',
    send: [post(1), windowUpdate(1, 1000), settings(SETTING.INITIAL_WINDOW_SIZE, 2 ** 31 - 1)],
    code: FLOW_CONTROL_ERROR,
  },
  {
    section: '6.10',
    name: 'CONTINUATION after a header block',
    send: [post(1), frame(FRAME.CONTINUATION, END_HEADERS, 1, GET)],
    code: PROTOCOL_ERROR,
  },
  {
    section: '6.10',
    name: 'CONTINUATION after another that ended the block',
    send: [
      headers(1, END_STREAM, GET),
      frame(FRAME.CONTINUATION, END_HEADERS, 1),
      frame(FRAME.CONTINUATION, END_HEADERS, 1),
    ],
    code: PROTOCOL_ERROR,
  },
  {
    section: '6.10',
    name: 'CONTINUATION on the connection',
    send: [headers(1, 0, GET), frame(FRAME.CONTINUATION, END_HEADERS, 0)],
    code: PROTOCOL_ERROR,
  },
  {
    section: '6.10',
    name: 'CONTINUATION after DATA',
    send: [post(1), data(1, 0, 'x'), frame(FRAME.CONTINUATION, END_HEADERS, 1)],
    code: PROTOCOL_ERROR,
  },
  {
    section: '8.1',
    name: 'a second head without END_STREAM',
    send: [post(1), data(1, 0, 'x'), post(1)],
    code: PROTOCOL_ERROR,
    stream: 1,
  },
  {
    section: '8.1',
    name: 'trailers with a pseudo field',
    send: [post(1), get(1)],
    code: PROTOCOL_ERROR,
    stream: 1,
  },
  {
    section: '8.1.1',
    name: 'less DATA than content-length',
    send: [post(1, field('content-length', '5')), data(1, END_STREAM, 'four')],
    code: PROTOCOL_ERROR,
    stream: 1,
  },
  {
    section: '8.1.1',
    name: 'more DATA than content-length',
    send: [post(1, field('content-length', '5')), data(1, 0, 'three'), data(1, END_STREAM, '!')],
    code: PROTOCOL_ERROR,
    stream: 1,
  },
  {
    section: '8.1.1',
    name: 'content-length and no DATA',
    send: [headers(1, END_HEADERS | END_STREAM, GET, field('content-length', '1'))],
    code: PROTOCOL_ERROR,
    stream: 1,
  },
  {
    section: '8.1.1',
    name: 'less DATA than content-length before trailers',
    send: [
      post(1, field('content-length', '5')),
      data(1, 0, 'four'),
      headers(1, END_HEADERS | END_STREAM, field('x', 'y')),
    ],
    code: PROTOCOL_ERROR,
    stream: 1,
  },
  {
    section: '8.2',
    name: 'a name in capitals',
    send: [headers(1, END_HEADERS | END_STREAM, GET, field('X-Test', 'ok'))],
    code: PROTOCOL_ERROR,
    stream: 1,
  },
  {
    section: '8.2.2',
    name: 'a field of HTTP/1 connections',
    send: [headers(1, END_HEADERS | END_STREAM, GET, field('connection', 'keep-alive'))],
    code: PROTOCOL_ERROR,
    stream: 1,
  },
  {
    section: '8.2.2',
    name: 'transfer-encoding',
    send: [post(1, field('transfer-encoding', 'chunked'))],
    code: PROTOCOL_ERROR,
    stream: 1,
  },
  {
    section: '8.2.2',
    name: 'te of other than trailers',
    send: [headers(1, END_HEADERS | END_STREAM, GET, field('te', 'trailers, deflate'))],
    code: PROTOCOL_ERROR,
    stream: 1,
  },
  {
    section: '8.3',
    name: 'a pseudo field nobody knows',
    send: [headers(1, END_HEADERS | END_STREAM, GET, field(':test', 'ok'))],
    code: PROTOCOL_ERROR,
    stream: 1,
  },
  {
    section: '8.3',
    name: 'a pseudo field of answers',
    send: [headers(1, END_HEADERS | END_STREAM, GET, field(':status', '200'))],
    code: PROTOCOL_ERROR,
    stream: 1,
  },
  {
    section: '8.3',
    name: 'a pseudo field after others',
    send: [
      headers(1, END_HEADERS | END_STREAM, Buffer.from([0x82, 0x86]), field('x', 'y'), Buffer.from([0x84])),
    ],
    code: PROTOCOL_ERROR,
    stream: 1,
  },
  {
    section: '8.3.1',
    name: 'no :method',
    send: [headers(1, END_HEADERS | END_STREAM, Buffer.from([0x86, 0x84]))],
    code: PROTOCOL_ERROR,
    stream: 1,
  },
  {
    section: '8.3.1',
    name: 'no :scheme',
    send: [headers(1, END_HEADERS | END_STREAM, Buffer.from([0x82, 0x84]))],
    code: PROTOCOL_ERROR,
    stream: 1,
  },
  {
    section: '8.3.1',
    name: 'no :path',
    send: [headers(1, END_HEADERS | END_STREAM, Buffer.from([0x82, 0x86]))],
    code: PROTOCOL_ERROR,
    stream: 1,
  },
  {
    section: '8.3.1',
    name: 'an empty :path',
    send: [headers(1, END_HEADERS | END_STREAM, Buffer.from([0x82, 0x86]), field(':path', ''))],
    code: PROTOCOL_ERROR,
    stream: 1,
  },
  {
    section: '8.3.1',
    name: ':method twice',
    send: [headers(1, END_HEADERS | END_STREAM, Buffer.from([0x82, 0x82, 0x86, 0x84]))],
    code: PROTOCOL_ERROR,
    stream: 1,
  },
  {
    section: 'RFC 8441, 4',
    name: ':protocol where it was not offered',
    send: [
      headers(
        1,
        END_HEADERS,
        field(':method', 'CONNECT'),
        Buffer.from([0x86, 0x84]),
        field(':authority', 'a'),
        field(':protocol', 'websocket'),
      ),
    ],
    code: PROTOCOL_ERROR,
    stream: 1,
  },
];

const FINE: readonly Row[] = [
  { section: '4.1', name: 'a frame of an unknown type', send: [frame(0x16, 0, 0, Buffer.from('unknown'))] },
  { section: '4.1', name: 'flags that nobody knows', send: [frame(FRAME.PING, 0x16, 0, Buffer.alloc(8))] },
  { section: '4.1', name: 'the reserved bit', send: [frame(FRAME.PING, 0, 0x8000_0000, Buffer.alloc(8))] },
  { section: '4.2', name: 'DATA of 2^14 bytes', send: [post(1), data(1, 0, BODY)] },
  { section: '5.1', name: 'PRIORITY on an idle stream', send: [frame(FRAME.PRIORITY, 0, 9, priority(1))] },
  {
    section: '5.1',
    name: 'PRIORITY on a closed stream',
    send: [get(1), frame(FRAME.PRIORITY, 0, 1, priority(3))],
  },
  {
    section: '5.1',
    name: 'WINDOW_UPDATE and RST_STREAM on a closed stream',
    send: [get(1), windowUpdate(1, 10), reset(1, 8)],
  },
  {
    section: '6.1',
    name: 'DATA that is all padding',
    send: [post(1), data(1, PADDED, Buffer.from([2, 0, 0]))],
  },
  {
    section: '6.2',
    name: 'HEADERS with priority and padding',
    send: [
      headers(
        1,
        END_HEADERS | END_STREAM | WITH_PRIORITY | PADDED,
        Buffer.from([3]),
        priority(0),
        GET,
        Buffer.alloc(3),
      ),
    ],
  },
  { section: '6.5.2', name: 'a setting that nobody knows', send: [settings(0xff, 1)] },
  { section: '6.5.2', name: 'ENABLE_PUSH of a client', send: [settings(SETTING.ENABLE_PUSH, 1)] },
  { section: '6.7', name: 'PING that was not asked for', send: [ping('12345678', ACK)] },
  {
    section: '6.10',
    name: 'a header block in several frames',
    send: [
      headers(1, END_STREAM, GET.subarray(0, 1)),
      frame(FRAME.CONTINUATION, 0, 1, GET.subarray(1, 3)),
      frame(FRAME.CONTINUATION, END_HEADERS, 1, GET.subarray(3)),
    ],
  },
  {
    section: '7',
    name: 'GOAWAY and RST_STREAM with codes that nobody knows',
    send: [post(1), reset(1, 0xff), goAway(0, 0xff)],
  },
  {
    section: '8.1',
    name: 'trailers',
    send: [post(1), data(1, 0, 'x'), headers(1, END_HEADERS | END_STREAM, field('x', 'y'))],
  },
  {
    section: '8.1.1',
    name: 'content-length in two DATA',
    send: [post(1, field('content-length', '6')), data(1, 0, 'abc'), data(1, END_STREAM, 'def')],
  },
  {
    section: '8.2.2',
    name: 'te: trailers',
    send: [headers(1, END_HEADERS | END_STREAM, GET, field('te', 'trailers'))],
  },
];

/** Every way of cutting that has fooled readers: at once, byte by byte, and in threes. */
function inPieces(server: Server, bytes: Buffer, size: number): Frame[] {
  const all: Frame[] = [];
  for (let at = 0; at < bytes.length; at += size) all.push(...server.send(bytes.subarray(at, at + size)));
  return all;
}

function codesOf(frames: readonly Frame[], type: number, id: number): string[] {
  return frames
    .filter((each) => each.type === type && each.id === id)
    .map(({ payload }) => errorCodeName(payload.readUInt32BE(type === FRAME.GOAWAY ? 4 : 0)));
}

for (const size of [1, 3, 1_000_000]) {
  for (const { section, name, send, code, stream } of ERRORS) {
    test(`${section}: ${name}${size === 1_000_000 ? '' : `, in pieces of ${size}`}`, () => {
      const server = Server.ready();
      const frames = inPieces(server, Buffer.concat(send), size);
      if (stream === undefined) {
        assert.deepEqual(codesOf(frames, FRAME.GOAWAY, 0), [errorCodeName(code)]);
        assert.equal(server.connection.isClosed, true);
        assert.notEqual(server.owner.fault, null);
        assert.deepEqual(server.send(ping()), [], 'nothing is answered after GOAWAY');
      } else {
        assert.deepEqual(codesOf(frames, FRAME.RST_STREAM, stream), [errorCodeName(code)]);
        assert.equal(server.connection.isClosed, false);
        assert.equal(server.owner.streamFaults.length, 1);
        const [pong] = server.send(ping());
        assert.equal(pong?.type, FRAME.PING);
      }
      assert.equal(server.connection.active, 0);
    });
  }

  for (const { section, name, send } of FINE) {
    test(`${section}: ${name} is taken${size === 1_000_000 ? '' : `, in pieces of ${size}`}`, () => {
      const server = Server.ready();
      const frames = inPieces(server, Buffer.concat(send), size);
      assert.deepEqual(codesOf(frames, FRAME.GOAWAY, 0), []);
      assert.deepEqual(server.owner.streamFaults, []);
      const last = server.send(get(11), ping());
      assert.equal(last.filter(({ type, id }) => type === FRAME.HEADERS && id === 11).length, 1);
      assert.deepEqual(last.at(-1)?.payload.toString(), '12345678');
    });
  }
}

test('3.4: the preface of something else', () => {
  const server = new Server();
  server.read();
  const frames = server.send(Buffer.from('GET / HTTP/1.1\r\nHost: a\r\n\r\n'));
  assert.deepEqual(codesOf(frames, FRAME.GOAWAY, 0), ['PROTOCOL_ERROR']);
  assert.equal(server.owner.fault, 'invalid_preface');
});

test('3.4: another frame before SETTINGS', () => {
  for (const first of [ping(), get(1), SETTINGS_ACK, windowUpdate(0, 1)]) {
    const server = new Server();
    server.send(PREFACE, first);
    assert.equal(server.owner.fault, 'settings_missing');
  }
});

test('3.4: the server begins with its SETTINGS, and acknowledges those of the client', () => {
  const server = new Server({
    streamWindowBytes: 1000,
    connectionWindowBytes: 100_000,
    connectProtocol: true,
  });
  const [first, second] = server.read();
  assert.equal(first!.type, FRAME.SETTINGS);
  assert.equal(first!.payload.length, 24);
  assert.deepEqual(second, { type: FRAME.WINDOW_UPDATE, flags: 0, id: 0, payload: uint32(100_000 - 65_535) });
  const [ack] = server.send(PREFACE, settings(SETTING.HEADER_TABLE_SIZE, 4096));
  assert.deepEqual(ack, framesOf(SETTINGS_ACK)[0]);
});

test('5.1.2: more streams than SETTINGS_MAX_CONCURRENT_STREAMS are refused, and room comes with each that ends', () => {
  const server = Server.ready({ maxConcurrentStreams: 2 });
  const frames = server.send(post(1), post(3), post(5), data(5, END_STREAM, 'ignored'));
  assert.deepEqual(codesOf(frames, FRAME.RST_STREAM, 5), [errorCodeName(REFUSED_STREAM)]);
  assert.equal(server.owner.requests, 2);
  server.send(data(1, END_STREAM, ''), post(7));
  assert.equal(server.owner.requests, 3);
  assert.equal(server.connection.isClosed, false);
});

test('5.1: what a client had sent before it heard of a reset is passed over', () => {
  const server = Server.ready();
  server.send(post(1, field('content-length', '1')), data(1, 0, 'ab'));
  assert.deepEqual(server.owner.streamFaults, ['content_length_mismatch']);
  server.send(
    data(1, 0, BODY),
    headers(1, END_HEADERS | END_STREAM, field('x', 'y')),
    windowUpdate(1, 5),
    reset(1, 8),
  );
  assert.equal(server.connection.isClosed, false);
});

test('6.4: a stream that the client resets counts until its owner has released it', () => {
  const server = Server.ready({ maxConcurrentStreams: 1 });
  server.owner.holds = true;
  server.send(post(1), reset(1, ERROR_CODE.CANCEL));
  assert.deepEqual(server.owner.resets, [{ code: ERROR_CODE.CANCEL, fault: null }]);
  const refused = server.send(get(3));
  assert.deepEqual(codesOf(refused, FRAME.RST_STREAM, 3), ['REFUSED_STREAM']);
  for (const stream of server.owner.held.splice(0)) stream.release();
  server.send(get(5));
  assert.equal(server.owner.requests, 2);
});

test('6.9.1: more DATA than the windows of stream or connection', () => {
  const full = (id: number, count: number) =>
    Buffer.concat([post(id), ...Array.from({ length: count }, () => data(id, 0, BODY))]);
  const server = Server.ready({ streamWindowBytes: 70_000, connectionWindowBytes: 100_000 });
  // Nothing of it is consumed.
  server.owner.onRequest = () => {};
  const frames = server.send(full(1, 5), post(3));
  assert.deepEqual(codesOf(frames, FRAME.RST_STREAM, 1), ['FLOW_CONTROL_ERROR']);
  assert.equal(server.connection.isClosed, false);
  assert.deepEqual(codesOf(server.send(full(5, 3)), FRAME.GOAWAY, 0), ['FLOW_CONTROL_ERROR']);
});

test('6.9: windows are given back when half of them has been consumed, also of what is passed over', () => {
  const server = Server.ready({ streamWindowBytes: 40_000, connectionWindowBytes: 65_535 });
  const updates = (frames: readonly Frame[]) =>
    frames
      .filter(({ type }) => type === FRAME.WINDOW_UPDATE)
      .map(({ id, payload }) => [id, payload.readUInt32BE(0)]);
  assert.deepEqual(updates(server.send(post(1), data(1, 0, BODY))), []);
  assert.deepEqual(
    updates(server.send(data(1, PADDED, Buffer.concat([Buffer.from([200]), Buffer.alloc(4200)])))),
    [[1, 20_384]],
  );
  assert.deepEqual(updates(server.send(data(1, 0, BODY))), [[0, 36_969]]);
  server.send(reset(1, 8), post(3, field('content-length', '0')));
  const late = server.send(data(3, 0, BODY), data(3, 0, BODY), data(3, 0, BODY));
  assert.deepEqual(updates(late), [[0, 32_768]]);
  assert.equal(server.connection.isClosed, false);
});

test('6.9.2: no more DATA than the windows of stream and connection', () => {
  const server = Server.ready({}, Buffer.alloc(100, 'g'));
  const sizes = (frames: readonly Frame[]) =>
    frames.filter(({ type }) => type === FRAME.DATA).map(({ payload }) => payload.length);
  server.send(settings(SETTING.INITIAL_WINDOW_SIZE, 10));
  assert.deepEqual(sizes(server.send(get(1))), [10]);
  assert.deepEqual(sizes(server.send(windowUpdate(1, 1))), [1]);
  assert.deepEqual(sizes(server.send(settings(SETTING.INITIAL_WINDOW_SIZE, 15))), [5]);
  // Made smaller, it is below zero, and the peer has to give back what is missing first.
  assert.deepEqual(sizes(server.send(settings(SETTING.INITIAL_WINDOW_SIZE, 5))), []);
  assert.deepEqual(sizes(server.send(windowUpdate(1, 10))), []);
  assert.deepEqual(sizes(server.send(windowUpdate(1, 1))), [1]);
  const rest = server.send(windowUpdate(1, 1000));
  assert.deepEqual(sizes(rest), [83]);
  assert.equal(rest.at(-1)!.flags, END_STREAM);
});

test('6.8: a server leaves in two steps, and says which requests it has not taken', () => {
  const server = Server.ready();
  server.send(post(1));
  server.connection.drain();
  const [warning, probe] = server.read();
  assert.equal(warning!.payload.readUInt32BE(0), 2 ** 31 - 1);
  assert.equal(probe!.type, FRAME.PING);
  // On its way before the client heard of it.
  assert.equal(server.send(get(3)).filter(({ type }) => type === FRAME.HEADERS).length, 1);
  const [last] = server.send(frame(FRAME.PING, ACK, 0, probe!.payload));
  assert.equal(last!.payload.readUInt32BE(0), 3);
  assert.deepEqual(server.send(get(5), data(5, 0, 'x')), []);
  assert.equal(server.owner.requests, 2);
  const end = server.send(data(1, END_STREAM, 'end'));
  assert.equal(end.at(-1)!.flags, END_STREAM);
  assert.equal(server.connection.active, 0);
});

test('8.1: an answer that is complete before its request resets the rest with NO_ERROR', () => {
  const server = Server.ready();
  server.owner.onRequest = (stream) => {
    const writer = stream.beginHead(1);
    writer.all(Buffer.from([0x88]));
    stream.endHead(true);
    stream.release();
  };
  const frames = server.send(post(1));
  assert.deepEqual(
    frames.map(({ type }) => type),
    [FRAME.HEADERS, FRAME.RST_STREAM],
  );
  assert.deepEqual(codesOf(frames, FRAME.RST_STREAM, 1), ['NO_ERROR']);
  server.send(data(1, END_STREAM, 'late'));
  assert.equal(server.connection.isClosed, false);
});
