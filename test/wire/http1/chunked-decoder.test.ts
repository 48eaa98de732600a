import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { chunkedBody } from './generator.ts';
import { decodeChunked } from './messages.ts';

test('any split gives the same body, trailer and end', () => {
  fc.assert(
    fc.property(chunkedBody, fc.array(fc.nat(300), { maxLength: 8 }), ({ body, text, trailer }, cuts) => {
      const whole = decodeChunked(`${text}GET / next`, cuts);
      assert.equal(whole.outcome, 'end');
      assert.equal(whole.body, body);
      assert.equal(whole.consumed, text.length);
      assert.equal(whole.trailer.length, trailer === '' ? 0 : trailer.split('\r\n').length - 1);
    }),
    { numRuns: 500 },
  );
});

test('a body cut off at any byte asks for more', () => {
  fc.assert(
    fc.property(chunkedBody, ({ text }) => {
      for (let end = 0; end < text.length; end += 1)
        assert.equal(decodeChunked(text.slice(0, end)).outcome, 'more');
    }),
    { numRuns: 50 },
  );
});

for (const [text, fault] of [
  ['\r\n', 'invalid_chunk_size'],
  ['x\r\n', 'invalid_chunk_size'],
  ['-1\r\n', 'invalid_chunk_size'],
  ['0x1\r\n', 'invalid_chunk_size'],
  ['1 \r\n', 'invalid_chunk_extension'],
  [' 1\r\n', 'invalid_chunk_size'],
  ['1\n', 'invalid_chunk_size'],
  ['1\rx', 'invalid_chunk_size'],
  ['fffffffffffff\r\n', 'invalid_chunk_size'],
  ['0000000000001\r\n', 'invalid_chunk_size'],
  ['1;a\nb\r\n', 'invalid_chunk_extension'],
  ['1;a="\n"\r\n', 'invalid_chunk_extension'],
  ['1;a=\0\r\n', 'invalid_chunk_extension'],
  [`1;${'a'.repeat(5000)}\r\n`, 'chunk_extension_too_long'],
  ['1\r\nab\r\n', 'invalid_chunk_end'],
  ['1\r\na\n', 'invalid_chunk_end'],
  ['1\r\na\rx', 'invalid_chunk_end'],
  ['0\r\nX : 1\r\n\r\n', 'invalid_trailer'],
  ['0\r\n X: 1\r\n\r\n', 'invalid_trailer'],
  ['0\r\n\n', 'invalid_trailer'],
  ['0\r\n\rx', 'invalid_chunk_end'],
  [`0\r\nX: ${'a'.repeat(9000)}\r\n\r\n`, 'trailer_too_large'],
  [`0\r\n${'X: 1\r\n'.repeat(101)}\r\n`, 'trailer_too_large'],
] as const) {
  test(`refused: ${JSON.stringify(text.slice(0, 40))}`, () => {
    assert.equal(decodeChunked(text).fault, fault);
  });
}
