import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { HTTP_DEFAULTS } from '../../../src/model/http-settings.ts';
import type { HeaderBlock } from '../../../src/wire/h2/header-block.ts';
import { HpackDecoder } from '../../../src/wire/hpack/decoder.ts';
import { HpackEncoder } from '../../../src/wire/hpack/encoder.ts';
import { NEVER_FORWARDED } from '../../../src/wire/http1/field-name.ts';
import { NO_LENGTH } from '../../../src/wire/http1/framing.ts';
import { HEAD_DONE, HeadParser } from '../../../src/wire/http1/head-parser.ts';
import { RequestTarget } from '../../../src/wire/http1/target.ts';
import { MessageWriter } from '../../../src/wire/http1/writer.ts';
import { lists } from '../hpack/lists.ts';
import { listOf, RecordingBlock } from '../hpack/recording-block.ts';
import { literals, read } from './blocks.ts';

const GET = [':method: GET', ':scheme: https', ':authority: a.example', ':path: /x?y=z'];
const startLine = (block: HeaderBlock): string => block.text(block.methodStart, block.targetEnd);

test('whatever order the pseudo-header fields come in and however long they are, the start line is one', () => {
  const order = fc.shuffledSubarray([0, 1, 2, 3], { minLength: 4 });
  const methods = fc.constantFrom('GET', 'OPTIONS', 'PROPFIND', 'MKACTIVITY', 'VERSION-CONTROL', 'X');
  const texts = fc.string({ unit: fc.constantFrom(...'ab/.%?-'), maxLength: 300 });
  fc.assert(
    fc.property(order, methods, texts, lists, (places, method, text, list) => {
      const pseudo = [`:method: ${method}`, ':scheme: http', ':authority: a.example:80', `:path: /${text}`];
      const lines = list.map(([name, value]) => `${name}: ${value}`);
      const block = read(literals([...places.map((at) => pseudo[at]!), ...lines]), 'request', true);
      if (block.fault !== null)
        return assert.match(block.fault, /^(connection_field|invalid_te|framing_near_miss)$/);
      assert.equal(startLine(block), `${method} /${text}`);
      assert.equal(block.text(block.methodStart, block.methodEnd), method);
      assert.equal(block.text(block.targetStart, block.targetEnd), `/${text}`);
      assert.equal(block.text(block.framing.hostStart, block.framing.hostEnd), 'a.example:80');
      assert.equal(block.version, 20);
      assert.equal(block.framing.keepAlive, true);
      // As HTTP/1 reads the same target, so do all behind it.
      const parser = new HeadParser('request', HTTP_DEFAULTS);
      const bytes = Buffer.from(`${method} /${text} HTTP/1.1\r\nHost: a.example:80\r\n\r\n`);
      assert.equal(parser.parse(bytes, 0, bytes.length), HEAD_DONE);
      assert.equal(block.targetFlags, parser.targetFlags);
      const [ours, theirs] = [new RequestTarget(), new RequestTarget()];
      assert.equal(ours.read(block, HTTP_DEFAULTS.path), theirs.read(parser, HTTP_DEFAULTS.path));
      assert.deepEqual([ours.path, ours.query, ours.host], [theirs.path, theirs.query, theirs.host]);
    }),
  );
});

test('fields written for HTTP/1 are read as the same fields, and go in one copy', () => {
  fc.assert(
    fc.property(lists, (list) => {
      const lines = list.filter(([name]) => name !== 'cookie').map(([name, value]) => `${name}: ${value}`);
      const block = read(literals([...GET, ...lines], 64), 'request', true, {
        ...HTTP_DEFAULTS,
        underscores: 'Keep',
      });
      if (block.fault !== null) return;
      let copies = 0;
      class CountingWriter extends MessageWriter {
        override bytes(source: Buffer, start: number, end: number): void {
          copies += 1;
          super.bytes(source, start, end);
        }
      }
      const writer = new CountingWriter(65_536);
      writer.latin1('GET / HTTP/1.1\r\nHost: a\r\n');
      copies = 0;
      writer.fields(block, new Uint8Array(32), null);
      assert.equal(copies, lines.length === 0 ? 0 : 1);
      writer.endHead();
      const parser = new HeadParser('request', { ...HTTP_DEFAULTS, underscores: 'Keep' });
      if (parser.parse(Buffer.from(writer.written), 0, writer.length) !== HEAD_DONE)
        return assert.match(
          parser.fault!,
          /invalid_connection|protected_connection_option|near_miss|repeated/,
        );
      assert.deepEqual(listOf(parser), ['Host: a', ...lines]);
      assert.deepEqual(
        [...parser.ids.subarray(1, parser.fieldCount)],
        [...block.ids.subarray(0, block.fieldCount)],
      );
    }),
  );
});

