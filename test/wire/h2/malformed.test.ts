import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HTTP_DEFAULTS } from '../../../src/model/http-settings.ts';
import { HeaderBlock } from '../../../src/wire/h2/header-block.ts';
import { HpackDecoder } from '../../../src/wire/hpack/decoder.ts';
import { FAULTS, MALFORMED_HTTP2 } from '../../../src/wire/http1/fault.ts';
import { listOf } from '../hpack/recording-block.ts';
import { literals, read } from './blocks.ts';
import { CASES } from './malformed-cases.ts';

for (const { name, role, lines, endStream, fault } of CASES) {
  test(`${role}: ${name}: ${fault ?? 'in order'}`, () => {
    for (const pattern of [0, 16, 64] as const) {
      const block = read(literals(lines, pattern), role, endStream);
      assert.equal(block.fault, fault);
      if (fault !== null) assert.ok(FAULTS[fault] >= 400);
    }
    // The same from the table of the decoder, where it was left by a block before; and the next one is read.
    const decoder = new HpackDecoder(4096);
    const block = new HeaderBlock();
    if (Buffer.byteLength(lines.join()) + lines.length * 40 > 4096 || lines.length === 0) return;
    read(literals(lines, 64), role, endStream, HTTP_DEFAULTS, decoder, block);
    const indices = Buffer.from(lines.map((_, at) => 128 | (62 + lines.length - 1 - at)));
    assert.equal(read(indices, role, endStream, HTTP_DEFAULTS, decoder, block).fault, fault);
    const good = [':method: GET', ':scheme: http', ':authority: g', ':path: /good', 'x: y'];
    read(literals(good), 'request', true, HTTP_DEFAULTS, decoder, block);
    assert.deepEqual([block.fault, listOf(block)], [null, ['x: y']]);
  });
}

test('at least 60 are refused, under names that are told apart, and every fault of HTTP/2 is there', () => {
  const refused = CASES.filter(({ fault }) => fault !== null);
  assert.ok(refused.length >= 60, `${refused.length}`);
  assert.equal(new Set(CASES.map(({ role, name }) => `${role} ${name}`)).size, CASES.length);
  const faults = new Set(refused.map(({ fault }) => fault as string));
  assert.deepEqual(
    Object.keys(MALFORMED_HTTP2).filter((fault) => !faults.has(fault)),
    [],
  );
});
