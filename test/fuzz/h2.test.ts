import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Draw } from '../draw.ts';
import { findIn } from './h2/checks.ts';
import { drawnFrames } from './h2/frame-draw.ts';
import { finds } from './h2/fuzz.ts';

const COUNT = 5000;

for (const { name, role, bytes } of finds()) {
  test(`found before: ${name}`, () => {
    for (let seed = 0; seed < 20; seed += 1) assert.equal(findIn(role, bytes, new Draw(seed)), null);
  });
}

for (const role of ['server', 'client'] as const) {
  test(`drawn frames harm no ${role}, and are heard alike however they are cut`, () => {
    const draw = new Draw(20261120);
    for (let count = 0; count < COUNT; count += 1) {
      const bytes = drawnFrames(draw, role);
      assert.equal(findIn(role, bytes, draw), null, bytes.toString('hex'));
    }
  });
}
