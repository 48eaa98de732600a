import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FLAG, FRAME } from '../../src/wire/h2/frame.ts';
import { CONTINUE, field, frame, OK, uint32 } from '../wire/h2/frames.ts';
import { http2Proxy } from './http2-backend.ts';
import { exchange } from './raw.ts';
import { isRequest, scriptedBackend } from './scripted-http2.ts';

const { HEADERS, DATA, CONTINUATION, RST_STREAM, SETTINGS, PUSH_PROMISE, WINDOW_UPDATE, GOAWAY } = FRAME;
const { END_STREAM, END_HEADERS } = FLAG;
const BOTH = END_STREAM | END_HEADERS;
const SECRET = 'smuggled';
const all = (...parts: Buffer[]): Buffer => Buffer.concat(parts);
const head = (...fields: Buffer[]): Buffer => frame(HEADERS, BOTH, 1, all(OK, ...fields));
const open = (...fields: Buffer[]): Buffer => frame(HEADERS, END_HEADERS, 1, all(OK, ...fields));
const data = (text: string, flags: number = END_STREAM): Buffer => frame(DATA, flags, 1, Buffer.from(text));
const trailers = (...fields: Buffer[]): Buffer => frame(HEADERS, BOTH, 1, all(...fields));
const smuggled = field('x-leak', SECRET);

/** Refused before an answer has begun: 502, and nothing of it passes. */
const REFUSED: readonly (readonly [string, Buffer])[] = [
  [
    'an index of HPACK that is not there',
    frame(HEADERS, BOTH, 1, all(OK, smuggled, Buffer.from([0xff, 0x7f]))),
  ],
  ['index 0 of HPACK', frame(HEADERS, BOTH, 1, all(smuggled, Buffer.from([0x80])))],
  ['a cut head', frame(HEADERS, BOTH, 1, all(OK, smuggled, Buffer.from([0, 10, 120])))],
  [
    'a table larger than allowed',
    frame(HEADERS, BOTH, 1, all(Buffer.from([0x3f, 0xff, 0xff, 0x03]), OK, smuggled)),
  ],
  ['bad Huffman padding', frame(HEADERS, BOTH, 1, all(OK, smuggled, Buffer.from([0, 1, 97, 0x81, 0x00])))],
  ['no status', frame(HEADERS, BOTH, 1, smuggled)],
  ['two statuses', head(OK, smuggled)],
  ['a status of two digits', frame(HEADERS, BOTH, 1, all(field(':status', '20'), smuggled))],
  ['a status of letters', frame(HEADERS, BOTH, 1, all(field(':status', '2OO'), smuggled))],
  ['a status after a field', frame(HEADERS, BOTH, 1, all(smuggled, OK))],
  ['a pseudo field of requests', head(field(':path', '/'), smuggled)],
  ['a pseudo field nobody knows', head(field(':secret', SECRET))],
  ['a name in upper case', head(field('X-Leak', SECRET))],
  ['a name with a space', head(field('x leak', SECRET))],
  ['a name with a colon', head(field('x-leak:', SECRET))],
  ['a name with a line end', head(field('x-leak\r\n', SECRET))],
  ['an empty name', head(field('', SECRET))],
  ['CR in a value', head(field('x-leak', `a\r${SECRET}`))],
  ['LF in a value', head(field('x-leak', `a\n${SECRET}`))],
  ['a whole field in a value', head(field('x-leak', `a\r\nset-cookie: ${SECRET}`))],
  ['NUL in a value', head(field('x-leak', `a\0${SECRET}`))],
  ['a value that begins with a space', head(field('x-leak', ` ${SECRET}`))],
  ['a value that ends with a tab', head(field('x-leak', `${SECRET}\t`))],
  ['connection', head(field('connection', 'close'), smuggled)],
  ['keep-alive', head(field('keep-alive', 'timeout=5'), smuggled)],
  ['proxy-connection', head(field('proxy-connection', 'close'), smuggled)],
  ['transfer-encoding', open(field('transfer-encoding', 'chunked'), smuggled)],
  ['upgrade', head(field('upgrade', 'h2c'), smuggled)],
  ['two lengths that differ', open(field('content-length', '3'), field('content-length', '4'), smuggled)],
  ['a length that is no number', open(field('content-length', '-1'), smuggled)],
  ['a length with a sign', open(field('content-length', '+3'), smuggled)],
  ['a length and no data', head(field('content-length', '5'), smuggled)],
  ['data before the head', all(data(SECRET, 0), head())],
  ['101', frame(HEADERS, END_HEADERS, 1, all(field(':status', '101'), smuggled))],
  ['an interim answer that ends the stream', frame(HEADERS, BOTH, 1, all(CONTINUE, smuggled))],
  [
    'more interim answers than anybody needs',
    all(...Array.from({ length: 200 }, () => frame(HEADERS, END_HEADERS, 1, CONTINUE)), head(smuggled)),
  ],
  [
    'a head larger than may be',
    frame(
      HEADERS,
      END_HEADERS,
      1,
      all(OK, ...Array.from({ length: 120 }, (_, at) => field(`x-${at}`, SECRET))),
    ),
  ],
  ['a frame between head and continuation', all(frame(HEADERS, 0, 1, all(OK, smuggled)), data('x'))],
  ['a continuation of nothing', frame(CONTINUATION, END_HEADERS, 1, all(OK, smuggled))],
  [
    'a continuation of another stream',
    all(frame(HEADERS, 0, 1, all(OK, smuggled)), frame(CONTINUATION, END_HEADERS, 3, smuggled)),
  ],
  ['a stream that nobody has opened', all(frame(HEADERS, BOTH, 7, all(OK, smuggled)), head())],
  ['a push', frame(PUSH_PROMISE, END_HEADERS, 1, all(uint32(2), OK, smuggled))],
  ['settings of a wrong size', frame(SETTINGS, 0, 0, Buffer.alloc(5))],
  ['a window opened by nothing', frame(WINDOW_UPDATE, 0, 0, uint32(0))],
  ['a window opened too far', frame(WINDOW_UPDATE, 0, 0, uint32(0x7fffffff))],
  ['a frame too large', all(frame(DATA, 0, 1, Buffer.alloc(20_000)), head())],
  [
    'padding longer than its frame',
    frame(HEADERS, BOTH | FLAG.PADDED, 1, all(Buffer.from([200]), OK, smuggled)),
  ],
  ['a reset', frame(RST_STREAM, 0, 1, uint32(2))],
  ['a goodbye that leaves the stream out, again and again', frame(GOAWAY, 0, 0, all(uint32(0), uint32(0)))],
];

