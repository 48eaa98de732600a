import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  encodeGrpcTimeout,
  readGrpcTimeout,
  TIMEOUT_BYTES,
  writeGrpcTimeout,
} from '../../../src/wire/grpc/timeout.ts';

const read = (text: string): number => {
  const bytes = Buffer.from(`:${text}:`, 'latin1');
  return readGrpcTimeout(bytes, 1, bytes.length - 1);
};

test('each unit, one to eight digits', () => {
  for (const [text, milliseconds] of [
    ['1H', 3_600_000],
    ['1M', 60_000],
    ['1S', 1000],
    ['1m', 1],
    ['1u', 0.001],
    ['1n', 0.000001],
    ['0S', 0],
    ['00000010m', 10],
    ['99999999m', 99_999_999],
    ['99999999H', 99_999_999 * 3_600_000],
  ] as const)
    assert.ok(Math.abs(read(text) - milliseconds) < 1e-9, text);
});

test('anything else is no timeout', () => {
  for (const text of [
    '',
    'S',
    '1',
    '10',
    '-1S',
    '1s',
    '1 S',
    ' 1S',
    '1S ',
    '+1S',
    '1.5S',
    '999999999m',
    '1SS',
    '1h',
    '1Z',
    '١S',
  ])
    assert.equal(read(text), -1, text);
});

test('what is written is the longest that is no longer, in the unit that eight digits allow', () => {
  fc.assert(
    fc.property(fc.double({ min: 0.001, max: 99_999_999 * 3_600_000, noNaN: true }), (milliseconds) => {
      const text = encodeGrpcTimeout(milliseconds);
      assert.match(text, /^\d{1,8}[HMSmu]$/);
      const again = read(text);
      const step = { H: 3_600_000, M: 60_000, S: 1000, m: 1, u: 0.001 }[text.at(-1)!]!;
      assert.ok(
        again <= milliseconds + 1e-6 && milliseconds < again + step + 1e-6,
        `${milliseconds} ${text}`,
      );
      assert.ok(step === 0.001 || milliseconds / step > 99, `${milliseconds} ${text}`);
    }),
  );
  // Nothing is left: but `0` would be a deadline that some take for none.
  assert.equal(encodeGrpcTimeout(0), '1u');
  assert.equal(encodeGrpcTimeout(-5), '1u');
});

test('it is written over itself with all its digits, and means the same', () => {
  fc.assert(
    fc.property(fc.double({ min: 0.001, max: 1e9, noNaN: true }), (milliseconds) => {
      const bytes = Buffer.alloc(TIMEOUT_BYTES + 2, '#');
      writeGrpcTimeout(bytes, 1, milliseconds);
      assert.match(bytes.toString('latin1'), /^#\d{8}[HMSmu]#$/);
      assert.equal(readGrpcTimeout(bytes, 1, TIMEOUT_BYTES + 1), read(encodeGrpcTimeout(milliseconds)));
    }),
  );
});
