import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { encodeClose } from '../../../src/wire/websocket/close-frame.ts';
import { CLOSE, FrameReader } from '../../websocket/frame.ts';

test('a reader of frames finds code, reason and mask again', () => {
  fc.assert(
    fc.property(
      fc.constantFrom(1000, 1001, 1011, 1012, 1014, 3000, 4999),
      fc.string({ maxLength: 30, unit: 'grapheme' }).filter((text) => Buffer.byteLength(text) <= 123),
      fc.option(fc.uint8Array({ minLength: 4, maxLength: 4 })),
      (code, reason, mask) => {
        const reader = new FrameReader();
        reader.push(encodeClose(code, reason, mask));
        const frame = reader.next()!;
        assert.equal(reader.isInside, false);
        assert.deepEqual([frame.fin, frame.rsv, frame.opcode], [true, 0, CLOSE]);
        assert.deepEqual(frame.mask === null ? null : new Uint8Array(frame.mask), mask);
        assert.equal(frame.payload.readUInt16BE(0), code);
        assert.equal(frame.payload.toString('utf8', 2), Buffer.from(reason).toString());
      },
    ),
  );
});

test('what no endpoint may send is not encoded', () => {
  for (const code of [0, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000])
    assert.throws(() => encodeClose(code, '', null), RangeError, `${code}`);
  assert.throws(() => encodeClose(1000, 'é'.repeat(62), null), RangeError);
  assert.equal(encodeClose(1000, 'r'.repeat(123), null).length, 127);
});
