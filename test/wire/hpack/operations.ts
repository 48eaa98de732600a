import fc from 'fast-check';
import { huffman } from './huffman-code.ts';

type Text = { readonly bytes: Uint8Array; readonly coded: boolean };

/** What an encoder may write, of any wit: also indices that lead nowhere, and sizes that are too large. */
export type Operation =
  | { readonly type: 'size'; readonly size: number }
  | { readonly type: 'indexed'; readonly index: number }
  | {
      readonly type: 'literal';
      readonly pattern: 0 | 16 | 64;
      readonly name: Text | number;
      readonly value: Text;
    };

const text = (maxLength: number): fc.Arbitrary<Text> =>
  fc.record({ bytes: fc.uint8Array({ minLength: 1, maxLength }), coded: fc.boolean() });
const index = fc.oneof(
  { weight: 8, arbitrary: fc.integer({ min: 1, max: 61 }) },
  { weight: 8, arbitrary: fc.integer({ min: 62, max: 66 }) },
  { weight: 1, arbitrary: fc.integer({ min: 62, max: 200 }) },
);
const value = fc.oneof(
  { weight: 6, arbitrary: text(40) },
  { weight: 2, arbitrary: text(700) },
  {
    weight: 1,
    arbitrary: fc.record({ bytes: fc.constant(new Uint8Array(4100).fill(97)), coded: fc.boolean() }),
  },
);
const literal = fc.record({
  type: fc.constant('literal' as const),
  pattern: fc.constantFrom(0 as const, 16 as const, 64 as const, 64 as const, 64 as const),
  name: fc.oneof<fc.Arbitrary<Text | number>[]>(text(30), index),
  value,
});
const size = fc.record({
  type: fc.constant('size' as const),
  size: fc.oneof(fc.integer({ min: 0, max: 4096 }), fc.constantFrom(0, 4096, 4097, 20_000)),
});
const field = fc.oneof(
  { weight: 1, arbitrary: fc.record({ type: fc.constant('indexed' as const), index }) },
  { weight: 3, arbitrary: literal },
);

/** One block: sizes first, mostly none. */
export const operations: fc.Arbitrary<readonly Operation[]> = fc
  .tuple(
    fc.oneof(
      { weight: 3, arbitrary: fc.constant([]) },
      { weight: 1, arbitrary: fc.array(size, { maxLength: 2 }) },
    ),
    fc.array(field, { maxLength: 25 }),
  )
  .map(([sizes, fields]) => [...sizes, ...fields]);

function integer(pattern: number, bits: number, value: number): Buffer {
  const most = 2 ** bits - 1;
  if (value < most) return Buffer.of(pattern | value);
  const bytes = [pattern | most];
  let rest = value - most;
  for (; rest >= 128; rest = Math.floor(rest / 128)) bytes.push(128 | (rest & 127));
  return Buffer.of(...bytes, rest);
}

function string({ bytes, coded }: Text): Buffer {
  const payload = coded ? huffman(bytes) : Buffer.from(bytes);
  return Buffer.concat([integer(coded ? 128 : 0, 7, payload.length), payload]);
}

export function toBlock(steps: readonly Operation[]): Buffer {
  return Buffer.concat(
    steps.map((step) => {
      if (step.type === 'size') return integer(32, 5, step.size);
      if (step.type === 'indexed') return integer(128, 7, step.index);
      const bits = step.pattern === 64 ? 6 : 4;
      return typeof step.name === 'number'
        ? Buffer.concat([integer(step.pattern, bits, step.name), string(step.value)])
        : Buffer.concat([integer(step.pattern, bits, 0), string(step.name), string(step.value)]);
    }),
  );
}