for (const [what, bytes] of REFUSED)
  test(`502, and nothing of it passes: ${what}`, { timeout: 20_000 }, async (context) => {
    const backend = await scriptedBackend(context, {
      onFrame: (received, socket) => {
        if (isRequest(received)) socket.write(bytes);
      },
    });
    const harness = await http2Proxy(context, [backend.port]);
    const text = await exchange(harness.port, 'GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');
    assert.match(text.replace(/^(HTTP\/1\.1 100[^\r]*\r\n\r\n)+/, ''), /^HTTP\/1\.1 502 /);
    assert.ok(!text.includes(SECRET), text);
    assert.equal(harness.dataplane.report('whole').endpoints[0]!.activeRequests, 0);
  });

/** Cut where the answer has begun: nothing that came after the fault passes, and the end is not taken for one. */
const CUT: readonly (readonly [string, Buffer])[] = [
  ['more data than content-length', all(open(field('content-length', '3')), data('abc', 0), data(SECRET))],
  ['less data than content-length', all(open(field('content-length', '9')), data('abc'))],
  ['pseudo fields in trailers', all(open(), data('abc', 0), trailers(OK, smuggled))],
  [
    'a connection field in trailers',
    all(open(), data('abc', 0), trailers(field('connection', 'x'), smuggled)),
  ],
  ['upper case in trailers', all(open(), data('abc', 0), trailers(field('X-Leak', SECRET)))],
  ['a line end in trailers', all(open(), data('abc', 0), trailers(field('x-leak', `a\r\n${SECRET}`)))],
  ['trailers that do not end', all(open(), data('abc', 0), frame(HEADERS, END_HEADERS, 1, smuggled))],
  ['broken HPACK in trailers', all(open(), data('abc', 0), frame(HEADERS, BOTH, 1, Buffer.from([0x80])))],
  ['a reset', all(open(), data('abc', 0), frame(RST_STREAM, 0, 1, uint32(2)))],
  ['a broken connection', all(open(), data('abc', 0), frame(DATA, 0, 0, Buffer.from(SECRET)))],
];

for (const [what, bytes] of CUT)
  test(`an answer that has begun is cut: ${what}`, { timeout: 20_000 }, async (context) => {
    const backend = await scriptedBackend(context, {
      onFrame: (received, socket) => {
        if (isRequest(received)) socket.write(bytes);
      },
    });
    const harness = await http2Proxy(context, [backend.port]);
    const text = await exchange(harness.port, 'GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');
    assert.ok(!text.includes(SECRET), text);
    assert.ok(!text.endsWith('0\r\n\r\n'), text);
    if (what === 'less data than content-length') assert.ok(!/\r\n\r\n.{9}/.test(text), text);
    assert.equal(harness.dataplane.report('whole').endpoints[0]!.activeRequests, 0);
  });

test('what is well-formed passes, whole', async (context) => {
  const backend = await scriptedBackend(context, {
    onFrame: (received, socket) => {
      if (isRequest(received))
        socket.write(all(open(smuggled), data('abc', 0), trailers(field('x-after', 'b'))));
    },
  });
  const harness = await http2Proxy(context, [backend.port]);
  const text = await exchange(harness.port, 'GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');
  assert.match(text, /^HTTP\/1\.1 200 /);
  assert.match(text, /\r\nx-leak: smuggled\r\n/);
  assert.match(text, /\r\n3\r\nabc\r\n0\r\nx-after: b\r\n\r\n$/);
});

test('a neighbour on the connection goes on where one answer is malformed', async (context) => {
  const backend = await scriptedBackend(context, {
    onFrame: (received, socket) => {
      if (!isRequest(received)) return;
      const isFirst = received.id === 1;
      socket.write(frame(HEADERS, BOTH, received.id, isFirst ? all(OK, field('X-Bad', SECRET)) : OK));
    },
  });
  const harness = await http2Proxy(context, [backend.port]);
  const get = 'GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n';
  assert.match(await exchange(harness.port, get), /^HTTP\/1\.1 502 /);
  assert.match(await exchange(harness.port, get), /^HTTP\/1\.1 200 /);
  assert.equal(backend.sockets.length, 1);
});
