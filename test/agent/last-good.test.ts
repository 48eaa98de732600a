import assert from 'node:assert/strict';
import { hash } from 'node:crypto';
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { lastGoodFile } from '../../src/agent/last-good.ts';
import type { Resource } from '../../src/model/resource.ts';
import { resourceKey } from '../../src/model/resource.ts';
import { SnapshotDigest } from '../../src/wire/snapshot/digest.ts';
import { encodeResource } from '../../src/wire/snapshot/resource.ts';
import { encodeSnapshot } from '../../src/wire/snapshot/snapshot-message.ts';
import { byKey, largeSet } from '../wire/snapshot/resources.ts';

function setUp(t: TestContext) {
  const directory = mkdtempSync(join(tmpdir(), 'novaedge-last-good-'));
  t.after(() => rmSync(directory, { recursive: true }));
  return { directory, path: join(directory, 'last-good.snapshot'), file: lastGoodFile(directory) };
}

function snapshot(...names: string[]) {
  const list = names.map(
    (name): Resource => ({ kind: 'gateway', value: { name: `shop/${name}`, ingressClassName: '', vip: '' } }),
  );
  return versioned(byKey(list));
}

function versioned(resources: Map<string, Resource>) {
  const digest = new SnapshotDigest();
  for (const [key, resource] of resources) digest.set(key, encodeResource(resource));
  return { resources, version: digest.version() };
}

async function loaded(file: ReturnType<typeof lastGoodFile>) {
  const result = await file.load();
  assert.ok(result.ok, result.ok ? '' : result.reason);
  return { resources: byKey(result.resources), version: result.version };
}

async function refusal(file: ReturnType<typeof lastGoodFile>): Promise<string> {
  const result = await file.load();
  assert.ok(!result.ok);
  assert.equal(result.missing, false);
  return result.reason;
}

function withHeader(content: Uint8Array, format = '1'): Buffer {
  const header = `novaedge-snapshot ${format} ${content.length} ${hash('sha256', content, 'hex')}\n`;
  return Buffer.concat([Buffer.from(header), content]);
}

test('what was saved comes back; only the owner may read it; nothing is left beside it', async (t) => {
  const { directory, path, file } = setUp(t);
  assert.deepEqual(await file.load(), { ok: false, reason: `${path}: there is no such file`, missing: true });
  const one = snapshot('a', 'b');
  await file.save(one.resources, one.version);
  assert.deepEqual(await loaded(file), one);
  const two = snapshot('b', 'c');
  await file.save(two.resources, two.version);
  assert.deepEqual(await loaded(file), two);
  assert.deepEqual(readdirSync(directory).sort(), ['last-good.snapshot', 'last-good.snapshot.previous']);
  for (const name of readdirSync(directory))
    assert.equal(statSync(join(directory, name)).mode & 0o777, 0o600);
});

test('the directory is made, and an empty snapshot is one too', async (t) => {
  const { directory } = setUp(t);
  const file = lastGoodFile(join(directory, 'deep', 'er'));
  const none = snapshot();
  await file.save(none.resources, none.version);
  assert.deepEqual(await loaded(file), none);
});

test('a file cut at any length, or with any bit turned, is refused', async (t) => {
  const { path, file } = setUp(t);
  const one = snapshot('a');
  await file.save(one.resources, one.version);
  const whole = readFileSync(path);
  for (let length = 0; length < whole.length; length += 1) {
    writeFileSync(path, whole.subarray(0, length));
    assert.match(await refusal(file), /is torn|is not a snapshot file|is of format/);
  }
  for (let bit = 0; bit < whole.length * 8; bit += 1) {
    const damaged = Buffer.from(whole);
    damaged[bit >> 3]! ^= 1 << (bit & 7);
    writeFileSync(path, damaged);
    assert.match(
      await refusal(file),
      /last-good\.snapshot: (is torn|is damaged: its checksum|is not a snapshot file|is of format .*, this version reads format 1)/,
    );
  }
  writeFileSync(path, Buffer.concat([whole, Buffer.from('x')]));
  assert.match(await refusal(file), /is torn: \d+ bytes of content instead of \d+/);
  writeFileSync(path, withHeader(Buffer.alloc(0), '2'));
  assert.match(await refusal(file), /is of format 2, this version reads format 1/);
});

test('a file whose content does not give its version is refused, whatever its checksum', async (t) => {
  const { path, file } = setUp(t);
  const one = snapshot('a');
  const other = snapshot('evil');
  writeFileSync(path, withHeader(encodeSnapshot(other.resources, one.version)));
  assert.match(
    await refusal(file),
    /is forged: its content gives version [0-9a-f]{12}, but it names [0-9a-f]{12}/,
  );
  writeFileSync(path, withHeader(encodeSnapshot(other.resources, '')));
  assert.match(await refusal(file), /is forged: .* but it names none/);
  const twice = encodeSnapshot(one.resources, one.version);
  writeFileSync(path, withHeader(Buffer.concat([twice, twice])));
  assert.match(await refusal(file), /is forged: an object stands in it twice/);
  writeFileSync(path, withHeader(Buffer.from([0x2a, 0x7f, 1])));
  await refusal(file);
});

test('the file before serves where the newest is damaged or gone, and why is told', async (t) => {
  const { path, file } = setUp(t);
  const one = snapshot('a');
  const two = snapshot('b');
  await file.save(one.resources, one.version);
  await file.save(two.resources, two.version);
  writeFileSync(path, readFileSync(path).subarray(0, 100));
  assert.deepEqual(await loaded(file), one);
  const result = await file.load();
  assert.match((result.ok && result.fallback) || '', /last-good\.snapshot: is torn/);
  rmSync(path);
  assert.deepEqual(await loaded(file), one);
});

test('saves that come together end with the newest, and a failed one leaves what was there', async (t) => {
  const { directory, file } = setUp(t);
  const all = Array.from({ length: 20 }, (_, index) => snapshot(`round-${index}`));
  await Promise.all(all.map(({ resources, version }) => file.save(resources, version)));
  assert.deepEqual(await loaded(file), all.at(-1));

  if (process.getuid?.() === 0) {
    t.diagnostic('the system refuses root nothing: a directory in the way stands in for a full disk');
  }
  chmodSync(directory, 0o700);
  const blocked = lastGoodFile(join(directory, 'last-good.snapshot'));
  await assert.rejects(blocked.save(all[0]!.resources, all[0]!.version), { code: /ENOTDIR|EEXIST/ });
  assert.deepEqual(await loaded(file), all.at(-1));
});

test('10,000 routes and 50,000 endpoints', async (t) => {
  const { file, path } = setUp(t);
  const large = versioned(largeSet(10_000, 5));
  const started = performance.now();
  await file.save(large.resources, large.version);
  const saved = performance.now();
  const result = await file.load();
  const ended = performance.now();
  assert.ok(result.ok && result.version === large.version);
  assert.deepEqual(new Set(result.resources.map(resourceKey)), new Set(large.resources.keys()));
  t.diagnostic(
    `${statSync(path).size} bytes; save ${(saved - started).toFixed(0)} ms, load ${(ended - saved).toFixed(0)} ms`,
  );
});
