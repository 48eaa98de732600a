import assert from 'node:assert/strict';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { Configuration } from '../../src/config/configuration.ts';
import { worthPooling } from '../../src/config/parse/parse-pool.ts';
import { formatProblem } from '../../src/config/problem-text.ts';
import { FileSource } from '../../src/config/source/file-source.ts';
import type { Source, SourceChange, SourceItem } from '../../src/config/source/source.ts';
import { CHANNELS, type Watched } from '../../src/model/channel.ts';
import type { ConfigurationBuild } from '../../src/model/configuration.ts';

const backend = (port: number | string) => `apiVersion: novaedge.io/v1alpha1
kind: ProxyBackend
metadata: { name: api }
spec: { endpoints: [{ address: 127.0.0.1, port: ${port} }] }
`;
const secret = (value: string) => `apiVersion: v1
kind: Secret
metadata:
  name: cert
  annotations: { kubectl.kubernetes.io/last-applied-configuration: '{"data":{"tls.key":"${value}"}}' }
stringData: { tls.key: ${value} }
data: ${value}
`;

/** A source that is told what to tell. */
class ScriptedSource implements Source {
  tell: (change: SourceChange) => void = () => {};
  readonly first: SourceItem[];
  constructor(first: Record<string, string>) {
    this.first = Object.entries(first).map(([id, text]) => ({ type: 'text', id, text }));
  }
  async start(listener: (change: SourceChange) => void): Promise<SourceChange> {
    this.tell = listener;
    return { upserts: this.first, removals: [] };
  }
  async reload(): Promise<void> {}
  async stop(): Promise<void> {}
}

const write = (id: string, text: string): SourceChange => ({
  upserts: [{ type: 'text', id, text }],
  removals: [],
});