test('crumbs of a cookie become one, side by side or not, in their order', () => {
  const line = fc.oneof(
    fc.tuple(fc.constant('cookie'), fc.string({ unit: fc.constantFrom(...'ab=1'), maxLength: 60 })),
    fc.tuple(fc.constantFrom('x', 'accept', 'pragma'), fc.constant('v')),
  );
  fc.assert(
    fc.property(
      fc.array(line, { maxLength: 30 }),
      fc.constantFrom(0 as const, 16 as const, 64 as const),
      (list, pattern) => {
        const lines = list.map(([name, value]) => `${name}: ${value}`);
        const block = read(literals([...GET, ...lines], pattern), 'request', true);
        assert.equal(block.fault, null);
        const crumbs = list.filter(([name]) => name === 'cookie').map(([, value]) => value);
        const others = lines.filter((each) => !each.startsWith('cookie'));
        const all = listOf(block);
        assert.deepEqual(
          all.filter((each) => !each.startsWith('cookie')),
          others,
        );
        assert.deepEqual(
          all.filter((each) => each.startsWith('cookie')),
          crumbs.length === 0 ? [] : [`cookie: ${crumbs.join('; ')}`],
        );
        if (pattern === 16)
          for (let field = 0; field < block.fieldCount; field += 1)
            assert.equal(block.neverIndexed![field], 1);
        const writer = new MessageWriter(65_536);
        writer.fields(block, NEVER_FORWARDED, null);
        assert.equal(writer.written.toString('latin1'), all.map((each) => `${each}\r\n`).join(''));
      },
    ),
  );
});

test('how long a body is, and that chunks are needed where nobody says', () => {
  const length = (lines: string[], role: 'request' | 'response', endStream: boolean): [number, boolean] => {
    const block = read(literals(lines), role, endStream);
    assert.equal(block.fault, null);
    return [block.framing.contentLength, block.framing.chunked];
  };
  assert.deepEqual(length(GET, 'request', true), [NO_LENGTH, false]);
  assert.deepEqual(length(GET, 'request', false), [NO_LENGTH, true]);
  assert.deepEqual(length([...GET, 'content-length: 5'], 'request', false), [5, false]);
  assert.deepEqual(length([...GET, 'content-length: 0'], 'request', false), [0, false]);
  assert.deepEqual(length([...GET, 'content-length: 0'], 'request', true), [0, false]);
  const connect = [':method: CONNECT', ':protocol: websocket', ...GET.slice(1)];
  assert.deepEqual(length(connect, 'request', false), [NO_LENGTH, false]);
  assert.deepEqual(length([':method: CONNECT', ':authority: a:443'], 'request', false), [NO_LENGTH, false]);
  assert.deepEqual(length([':status: 200'], 'response', false), [NO_LENGTH, true]);
  assert.deepEqual(length([':status: 200'], 'response', true), [NO_LENGTH, false]);
  assert.deepEqual(length([':status: 200', 'content-length: 7'], 'response', true), [7, false]);
  for (const status of [103, 204, 304])
    assert.deepEqual(length([`:status: ${status}`], 'response', false), [NO_LENGTH, false]);
});

test('extended CONNECT says its protocol and has a target; plain CONNECT has the authority', () => {
  const block = read(
    literals([':method: CONNECT', ':protocol: websocket', ...GET.slice(1)]),
    'request',
    false,
  );
  assert.deepEqual([block.protocol, startLine(block), block.isHttps], ['websocket', 'CONNECT /x?y=z', true]);
  const plain = read(literals([':method: CONNECT', ':authority: a.example:443']), 'request', false);
  assert.deepEqual([plain.protocol, startLine(plain)], ['', 'CONNECT a.example:443']);
  assert.equal(new RequestTarget().read(plain, HTTP_DEFAULTS.path), 'invalid_target');
  // And nothing of it is left for the next request.
  const again = read(literals(GET), 'request', true, HTTP_DEFAULTS, new HpackDecoder(4096), block);
  assert.deepEqual([again.protocol, again.neverIndexed], ['', null]);
});

test('underscores: left out, refused or kept, as the listener says; never refused of a backend', () => {
  const lines = [...GET, 'x_a: b', 'x-b: c'];
  const settings = (underscores: 'Drop' | 'Refuse' | 'Keep') => ({ ...HTTP_DEFAULTS, underscores });
  const forwarded = (block: HeaderBlock): string => {
    const writer = new MessageWriter(1024);
    writer.fields(block, NEVER_FORWARDED, null);
    return writer.written.toString();
  };
  assert.equal(forwarded(read(literals(lines), 'request', true, settings('Drop'))), 'x-b: c\r\n');
  assert.equal(forwarded(read(literals(lines), 'request', true, settings('Keep'))), 'x_a: b\r\nx-b: c\r\n');
  assert.equal(read(literals(lines), 'request', true, settings('Refuse')).fault, 'underscore_in_field_name');
  const answer = read(literals([':status: 200', 'x_a: b']), 'response', true, settings('Refuse'));
  assert.deepEqual([answer.fault, forwarded(answer)], [null, 'x_a: b\r\n']);
});

test('what its sender wants never indexed is so for the next one too', () => {
  const bytes = Buffer.concat([literals(GET), literals(['x-key: secret'], 16), literals(['x-other: known'])]);
  const block = read(bytes, 'request', true);
  const writer = new MessageWriter(1024);
  new HpackEncoder().fields(writer, block, NEVER_FORWARDED, null);
  const recording = new RecordingBlock();
  assert.equal(new HpackDecoder(4096).decode(writer.block, 0, writer.length, recording), true);
  assert.deepEqual(recording.list, ['x-key: secret', 'x-other: known']);
  assert.deepEqual(recording.never, [true, false]);
});
