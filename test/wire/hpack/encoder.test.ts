import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { HpackDecoder } from '../../../src/wire/hpack/decoder.ts';
import { FIELD_EXTRA_BYTES, HpackEncoder } from '../../../src/wire/hpack/encoder.ts';
import { staticName } from '../../../src/wire/hpack/static-names.ts';
import { STATIC, STATIC_COUNT } from '../../../src/wire/hpack/static-table.ts';
import { HEAD_DONE, HeadParser } from '../../../src/wire/http1/head-parser.ts';
import { MessageWriter } from '../../../src/wire/http1/writer.ts';
import { lists } from './lists.ts';
import { RecordingBlock } from './recording-block.ts';

const NOTHING_DROPPED = new Uint8Array(32);

function readBack(writer: MessageWriter, decoder = new HpackDecoder(4096)): RecordingBlock {
  const block = new RecordingBlock();
  assert.equal(decoder.decode(writer.block, 0, writer.length, block), true);
  return block;
}

test('fields from strings, from lines and from a head of HTTP/1 come back, in the room that was promised', () => {
  fc.assert(
    fc.property(lists, fc.func(fc.boolean()), (list, upper) => {
      const sent = list.map(([name, value]) => [upper(name) ? name.toUpperCase() : name, value] as const);
      const lines = Buffer.from(sent.map(([name, value]) => `${name}: ${value}\r\n`).join(''), 'latin1');
      const expected = list.map(([name, value]) => `${name}: ${value}`);
      const room = list.reduce(
        (sum, [name, value]) => sum + name.length + value.length + FIELD_EXTRA_BYTES,
        1,
      );
      const encoder = new HpackEncoder();
      const decoder = new HpackDecoder(4096);
      const writer = new MessageWriter(room);
      for (const write of [
        () => {
          for (const [name, value] of list) encoder.field(writer, name, value);
        },
        () => encoder.lines(writer, lines, 0, lines.length),
        () => {
          const head = new HeadParser('response');
          const bytes = Buffer.concat([Buffer.from('??HTTP/1.1 200 OK\r\n'), lines, Buffer.from('\r\n')]);
          // A head of HTTP/1 may be refused for what these lists are not about.
          if (head.parse(bytes, 2, bytes.length) !== HEAD_DONE)
            return encoder.lines(writer, lines, 0, lines.length);
          encoder.fields(writer, head, NOTHING_DROPPED, null);
        },
      ]) {
        writer.length = 0;
        encoder.begin(writer);
        write();
        assert.ok(writer.length <= room);
        assert.deepEqual(readBack(writer, decoder).list, expected);
      }
    }),
  );
});

test('fields that are dropped are not there: by their id, and by what is asked of their name', () => {
  const head = new HeadParser('response');
  const bytes = Buffer.from(
    'HTTP/1.1 200 OK\r\nServer: x\r\nConnection: keep-alive, x-a\r\nX-A: 1\r\nContent-Length: 5\r\nX-B: 2\r\n\r\n',
  );
  assert.equal(head.parse(bytes, 0, bytes.length), HEAD_DONE);
  const writer = new MessageWriter(1024);
  const dropped = new Uint8Array(32);
  for (const name of ['Connection', 'Content-Length'])
    for (let field = 0; field < head.fieldCount; field += 1)
      if (head.name(field) === name) dropped[head.ids[field]!] = 1;
  const encoder = new HpackEncoder();
  encoder.fields(writer, head, dropped, (name) => name === 'x-a');
  encoder.contentLength(writer, 5);
  encoder.contentLength(writer, 1_073_741_824);
  assert.deepEqual(readBack(writer).list, [
    'server: x',
    'x-b: 2',
    'content-length: 5',
    'content-length: 1073741824',
  ]);
});

test('what must not be guessed at by its size is never indexed, and so is what its sender said so of', () => {
  const encoder = new HpackEncoder();
  const writer = new MessageWriter(4096);
  for (const name of ['cookie', 'set-cookie', 'authorization', 'proxy-authorization', 'x-a', 'accept'])
    encoder.field(writer, name, 'secret');
  const block = readBack(writer);
  assert.deepEqual(block.never, [true, true, true, true, false, false]);
});

test('every status, method and path', () => {
  const encoder = new HpackEncoder();
  const writer = new MessageWriter(65_536);
  const expected: string[] = [];
  for (let status = 100; status < 600; status += 1) {
    encoder.status(writer, status);
    expected.push(`:status: ${status}`);
  }
  for (const method of ['GET', 'POST', 'PUT', 'HEAD', 'OPTIONS', 'VERSION-CONTROL', 'GOT', 'PAST']) {
    const bytes = Buffer.from(`.${method}.`);
    encoder.method(writer, bytes, 1, bytes.length - 1);
    expected.push(`:method: ${method}`);
  }
  for (const path of ['/', '/index.html', '/?', '*', `/${'x'.repeat(500)}`]) {
    const bytes = Buffer.from(`..${path}.`);
    encoder.path(writer, bytes, 2, bytes.length - 1);
    const query = path.indexOf('?') === -1 ? path.length : path.indexOf('?');
    encoder.pathText(writer, path.slice(0, query), path.slice(query));
    expected.push(`:path: ${path}`, `:path: ${path}`);
  }
  encoder.scheme(writer, true);
  encoder.scheme(writer, false);
  encoder.authority(writer, 'a.example:8443');
  expected.push(':scheme: https', ':scheme: http', ':authority: a.example:8443');
  assert.deepEqual(readBack(writer).list, expected);
});

test('the first block says that the table of the decoder is not used, and none after it', () => {
  const encoder = new HpackEncoder();
  const writer = new MessageWriter(64);
  encoder.begin(writer);
  assert.deepEqual([...writer.written], [0x20]);
  encoder.begin(writer);
  assert.equal(writer.length, 1);
  // A decoder whose peer must make its table smaller takes it.
  const decoder = new HpackDecoder(0);
  decoder.settingsAcknowledged();
  encoder.status(writer, 200);
  assert.deepEqual(readBack(writer, decoder).list, [':status: 200']);
});

test('a name of the static table is found in any case, as its first entry; another is not', () => {
  for (let index = 1; index <= STATIC_COUNT; index += 1) {
    const start = STATIC.starts[index]!;
    const name = STATIC.bytes.toString('latin1', start, start + STATIC.nameLengths[index]!);
    for (const text of [name, name.toUpperCase()]) {
      const found = staticName(Buffer.from(`..${text}`), 2, text.length + 2);
      const at = STATIC.starts[found]!;
      assert.equal(STATIC.bytes.toString('latin1', at, at + STATIC.nameLengths[found]!), name);
      assert.ok(found <= index);
      assert.ok(index === found || index === found + 1 || name === ':status', `${name}: ${found}`);
    }
    for (const other of [`${name}x`, name.slice(1), `${name.slice(0, -1)}!`, ''])
      assert.equal(staticName(Buffer.from(other), 0, other.length), 0, other);
  }
});
