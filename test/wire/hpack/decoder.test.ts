import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { HTTP_DEFAULTS } from '../../../src/model/http-settings.ts';
import { HeaderBlock } from '../../../src/wire/h2/header-block.ts';
import { HpackDecoder } from '../../../src/wire/hpack/decoder.ts';
import { decodedLimit, decodeHuffman } from '../../../src/wire/hpack/huffman.ts';
import { literals } from '../h2/blocks.ts';
import { bitsToBytes, CODES, huffman, plain } from './huffman-code.ts';
import { operations, toBlock } from './operations.ts';
import { PlainDecoder } from './plain-decoder.ts';
import { RecordingBlock } from './recording-block.ts';

function decoded(bytes: Buffer): Buffer | null {
  const target = Buffer.alloc(decodedLimit(bytes.length));
  const end = decodeHuffman(bytes, 0, bytes.length, target, 0);
  return end < 0 ? null : target.subarray(0, end);
}

test('Huffman: what was coded comes back, every byte alone, beside every other, and any text', () => {
  for (let first = 0; first < 256; first += 1) {
    for (let second = 0; second < 256; second += 1) {
      const bytes = Buffer.of(first, second, first);
      assert.deepEqual(decoded(huffman(bytes)), bytes);
    }
  }
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
      assert.deepEqual(decoded(huffman(bytes)), Buffer.from(bytes));
    }),
  );
});

test('Huffman: any bytes are read as bit by bit', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
      assert.deepEqual(decoded(Buffer.from(bytes)), plain(bytes));
    }),
    { numRuns: 3000 },
  );
});

test('Huffman: EOS, padding of a byte and padding of zeros are refused', () => {
  for (let length = 0; length < 8; length += 1) {
    const text = 'a'.repeat(length);
    const bits = Array.from(Buffer.from(text), (byte) => CODES[byte]!).join('');
    assert.equal(decoded(bitsToBytes(bits + CODES[256]!)), null);
    assert.equal(decoded(Buffer.concat([bitsToBytes(bits), Buffer.of(255)])), null);
    if (bits.length % 8 !== 0) {
      const zeros = bits.padEnd(Math.ceil(bits.length / 8) * 8, '0');
      assert.deepEqual(decoded(bitsToBytes(zeros)), plain(bitsToBytes(zeros)));
    }
  }
});

test('any blocks, with any sizes of the table between them, give what a plain decoder gives', () => {
  fc.assert(
    fc.property(
      fc.array(operations, { minLength: 1, maxLength: 12 }),
      fc.constantFrom(0, 4096, 20_000),
      (steps, limit) => {
        const decoder = new HpackDecoder(limit);
        const reference = new PlainDecoder(limit);
        const block = new RecordingBlock();
        for (const step of steps) {
          const bytes = toBlock(step);
          block.clear();
          const done = decoder.decode(bytes, 0, bytes.length, block);
          const expected = reference.decode(bytes);
          assert.equal(done, expected !== null);
          if (expected === null) return;
          assert.deepEqual(block.list, expected);
        }
      },
    ),
    { numRuns: 400 },
  );
});

test('cut at any byte it is refused, or a beginning of the same list', () => {
  fc.assert(
    fc.property(operations, (step) => {
      const bytes = toBlock(step);
      const whole = new PlainDecoder(4096).decode(bytes);
      const block = new RecordingBlock();
      for (let end = 0; end < bytes.length; end += 1) {
        block.clear();
        const done = new HpackDecoder(4096).decode(bytes, 0, end, block);
        assert.equal(done, new PlainDecoder(4096).decode(bytes.subarray(0, end)) !== null);
        if (done && whole !== null) assert.deepEqual(block.list, whole.slice(0, block.list.length));
      }
    }),
  );
});

test('random bytes: read as by the plain decoder, never an exception, memory bounded', () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 200 }), { maxLength: 5 }), (blocks) => {
      const decoder = new HpackDecoder(4096);
      const reference = new PlainDecoder(4096);
      const recording = new RecordingBlock();
      const real = new HpackDecoder(4096);
      const block = new HeaderBlock();
      for (const each of blocks) {
        const bytes = Buffer.from(each);
        recording.clear();
        block.reset(HTTP_DEFAULTS);
        const expected = reference.decode(bytes);
        assert.equal(decoder.decode(bytes, 0, bytes.length, recording), expected !== null);
        assert.equal(real.decode(bytes, 0, bytes.length, block), expected !== null);
        block.conclude('request', true);
        if (expected === null) return;
        assert.deepEqual(recording.list, expected);
      }
    }),
    { numRuns: 3000 },
  );
});

