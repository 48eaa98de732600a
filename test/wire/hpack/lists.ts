import fc from 'fast-check';
import { STATIC, STATIC_COUNT } from '../../../src/wire/hpack/static-table.ts';

/** Fields that say something of the connection or may come once only, in nghttp2's eyes. */
const NOT_AMONG = new Set(['host', 'transfer-encoding', 'content-length', 'expect']);
const KNOWN = Array.from({ length: STATIC_COUNT }, (_, at) => {
  const start = STATIC.starts[at + 1]!;
  return STATIC.bytes.toString('latin1', start, start + STATIC.nameLengths[at + 1]!);
}).filter((name) => !name.startsWith(':') && !NOT_AMONG.has(name));

const TOKEN = [..."!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyz"];
const VISIBLE = Array.from({ length: 94 }, (_, at) => String.fromCharCode(33 + at));
const OBS_TEXT = Array.from({ length: 128 }, (_, at) => String.fromCharCode(128 + at));

const name = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom(...KNOWN) },
  // Begins so that it is none of those that HTTP/2 forbids.
  {
    weight: 2,
    arbitrary: fc
      .array(fc.constantFrom(...TOKEN), { maxLength: 160 })
      .map((letters) => `q${letters.join('')}`),
  },
  { weight: 1, arbitrary: fc.constantFrom('x-a', 'x-b') },
);
const letters = (maxLength: number) =>
  fc
    .array(
      fc.oneof(
        { weight: 10, arbitrary: fc.constantFrom(...VISIBLE) },
        { weight: 1, arbitrary: fc.constantFrom(' ', '\t', ...OBS_TEXT) },
      ),
      { maxLength },
    )
    .map((all) => all.join('').replaceAll(/^[ \t]+|[ \t]+$/g, ''));
const value = fc.oneof(
  { weight: 6, arbitrary: letters(60) },
  { weight: 1, arbitrary: letters(400) },
  {
    weight: 1,
    arbitrary: fc.constantFrom('', 'gzip, deflate', 'x'.repeat(127), 'y'.repeat(126), 'z'.repeat(5000)),
  },
);

/** Fields as a client may send them, names in lower case. */
export const lists = fc
  .array(fc.tuple(name, value), { maxLength: 20 })
  // node:http2 refuses many of those it knows where they come twice.
  .map((list) =>
    list.filter(([name], at) => name.startsWith('x-') || list.findIndex(([other]) => other === name) === at),
  );
