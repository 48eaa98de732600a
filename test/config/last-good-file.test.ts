import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { LastGoodFile } from '../../src/config/last-good-file.ts';

const objects = (count: number, mark: string) =>
  Array.from({ length: count }, (_, index) => ({
    file: `${index % 7}.yaml`,
    manifest: {
      kind: 'ProxyRoute',
      metadata: { name: `${mark}-${index}` },
      spec: { text: 'ä'.repeat(index % 50) },
    },
  }));

function place(t: TestContext): { directory: string; path: string } {
  const directory = mkdtempSync(join(tmpdir(), 'last-good-file-'));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  return { directory, path: join(directory, 'kept') };
}

test('written in turns it is the same file as written at once', async (t) => {
  const { directory, path } = place(t);
  for (const count of [0, 1, 127, 128, 5000]) {
    const kept = objects(count, 'same');
    new LastGoodFile(path).write(kept);
    const atOnce = readFileSync(path);
    rmSync(path);
    const file = new LastGoodFile(path);
    await file.writeInTurns(kept);
    assert.deepEqual(readFileSync(path), atOnce);
    assert.equal(new LastGoodFile(path).read().length, count);
    rmSync(path);
    // The content is known to stand there.
    await file.writeInTurns(kept);
    assert.deepEqual(readdirSync(directory), []);
  }
});

test('a write that begins later wins, and leaves nothing behind', async (t) => {
  const { directory, path } = place(t);
  const file = new LastGoodFile(path);
  const slow = file.writeInTurns(objects(5000, 'older'));
  file.write(objects(10, 'newer'));
  await slow;
  assert.deepEqual(
    new LastGoodFile(path)
      .read()
      .map(({ manifest }) => (manifest as { metadata: { name: string } }).metadata.name)
      .sort(),
    objects(10, 'newer')
      .map(({ manifest }) => manifest.metadata.name)
      .sort(),
  );
  assert.deepEqual(readdirSync(directory), ['kept']);
});