const REFUSED: Readonly<Record<string, string>> = {
  'index 0': '80',
  'an index behind the tables': 'be',
  'a large index': 'ffffff7f',
  'an index without its end': 'ff80',
  'an integer of many bytes': 'ff8080808000',
  'an integer of any size': 'ffffffffffffffffff7f',
  'a literal with the name of no entry': '7e0161',
  'a literal without name': '40',
  'a literal without value': '400161',
  'a name that is longer than the block': '400561',
  'a value that is longer than the block': '40016105',
  'a string of 4 GB': '4001617fffffffff0f',
  'Huffman with EOS': '00016184ffffffff',
  'Huffman padded with a byte': '0001618207ff',
  'a size of the table after a field': '8220',
  'a size of the table beyond ours': '3fe21f',
};

for (const [name, hex] of Object.entries(REFUSED)) {
  test(`no HPACK: ${name}`, () => {
    const bytes = Buffer.from(hex, 'hex');
    assert.equal(new PlainDecoder(4096).decode(bytes), null);
    assert.equal(new HpackDecoder(4096).decode(bytes, 0, bytes.length, new HeaderBlock()), false);
  });
}

test('a smaller table of ours holds once the peer has acknowledged it, and its next block must begin with that', () => {
  const get = literals([':method: GET', 'x: y'], 64);
  for (const [size, taken] of [
    ['20', true],
    ['3f45', true],
    ['3fe11f', false],
    ['', false],
  ] as const) {
    const decoder = new HpackDecoder(100);
    assert.equal(decoder.decode(Buffer.from('3fe11f', 'hex'), 0, 3, new HeaderBlock()), true);
    assert.equal(decoder.decode(get, 0, get.length, new HeaderBlock()), true);
    decoder.settingsAcknowledged();
    const bytes = Buffer.concat([Buffer.from(size, 'hex'), get]);
    assert.equal(decoder.decode(bytes, 0, bytes.length, new HeaderBlock()), taken, size);
  }
});

test('sizes of the table: two before a block, as many as can tell something, and no third', () => {
  const get = literals([':method: GET'], 0);
  for (const [sizes, taken] of [
    ['203f45', true],
    ['20203f45', false],
  ] as const) {
    const bytes = Buffer.concat([Buffer.from(sizes, 'hex'), get]);
    assert.equal(new HpackDecoder(4096).decode(bytes, 0, bytes.length, new HeaderBlock()), taken);
  }
});

test('a head beyond its limit is worked through, so that the table stays in step', () => {
  const decoder = new HpackDecoder(4096);
  const block = new HeaderBlock();
  const large = literals([`x: ${'y'.repeat(4050)}`], 64);
  const head = Buffer.concat([large, Buffer.alloc(20, 0xbe), literals(['z: after'], 64)]);
  assert.equal(decoder.decode(head, 0, head.length, block), true);
  assert.equal(block.conclude('request', true), 'fields_too_large');
  assert.equal(block.listBytes, 21 * 4083 + 38);
  // The newest entry has pushed the large one out.
  block.reset(HTTP_DEFAULTS);
  assert.equal(decoder.decode(Buffer.of(0xbe), 0, 1, block), true);
  assert.equal(block.name(0), 'z');
  assert.equal(decoder.decode(Buffer.of(0xbf), 0, 1, block), false);
});

test('bombs: what unpacks to far more than the limit ends with it, whatever it is made of', () => {
  const { headerBytes } = HTTP_DEFAULTS.limits;
  const large = literals([`x: ${'y'.repeat(4050)}`], 64);
  const named = literals([`${'n'.repeat(4050)}: y`], 64);
  for (const bomb of [
    Buffer.concat([large, Buffer.alloc(60_000, 0xbe)]),
    Buffer.concat([named, ...Array.from({ length: 20_000 }, () => Buffer.of(0x7e, 0))]),
    Buffer.alloc(60_000, 0x90),
  ]) {
    const block = new HeaderBlock();
    assert.equal(new HpackDecoder(4096).decode(bomb, 0, bomb.length, block), false);
    assert.equal(block.isBomb, true);
    assert.ok(block.listBytes <= 4 * headerBytes + 4096 + 32, `${block.listBytes}`);
    assert.ok(block.bytes.length <= 2 * (headerBytes + 4096), `${block.bytes.length}`);
    block.trim();
    assert.ok(block.bytes.length <= 16_384);
  }
});