describe('Configuration', () => {
  let directory: string;
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'novaedge-configuration-'));
  });
  afterEach(() => rmSync(directory, { recursive: true, force: true }));

  async function run(
    files: Record<string, string>,
    kept?: string,
  ): Promise<{ configuration: Configuration; source: ScriptedSource; build: ConfigurationBuild }> {
    const source = new ScriptedSource(files);
    const configuration = new Configuration({
      source,
      now: () => 0,
      ...(kept === undefined ? {} : { lastGoodFile: kept }),
    });
    return { configuration, source, build: await configuration.start() };
  }

  it('tells subscribers of builds that differ, and of no others', async () => {
    const { configuration, source, build } = await run({ 'a.yaml': backend(1) });
    const builds: ConfigurationBuild[] = [];
    const unsubscribe = configuration.subscribe((one) => builds.push(one));
    source.tell(write('a.yaml', `# a comment\n${backend(1)}`));
    assert.equal(configuration.current().resources, build.resources);
    source.tell(write('a.yaml', backend(2)));
    assert.deepEqual(builds.at(-1)?.changed, ['endpoint/default/api/127.0.0.1:2']);
    assert.equal(
      builds.at(-1)?.resources.get('cluster/default/api'),
      build.resources.get('cluster/default/api'),
    );
    assert.equal(
      build.resources.has('endpoint/default/api/127.0.0.1:2'),
      false,
      'an earlier build stays as it was',
    );
    unsubscribe();
    const count = builds.length;
    source.tell(write('a.yaml', backend(3)));
    assert.equal(builds.length, count);
    await configuration.stop();
  });

  it('keeps last good objects over a restart, also where the file is no YAML any more', async () => {
    const kept = join(directory, 'last-good');
    const first = await run(
      { 'a.yaml': backend(1), 'b.yaml': backend(7).replace('name: api', 'name: other') },
      kept,
    );
    await first.configuration.stop();
    for (const broken of [backend('no'), 'a: [\n', backend(1).replace('ProxyBackend', 'ProxyBackendd')]) {
      const { build, configuration } = await run({ 'a.yaml': broken }, kept);
      assert.deepEqual([...build.resources.keys()].sort(), [
        'cluster/default/api',
        'endpoint/default/api/127.0.0.1:1',
      ]);
      assert.equal(build.problems.length, 1);
      assert.match(
        formatProblem(build.problems[0]!),
        /^a\.yaml:\d+: ProxyBackend default\/api: .*; the last good version serves on$/,
      );
      await configuration.stop();
    }
    // What is gone is forgotten: the first restart above had no b.yaml.
    assert.doesNotMatch(readFileSync(kept, 'utf8'), /other/);
    const gone = await run({}, kept);
    assert.equal(gone.build.resources.size, 0);
    await gone.configuration.stop();
  });

  it('writes last good objects at once when they are all there is, not only at the end', async () => {
    const kept = join(directory, 'last-good');
    const { source } = await run({ 'a.yaml': backend(1) }, kept);
    source.tell(write('a.yaml', backend('no')));
    // No stop: as after a crash.
    const { build, configuration } = await run({ 'a.yaml': backend('no') }, kept);
    assert.ok(build.resources.has('endpoint/default/api/127.0.0.1:1'));
    await configuration.stop();
  });

  it('refuses a torn file of last good objects, and says so', async () => {
    const kept = join(directory, 'last-good');
    const { configuration } = await run({ 'a.yaml': backend(1) }, kept);
    await configuration.stop();
    const content = readFileSync(kept, 'utf8');
    for (const torn of [content.slice(0, -10), content.replace('127.0.0.1', '127.0.0.9'), 'nonsense', '']) {
      writeFileSync(kept, torn);
      const { build, configuration: again } = await run({ 'a.yaml': backend('no') }, kept);
      assert.equal(build.resources.size, 0);
      assert.ok(
        build.problems.some((problem) => problem.reason === 'LastGoodUnusable' && problem.file === kept),
      );
      await again.stop();
    }
  });

  it('shows nothing of a Secret, anywhere', async () => {
    const kept = join(directory, 'last-good');
    const { build, configuration } = await run(
      { 'a.yaml': secret('hunter2').replace('data: hunter2\n', ''), 'b.yaml': secret('hunter2') },
      kept,
    );
    await configuration.stop();
    const shown = JSON.stringify([build.objects, build.problems, [...build.resources]]);
    assert.match(shown, /<redacted>/);
    assert.doesNotMatch(shown, /hunter2/);
    assert.doesNotMatch(readFileSync(kept, 'utf8'), /hunter2/);
  });

  it('publishes what it saw', async () => {
    const seen: Watched[] = [];
    const listener = (message: unknown): number => seen.push(message as Watched);
    const { configuration, source } = await run({ 'a.yaml': backend(1) });
    subscribe(CHANNELS.watched, listener);
    source.tell(write('a.yaml', backend(2)));
    source.tell(write('a.yaml', backend('no')));
    source.tell({ upserts: [], removals: ['a.yaml'] });
    source.tell(write('a.yaml', backend(3)));
    unsubscribe(CHANNELS.watched, listener);
    assert.deepEqual(
      seen.map((message) => message.change),
      ['modified', 'failed', 'deleted', 'added'],
    );
    await configuration.stop();
  });

  it('parses much at once on threads, with the same result', async () => {
    const many = Array.from({ length: 3000 }, (_, index) =>
      backend(1).replace('name: api', `name: api-${index}`),
    ).join('---\n');
    const padded = many.replaceAll('spec:', `# ${'x'.repeat(200)}\nspec:`);
    assert.deepEqual([worthPooling([many]), worthPooling(padded.split('---\n'))], [false, true]);
    const [plain, threads] = [await run({ 'a.yaml': many }), await run({ 'a.yaml': padded })];
    assert.deepEqual([...threads.build.resources], [...plain.build.resources]);
    assert.equal(threads.build.objects.length, 3000);
    await plain.configuration.stop();
    await threads.configuration.stop();
  });

  it('works from a directory', { timeout: 20_000 }, async () => {
    writeFileSync(join(directory, 'a.yaml'), backend(1));
    const configuration = new Configuration({ source: new FileSource(directory) });
    const build = await configuration.start();
    assert.ok(build.resources.has('endpoint/default/api/127.0.0.1:1'));
    const next = new Promise<ConfigurationBuild>((resolve) => configuration.subscribe(resolve));
    writeFileSync(join(directory, 'a.yaml'), backend(2));
    assert.deepEqual((await next).removed, ['endpoint/default/api/127.0.0.1:1']);
    await configuration.stop();
  });
});
