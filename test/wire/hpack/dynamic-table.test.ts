import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  DynamicTable,
  ENTRY_KIND,
  ENTRY_NAME_LENGTH,
  ENTRY_OVERHEAD,
  ENTRY_VALUE_LENGTH,
} from '../../../src/wire/hpack/dynamic-table.ts';
import { Draw } from '../../draw.ts';

test('thousands of entries of any length, sizes that change: what is in it is what an array has', () => {
  for (let seed = 0; seed < 60; seed += 1) {
    const draw = new Draw(seed);
    const capacity = draw.of([60, 200, 1024, 1500, 4096]);
    const table = new DynamicTable(capacity);
    let model: { line: string; kind: number }[] = [];
    // It begins small, so that its memory has been gone round before it grows.
    let size = Math.min(capacity, 100 + draw.below(600));
    table.resize(size);
    const used = (): number => model.reduce((sum, { line }) => sum + line.length - 4 + ENTRY_OVERHEAD, 0);
    for (let step = 0; step < 300; step += 1) {
      if (draw.below(60) === 0) {
        size = draw.below(3) === 0 ? capacity : draw.below(capacity + 1);
        table.resize(size);
      } else {
        const longest = draw.below(25) === 0 ? capacity : 60;
        const name = String.fromCharCode(97 + draw.below(26)).repeat(1 + draw.below(8));
        const value = String.fromCharCode(97 + draw.below(26)).repeat(draw.below(longest));
        const line = `${name}: ${value}\r\n`;
        const kind = draw.below(256);
        table.insert(Buffer.from(`..${line}`), 2, name.length, value.length, kind);
        model.unshift({ line, kind });
      }
      while (used() > size) model = model.slice(0, -1);
      // One that is too large alone has pushed all others out before it.
      if (model.length === 0) assert.equal(table.count, 0);
      assert.equal(table.count, model.length);
      for (const [index, { line, kind }] of model.entries()) {
        const slot = table.slot(index);
        const start = table.entries[slot]!;
        const length =
          table.entries[slot + ENTRY_NAME_LENGTH]! + table.entries[slot + ENTRY_VALUE_LENGTH]! + 4;
        assert.equal(table.bytes.toString('latin1', start, start + length), line);
        assert.equal(table.entries[slot + ENTRY_KIND], kind);
      }
      assert.ok(table.bytes.length <= Math.max(1024, 2 * capacity));
    }
  }
});
