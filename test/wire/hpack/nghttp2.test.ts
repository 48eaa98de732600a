import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { HpackDecoder } from '../../../src/wire/hpack/decoder.ts';
import { HpackEncoder } from '../../../src/wire/hpack/encoder.ts';
import { MessageWriter } from '../../../src/wire/http1/writer.ts';
import { lists } from './lists.ts';
import { type List, Nghttp2Decoder, Nghttp2Encoder } from './nghttp2.ts';
import { RecordingBlock } from './recording-block.ts';

const PSEUDO = [':method: GET', ':authority: a.example', ':scheme: http', ':path: /'];
const lines = (list: List): string[] => list.map(([name, value]) => `${name}: ${value}`);

test('what nghttp2 packs is unpacked, however large its table is from one block to the next', async () => {
  const steps = fc.array(
    fc.record({ list: lists, size: fc.option(fc.constantFrom(0, 60, 300, 4096), { freq: 3 }) }),
    { minLength: 1, maxLength: 8 },
  );
  await fc.assert(
    fc.asyncProperty(steps, async (blocks) => {
      const peer = new Nghttp2Encoder();
      const decoder = new HpackDecoder(4096);
      const block = new RecordingBlock();
      const take = (bytes: Buffer, list: List, sensitive: readonly string[]): void => {
        block.clear();
        assert.equal(decoder.decode(bytes, 0, bytes.length, block), true);
        assert.deepEqual(block.list, [...PSEUDO, ...lines(list)]);
        for (const [at, [name]] of list.entries())
          if (sensitive.includes(name)) assert.equal(block.never[at + PSEUDO.length], true, name);
      };
      try {
        for (const { list, size } of blocks) {
          if (size !== null) take(await peer.setTableSize(size), [], []);
          const sensitive = list.slice(0, 2).map(([name]) => name);
          take(await peer.encode(list, sensitive), list, sensitive);
          // Once more: now of the table.
          take(await peer.encode(list), list, []);
        }
      } finally {
        peer.close();
      }
    }),
    { numRuns: 60 },
  );
});

test('what we pack is unpacked by nghttp2, with any size of its table', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(lists, { minLength: 1, maxLength: 5 }),
      fc.constantFrom(0, 4096, 65_536),
      async (all, size) => {
        const peer = new Nghttp2Decoder(size);
        const encoder = new HpackEncoder();
        const writer = new MessageWriter(1 << 17);
        try {
          for (const list of all) {
            writer.length = 0;
            encoder.begin(writer);
            encoder.method(writer, Buffer.from('GET'), 0, 3);
            encoder.authority(writer, 'a.example');
            encoder.scheme(writer, false);
            encoder.pathText(writer, '/', '');
            for (const [name, value] of list) encoder.field(writer, name, value);
            const read = await peer.decode(Buffer.from(writer.written));
            assert.deepEqual(lines(read), [...PSEUDO, ...lines(list)]);
          }
        } finally {
          peer.close();
        }
      },
    ),
    { numRuns: 60 },
  );
});
