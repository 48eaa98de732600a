import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { FrameBoundary } from '../../../src/wire/websocket/frame-boundary.ts';
import type { EncodeOptions, Frame } from '../../websocket/frame.ts';
import { CLOSE, CONTINUATION, encodeFrame, PING, TEXT } from '../../websocket/frame.ts';

interface Sent {
  readonly frame: Frame;
  readonly options: EncodeOptions;
}

const payload = fc.oneof(
  { weight: 8, arbitrary: fc.uint8Array({ maxLength: 140 }) },
  { weight: 1, arbitrary: fc.integer({ min: 65_530, max: 65_540 }).map((size) => new Uint8Array(size)) },
);

const sent: fc.Arbitrary<Sent> = fc
  .record({
    fin: fc.boolean(),
    rsv: fc.integer({ min: 0, max: 7 }),
    opcode: fc.integer({ min: 0, max: 15 }),
    mask: fc.option(fc.uint8Array({ minLength: 4, maxLength: 4 }).map((key) => Buffer.from(key))),
    payload: payload.map((bytes) => Buffer.from(bytes)),
    isLong: fc.boolean(),
  })
  .map(({ isLong, ...frame }) => ({ frame, options: isLong ? { lengthBits: 64 } : {} }));

const encode = ({ frame, options }: Sent): Buffer => encodeFrame(frame, options);

/** Cuts at the drawn places, which may be the same ones twice. */
function pieces(bytes: Buffer, cuts: readonly number[]): [number, number][] {
  const at = [...cuts.map((cut) => cut % (bytes.length + 1)), bytes.length].sort((a, b) => a - b);
  return at.map((end, index) => [index === 0 ? 0 : at[index - 1]!, end]);
}

test('wherever frames are cut: it stands at a boundary behind each of them and nowhere else', () => {
  fc.assert(
    fc.property(fc.array(sent, { maxLength: 8 }), fc.array(fc.nat(), { maxLength: 12 }), (frames, cuts) => {
      const encoded = frames.map(encode);
      const bytes = Buffer.concat(encoded);
      const ends = new Set([0]);
      let end = 0;
      for (const each of encoded) {
        end += each.length;
        ends.add(end);
      }
      const boundary = new FrameBoundary();
      for (const [from, to] of pieces(bytes, cuts)) {
        boundary.follow(bytes, from, to);
        assert.equal(boundary.isAt, ends.has(to), `at ${to} of ${[...ends]}`);
      }
      assert.equal(
        boundary.hasClosed,
        frames.some(({ frame }) => frame.opcode === CLOSE),
      );
      const data = frames.filter(({ frame }) => frame.opcode < 8);
      assert.equal(boundary.isFragmented, data.length > 0 && !data.at(-1)!.frame.fin);
    }),
  );
});

test('the end of the first frame that ends in each piece is told, and where none does, that', () => {
  fc.assert(
    fc.property(fc.array(sent, { maxLength: 6 }), fc.array(fc.nat(), { maxLength: 12 }), (frames, cuts) => {
      const encoded = frames.map(encode);
      const bytes = Buffer.concat(encoded);
      const ends: number[] = [];
      for (const each of encoded) ends.push((ends.at(-1) ?? 0) + each.length);
      const boundary = new FrameBoundary();
      for (const [from, to] of pieces(bytes, cuts)) {
        let at = from;
        for (;;) {
          const wanted = ends.find((end) => end > at && end <= to) ?? -1;
          assert.equal(boundary.followFrame(bytes, at, to), wanted);
          if (wanted === -1) break;
          at = wanted;
        }
      }
    }),
  );
});

test('every byte of every header may be the last of a read', () => {
  for (const mask of [null, Buffer.from([1, 2, 3, 4])])
    for (const lengthBits of [7, 16, 64] as const)
      for (const size of [0, 1, 5]) {
        const frame = { fin: true, rsv: 0, opcode: TEXT, mask, payload: Buffer.alloc(size) };
        const bytes = encodeFrame(frame, { lengthBits });
        const boundary = new FrameBoundary();
        for (let at = 0; at < bytes.length; at += 1) {
          boundary.follow(bytes, at, at + 1);
          assert.equal(boundary.isAt, at === bytes.length - 1, `${lengthBits} bits, ${at}`);
        }
      }
});

test('control frames between fragments leave the message in pieces', () => {
  const boundary = new FrameBoundary();
  const frame = (opcode: number, fin: boolean): void => {
    const bytes = encodeFrame({ fin, rsv: 0, opcode, mask: null, payload: Buffer.from('x') });
    boundary.follow(bytes, 0, bytes.length);
  };
  frame(TEXT, false);
  assert.equal(boundary.isFragmented, true);
  frame(PING, true);
  assert.equal(boundary.isFragmented, true);
  frame(CONTINUATION, false);
  frame(CONTINUATION, true);
  assert.equal(boundary.isFragmented, false);
});

test('behind a length that no frame may have, there is no boundary any more', () => {
  const boundary = new FrameBoundary();
  const bytes = encodeFrame(
    { fin: true, rsv: 0, opcode: TEXT, mask: null, payload: Buffer.alloc(0) },
    { length: 2n ** 63n, lengthBits: 64 },
  );
  boundary.follow(bytes, 0, bytes.length);
  const more = encodeFrame({ fin: true, rsv: 0, opcode: CLOSE, mask: null, payload: Buffer.alloc(0) });
  boundary.follow(more, 0, more.length);
  assert.deepEqual([boundary.isLost, boundary.isAt, boundary.hasClosed], [true, false, false]);
  assert.equal(boundary.followFrame(more, 0, more.length), -1);
});

test('a length of 2^62 is one, and its payload is not mistaken for frames', () => {
  const boundary = new FrameBoundary();
  const bytes = encodeFrame(
    { fin: true, rsv: 0, opcode: TEXT, mask: null, payload: Buffer.alloc(1000, 0x88) },
    { length: 2n ** 62n, lengthBits: 64 },
  );
  boundary.follow(bytes, 0, bytes.length);
  assert.deepEqual([boundary.isLost, boundary.isAt, boundary.hasClosed], [false, false, false]);
});
