import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Draw } from '../draw.ts';
import { findIn } from './hpack/checks.ts';
import { corpus, finds } from './hpack/corpus.ts';
import { mutated } from './hpack/mutate.ts';

for (const { name, text } of finds()) {
  test(`found before: ${name}`, () => assert.equal(findIn(text), null));
}

test('every block of the corpus is read alike, and as one head of HTTP/1 where it is in order', () => {
  for (const { name, text } of corpus()) assert.equal(findIn(text), null, name);
});

test('ten thousand mutations of the corpus find nothing', () => {
  const texts = corpus().map(({ text }) => text);
  const draw = new Draw(20261120);
  for (let count = 0; count < 10_000; count += 1) {
    const harmed = mutated(draw.of(texts), draw, texts);
    assert.equal(findIn(harmed), null, Buffer.from(harmed, 'latin1').toString('hex'));
  }
});
