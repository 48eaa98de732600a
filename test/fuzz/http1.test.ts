import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Draw } from '../draw.ts';
import { RequestOracle } from '../wire/http1/llhttp-oracle.ts';
import { findIn } from './http1/checks.ts';
import { corpus, finds } from './http1/corpus.ts';
import { mutated } from './http1/mutate.ts';
import { shrunk } from './http1/shrink.ts';

const oracle = new RequestOracle();

for (const { name, role, text } of finds()) {
  test(`found before: ${name}`, async () => {
    for (let seed = 0; seed < 20; seed += 1)
      assert.equal(await findIn(role, text, new Draw(seed), oracle), null);
  });
}

test('every message of the corpus is read alike, cut or whole, and written as it was read', async () => {
  for (const { name, role, text } of corpus())
    assert.equal(await findIn(role, text, new Draw(1), oracle), null, name);
});

test('ten thousand mutations of the corpus find nothing', async () => {
  const samples = corpus();
  const draw = new Draw(20261120);
  for (let count = 0; count < 10_000; count += 1) {
    const { role, text } = draw.of(samples);
    const others = samples.filter((sample) => sample.role === role).map((sample) => sample.text);
    const harmed = mutated(text, draw, others);
    assert.equal(await findIn(role, harmed, draw, oracle), null, JSON.stringify(harmed));
  }
});

test('a find is shrunk to what is needed for it', async () => {
  const text = `${'x'.repeat(300)}NEEDED${'y'.repeat(300)}ALSO${'z'.repeat(50)}`;
  assert.equal(
    await shrunk(text, async (part) => part.includes('NEEDED') && part.includes('ALSO')),
    'NEEDEDALSO',
  );
});
