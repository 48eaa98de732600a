import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Base64Decoder, Base64Encoder } from '../../../src/wire/grpc/base64.ts';
import {
  GRPC,
  GRPC_WEB,
  GRPC_WEB_TEXT,
  grpcKind,
  messageFormat,
  NOT_GRPC,
} from '../../../src/wire/grpc/content-type.ts';
import { MessageBoundary } from '../../../src/wire/grpc/message-boundary.ts';
import { encodeWebTrailers } from '../../../src/wire/grpc/web-trailers.ts';

test('media types', () => {
  for (const [text, kind, format] of [
    ['application/grpc', GRPC, ''],
    ['application/grpc+proto', GRPC, '+proto'],
    ['APPLICATION/GRPC+Proto; a=b', GRPC, '+Proto'],
    ['application/grpc;a=b+c', GRPC, ''],
    ['application/grpc-web', GRPC_WEB, ''],
    ['application/grpc-web+json', GRPC_WEB, '+json'],
    ['application/grpc-web; charset=utf-8', GRPC_WEB, ''],
    ['application/grpc-web-text+proto', GRPC_WEB_TEXT, '+proto'],
    ['application/grpc-web-text', GRPC_WEB_TEXT, ''],
    ['application/grpc-website', NOT_GRPC, ''],
    ['application/grpc-web-texts', NOT_GRPC, ''],
    ['application/grpcx', NOT_GRPC, ''],
    ['application/gr', NOT_GRPC, ''],
    ['application/json', NOT_GRPC, ''],
    ['', NOT_GRPC, ''],
  ] as const) {
    const bytes = Buffer.from(`-${text}-`, 'latin1');
    assert.equal(grpcKind(bytes, 1, bytes.length - 1), kind, text);
    if (kind !== NOT_GRPC) assert.equal(messageFormat(text), format, text);
  }
});

const pieces = fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 12 });
/** Where a stream is cut, as parts of its length. */
const cuts = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 8 });

function* split(bytes: Buffer, at: readonly number[]): Generator<Buffer> {
  const places = at.map((part) => Math.floor(part * bytes.length)).sort((a, b) => a - b);
  let from = 0;
  for (const place of [...places, bytes.length]) {
    yield bytes.subarray(from, place);
    from = place;
  }
}

test('base64 in any split, pieces padded by themselves included, is read as what was written', () => {
  fc.assert(
    fc.property(pieces, cuts, (plain, at) => {
      const text = Buffer.from(plain.map((piece) => Buffer.from(piece).toString('base64')).join(''));
      const decoder = new Base64Decoder();
      const decoded = [...split(text, at)].map((part) => decoder.decode(part, 0, part.length)!);
      assert.deepEqual(Buffer.concat(decoded), Buffer.concat(plain));
      assert.equal(decoder.isWhole, true);
    }),
  );
});

test('base64 is written so that what has been asked for can be read at once', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.uint8Array({ maxLength: 20 }), fc.boolean())), (parts) => {
      const encoder = new Base64Encoder();
      const decoder = new Base64Decoder();
      const sent: Uint8Array[] = [];
      const got: Buffer[] = [];
      for (const [bytes, last] of parts) {
        const text = encoder.encode(Buffer.concat([Buffer.from('#'), bytes]), 1, bytes.length + 1, last);
        sent.push(bytes);
        got.push(decoder.decode(text, 0, text.length)!);
        if (last) assert.deepEqual(Buffer.concat(got), Buffer.concat(sent));
        assert.equal(decoder.isWhole, true);
      }
    }),
  );
});

test('what is no base64 is refused, and a group that is not whole is seen', () => {
  for (const text of ['====', 'A===', '=AAA', 'AA=A', 'AAAA BBBB', 'AA\r\n', '@@@@', 'AA-_'])
    assert.equal(new Base64Decoder().decode(Buffer.from(text), 0, text.length), null, text);
  for (const text of ['A', 'AA', 'AAA', 'AAAAB', 'AA=']) {
    const decoder = new Base64Decoder();
    assert.notEqual(decoder.decode(Buffer.from(text), 0, text.length), null);
    assert.equal(decoder.isWhole, false, text);
  }
});

function message(flags: number, body: Uint8Array): Buffer {
  const prefix = Buffer.alloc(5);
  prefix[0] = flags;
  prefix.writeUInt32BE(body.length, 1);
  return Buffer.concat([prefix, body]);
}

test('ends of messages are found in any split', () => {
  const messages = fc.array(
    fc
      .tuple(fc.constantFrom(0, 1), fc.uint8Array({ maxLength: 300 }))
      .map(([flags, body]) => message(flags, body)),
  );
  fc.assert(
    fc.property(messages, cuts, (all, at) => {
      const stream = Buffer.concat(all);
      const ends = new Set([0]);
      let end = 0;
      for (const one of all) {
        end += one.length;
        ends.add(end);
      }
      const boundary = new MessageBoundary();
      let position = 0;
      for (const part of split(stream, at)) {
        boundary.follow(Buffer.concat([Buffer.from('#'), part]), 1, part.length + 1);
        position += part.length;
        assert.equal(boundary.isBetween, ends.has(position));
      }
      assert.equal(boundary.messages, all.length);
      assert.equal(boundary.isFaulty, false);
    }),
  );
});

test('lengths are of 32 bits, and other flags are seen', () => {
  const boundary = new MessageBoundary();
  boundary.follow(Buffer.from([0, 255, 255, 255, 255, 1]), 0, 6);
  assert.equal(boundary.isBetween, false);
  assert.equal(boundary.isFaulty, false);
  for (const flags of [2, 4, 0x80, 0x81, 255]) {
    boundary.reset();
    boundary.follow(message(flags, Buffer.alloc(0)), 0, 5);
    assert.equal(boundary.isFaulty, true, String(flags));
  }
});

test('trailers are a frame of fields in lower case', () => {
  const frame = encodeWebTrailers([
    ['Grpc-Status', '5'],
    ['grpc-message', 'no%20such'],
  ]);
  const text = 'grpc-status: 5\r\ngrpc-message: no%20such\r\n';
  assert.deepEqual(frame, message(0x80, Buffer.from(text)));
});
