import assert from 'node:assert/strict';
import {
  mkdirSync,
  mkdtempSync,
  renameSync,
  rmSync,
  symlinkSync,
  unlinkSync,
  watch,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { type Scan, scanDirectory } from '../../src/config/source/directory-scan.ts';
import { FileSource } from '../../src/config/source/file-source.ts';
import type { SourceChange } from '../../src/config/source/source.ts';

/** Collects changes; `until` resolves when the state that they add up to is as asked. */
class Watcher {
  readonly texts = new Map<string, string>();
  readonly seen: SourceChange[] = [];
  #wake: () => void = () => {};

  readonly take = (change: SourceChange): void => {
    this.seen.push(change);
    for (const item of change.upserts) if (item.type === 'text') this.texts.set(item.id, item.text);
    for (const id of change.removals) this.texts.delete(id);
    this.#wake();
  };

  async until(holds: (texts: ReadonlyMap<string, string>) => boolean): Promise<void> {
    while (!holds(this.texts)) await new Promise<void>((resolve) => (this.#wake = resolve));
  }
}

describe('FileSource', { timeout: 20_000 }, () => {
  let directory: string;
  let source: FileSource;
  let watcher: Watcher;
  const path = (name: string) => join(directory, name);
  const open = async (options = {}): Promise<void> => {
    source = new FileSource(directory, options);
    watcher = new Watcher();
    watcher.take(await source.start(watcher.take));
  };

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'novaedge-source-'));
  });
  afterEach(async () => {
    await source.stop();
    rmSync(directory, { recursive: true, force: true });
  });

  it('reads nested directories, both extensions, and nothing hidden or foreign', async () => {
    mkdirSync(path('a/b'), { recursive: true });
    mkdirSync(path('.git'));
    for (const name of [
      'one.yaml',
      'a/two.yml',
      'a/b/three.YAML',
      '.hidden.yaml',
      'notes.txt',
      'one.yaml~',
      '.git/x.yaml',
    ]) {
      writeFileSync(path(name), `${name}\n`);
    }
    await open();
    assert.deepEqual(
      [...watcher.texts.keys()].sort(),
      [path('a/b/three.YAML'), path('a/two.yml'), path('one.yaml')].sort(),
    );
  });

  for (const name of ['old.yaml', 'new.yaml']) {
    it(`sees a save of ${name} that comes while a rescan is under way, though the scan is older`, async () => {
      writeFileSync(path('old.yaml'), 'a: 1\n');
      const begun = Promise.withResolvers<void>();
      const finish = Promise.withResolvers<void>();
      let scans = 0;
      const scan = async (root: string): Promise<Scan> => {
        const older = scanDirectory(root);
        scans += 1;
        begun.resolve();
        // Only the first one ends: no later rescan can make up for what it loses.
        await (scans === 1 ? finish.promise : new Promise<void>(() => {}));
        return older;
      };
      await open({ rescan: 1, debounce: 100, scan });
      await begun.promise;
      const event = Promise.withResolvers<void>();
      const observer = watch(directory, () => event.resolve());
      writeFileSync(path(name), 'a: 2\n');
      await event.promise;
      observer.close();
      finish.resolve();
      await watcher.until((texts) => texts.get(path(name)) === 'a: 2\n');
    });
  }

  it('sees writes, new files, new directories and files moved in', async () => {
    writeFileSync(path('one.yaml'), 'a: 1\n');
    await open();
    writeFileSync(path('one.yaml'), 'a: 2\n');
    await watcher.until((texts) => texts.get(path('one.yaml')) === 'a: 2\n');
    mkdirSync(path('new'));
    writeFileSync(path('new/two.yaml'), 'b: 1\n');
    await watcher.until((texts) => texts.get(path('new/two.yaml')) === 'b: 1\n');
    writeFileSync(path('new/two.yaml'), 'b: 2\n');
    await watcher.until((texts) => texts.get(path('new/two.yaml')) === 'b: 2\n');
    writeFileSync(path('.one.swp'), 'a: 3\n');
    renameSync(path('.one.swp'), path('one.yaml'));
    await watcher.until((texts) => texts.get(path('one.yaml')) === 'a: 3\n');
  });

  it('tells nothing of a file whose text is the same', async () => {
    writeFileSync(path('one.yaml'), 'a: 1\n');
    writeFileSync(path('two.yaml'), 'a: 1\n');
    await open();
    writeFileSync(path('one.yaml'), 'a: 1\n');
    writeFileSync(path('two.yaml'), 'a: 2\n');
    await watcher.until((texts) => texts.get(path('two.yaml')) === 'a: 2\n');
    await source.reload();
    assert.deepEqual(
      watcher.seen.slice(1).flatMap((change) => change.upserts.map((item) => item.id)),
      [path('two.yaml')],
    );
  });

  it('does not take a truncated file at its word while it is being written', async () => {
    writeFileSync(path('one.yaml'), 'a: 1\nb: 1\n');
    // So long that only a finished write can be what is told.
    await open({ settle: 3_600_000 });
    writeFileSync(path('one.yaml'), '');
    writeFileSync(path('mark.yaml'), 'x: 1\n');
    await watcher.until((texts) => texts.has(path('mark.yaml')));
    assert.equal(watcher.texts.get(path('one.yaml')), 'a: 1\nb: 1\n');
    writeFileSync(path('one.yaml'), 'a: 2\nb');
    writeFileSync(path('mark.yaml'), 'x: 2\n');
    await watcher.until((texts) => texts.get(path('mark.yaml')) === 'x: 2\n');
    assert.equal(watcher.texts.get(path('one.yaml')), 'a: 1\nb: 1\n');
    writeFileSync(path('one.yaml'), 'a: 2\nb: 2\n');
    await watcher.until((texts) => texts.get(path('one.yaml')) === 'a: 2\nb: 2\n');
  });

  it('takes a file that stays empty or gone as what it is', async () => {
    writeFileSync(path('empty.yaml'), 'a: 1\n');
    writeFileSync(path('gone.yaml'), 'a: 1\n');
    await open({ settle: 20 });
    writeFileSync(path('empty.yaml'), '');
    unlinkSync(path('gone.yaml'));
    await watcher.until((texts) => texts.get(path('empty.yaml')) === '' && !texts.has(path('gone.yaml')));
  });

  it('does not tell of a file that is away for a moment of its saving', async () => {
    writeFileSync(path('one.yaml'), 'a: 1\n');
    await open({ settle: 3_600_000 });
    renameSync(path('one.yaml'), path('one.yaml~'));
    writeFileSync(path('mark.yaml'), 'x: 1\n');
    await watcher.until((texts) => texts.has(path('mark.yaml')));
    assert.ok(watcher.texts.has(path('one.yaml')));
    writeFileSync(path('one.yaml'), 'a: 2\n');
    await watcher.until((texts) => texts.get(path('one.yaml')) === 'a: 2\n');
    assert.deepEqual(
      watcher.seen.flatMap((change) => change.removals),
      [],
    );
  });

  it('follows a ConfigMap as a kubelet mounts and swaps it', async () => {
    const mount = (version: string, text: string): void => {
      mkdirSync(path(version));
      writeFileSync(path(`${version}/routes.yaml`), text);
      symlinkSync(version, path('..data_tmp'));
      renameSync(path('..data_tmp'), path('..data'));
    };
    mount('..2026_01_01', 'a: 1\n');
    symlinkSync('..data/routes.yaml', path('routes.yaml'));
    await open();
    assert.deepEqual([...watcher.texts], [[path('routes.yaml'), 'a: 1\n']]);
    mount('..2026_01_02', 'a: 2\n');
    await watcher.until((texts) => texts.get(path('routes.yaml')) === 'a: 2\n');
    assert.equal(watcher.texts.size, 1);
  });

  it('finds by looking what no event told', async () => {
    // Outside of the directory, so that changes cause no event in it.
    const outside = mkdtempSync(join(tmpdir(), 'novaedge-outside-'));
    writeFileSync(join(outside, 'real.yaml'), 'a: 1\n');
    symlinkSync(join(outside, 'real.yaml'), path('link.yaml'));
    await open({ rescan: 10 });
    writeFileSync(join(outside, 'real.yaml'), 'a: 22\n');
    const keepAlive = setInterval(() => {}, 1000);
    await watcher.until((texts) => texts.get(path('link.yaml')) === 'a: 22\n');
    clearInterval(keepAlive);
    rmSync(outside, { recursive: true });
  });

  it('keeps what it has when the whole directory goes', async () => {
    writeFileSync(path('one.yaml'), 'a: 1\n');
    await open({ settle: 0 });
    rmSync(directory, { recursive: true });
    await source.reload();
    assert.ok(watcher.texts.has(path('one.yaml')));
  });

  it('refuses to start where there is nothing', async () => {
    await open();
    await assert.rejects(
      new FileSource(path('nowhere')).start(() => {}),
      /ENOENT/,
    );
  });
});
