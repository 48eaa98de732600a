import assert from 'node:assert/strict';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, before, beforeEach, describe, it } from 'node:test';
import { stringify } from 'yaml';
import { Configuration } from '../../src/config/configuration.ts';
import { FileSource } from '../../src/config/source/file-source.ts';
import { WatchedFiles } from '../../src/config/source/watched-files.ts';
import { type Certified, CHANNELS } from '../../src/model/channel.ts';
import type { ConfigurationBuild } from '../../src/model/configuration.ts';
import { type Issued, issue, tlsSecret } from './issued.ts';

const NAME = 'certificate/default/gw/https/../certs/tls.crt';

const MANIFEST = `apiVersion: novaedge.io/v1alpha1
kind: ProxyGateway
metadata: { name: gw }
spec:
  listeners:
    - name: https
      port: 443
      protocol: HTTPS
      tls:
        files: [{ certificate: ../certs/tls.crt, key: ../certs/tls.key }]
        clientCertificates: { caFile: ../certs/ca.crt }
---
apiVersion: novaedge.io/v1alpha1
kind: ProxyBackend
metadata: { name: db }
spec:
  endpoints: [{ address: 127.0.0.1, port: 1 }]
  tls: { caFile: ../certs/ca.crt }
`;

describe('files that objects name', () => {
  let directory: string;
  let configuration: Configuration;
  let first: Issued;
  let second: Issued;
  before(async () => {
    first = await issue({ names: ['a.test'] });
    second = await issue({ names: ['a.test'] });
  });
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'novaedge-watched-'));
    mkdirSync(join(directory, 'config'));
    mkdirSync(join(directory, 'certs'));
    writeFileSync(join(directory, 'config', 'gateway.yaml'), MANIFEST);
    configuration = new Configuration({
      source: new FileSource(join(directory, 'config')),
      files: new WatchedFiles({ debounce: 5 }),
    });
  });
  afterEach(async () => {
    await configuration.stop();
    rmSync(directory, { recursive: true, force: true });
  });

  const put = (file: string, text: string): void => writeFileSync(join(directory, 'certs', file), text);

  function key(build: ConfigurationBuild): string | undefined {
    const resource = build.resources.get(NAME);
    return resource?.kind === 'certificate' ? resource.value.privateKey : undefined;
  }

  /** The first build for which it holds, and all builds until then. */
  function until(holds: (build: ConfigurationBuild) => boolean): Promise<readonly ConfigurationBuild[]> {
    const seen: ConfigurationBuild[] = [];
    return new Promise((resolve) => {
      const stop = configuration.subscribe((build) => {
        seen.push(build);
        if (!holds(build)) return;
        stop();
        resolve(seen);
      });
    });
  }

  const changesOf = (builds: readonly ConfigurationBuild[]) =>
    builds.flatMap(({ changed, removed }) => [...changed, ...removed]);

  it('are read from where the manifest stands, and again when they change: nothing else does', async () => {
    put('tls.crt', first.certificate);
    put('tls.key', first.key);
    put('ca.crt', first.certificate);
    const build = await configuration.start();
    assert.deepEqual(build.problems, []);
    assert.equal(key(build), first.key);
    const cluster = build.resources.get('cluster/default/db');
    assert.equal(cluster?.kind === 'cluster' && cluster.value.tls?.ca, first.certificate);

    const replaced = until((each) => key(each) === second.key && each.problems.length === 0);
    put('tls.crt', second.certificate);
    put('tls.key', second.key);
    assert.deepEqual(changesOf(await replaced), [NAME]);

    const authorities = until(({ changed }) => changed.length > 0);
    put('ca.crt', second.certificate);
    assert.deepEqual(changesOf(await authorities), ['cluster/default/db', 'listener/default/gw/https']);
  });

  it('that go bad leave the last good certificate in use; that are not there yet come', async () => {
    const build = await configuration.start();
    assert.ok(!build.resources.has('listener/default/gw/https'), 'without authorities for its clients');
    assert.match(
      build.problems.map(({ message }) => message).join(),
      /certs\/tls\.crt there is no such file/,
    );

    const come = until((each) => key(each) === first.key && each.problems.length === 0);
    put('ca.crt', first.certificate);
    put('tls.key', first.key);
    put('tls.crt', first.certificate);
    await come;

    const torn = until(({ problems }) => problems.length > 0);
    put('tls.key', '');
    const [last] = (await torn).slice(-1);
    assert.equal(key(last!), first.key);
    assert.match(
      last!.problems[0]!.message,
      /tls\.key holds no private key in PEM; the one in use before serves on/,
    );
    assert.deepEqual(changesOf([last!]), []);
  });

  it('may be links into a directory that is replaced whole, as a kubelet does', async () => {
    for (const [place, issued] of [
      ['..1', first],
      ['..2', second],
    ] as const) {
      mkdirSync(join(directory, 'certs', place));
      put(`${place}/tls.crt`, issued.certificate);
      put(`${place}/tls.key`, issued.key);
    }
    put('ca.crt', first.certificate);
    symlinkSync('..1', join(directory, 'certs', '..data'));
    for (const file of ['tls.crt', 'tls.key']) symlinkSync(`..data/${file}`, join(directory, 'certs', file));
    assert.equal(key(await configuration.start()), first.key);
    const replaced = until((each) => key(each) === second.key);
    symlinkSync('..2', join(directory, 'certs', '..data.new'));
    renameSync(join(directory, 'certs', '..data.new'), join(directory, 'certs', '..data'));
    const builds = await replaced;
    assert.deepEqual(changesOf(builds), [NAME]);
    assert.deepEqual(
      builds.flatMap(({ problems }) => problems),
      [],
      'both files changed at once',
    );
  });

  it('are told of at once by a reload', async () => {
    put('tls.crt', first.certificate);
    put('tls.key', first.key);
    put('ca.crt', first.certificate);
    await configuration.start();
    put('tls.crt', second.certificate);
    put('tls.key', second.key);
    await configuration.reload();
    assert.equal(key(configuration.current()), second.key);
  });
});

describe('a Secret in a file', () => {
  it('is replaced, and its certificate is all that changes; its end is published', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'novaedge-rotated-'));
    const ends: Certified['certificates'][] = [];
    const listener = (message: unknown): void => void ends.push((message as Certified).certificates);
    subscribe(CHANNELS.certified, listener);
    const put = (issued: Issued): void =>
      writeFileSync(join(directory, 'secret.yaml'), stringify(tlsSecret('cert', issued)));
    writeFileSync(
      join(directory, 'gw.yaml'),
      MANIFEST.replace(/files: .*/, 'secretRef: { name: cert }')
        .replace(/\n *clientCertificates.*/, '')
        .replace(/\n *tls: { caFile.*/, ''),
    );
    const lives = [100, 200].map((days) => Math.floor(Date.now() / 1000 + days * 86_400) * 1000);
    const [old, young] = [
      await issue({ names: ['a.test'], notAfter: lives[0]! }),
      await issue({ names: ['a.test'], notAfter: lives[1]! }),
    ];
    put(old);
    const configuration = new Configuration({ source: new FileSource(directory) });
    const before = await configuration.start();
    assert.deepEqual(before.problems, []);
    const next = new Promise<ConfigurationBuild>((resolve) => configuration.subscribe(resolve));
    put(young);
    const after = await next;
    assert.deepEqual([after.changed, after.removed], [['certificate/default/cert'], []]);
    for (const [key, resource] of after.resources)
      assert.equal(resource === before.resources.get(key), key !== 'certificate/default/cert', key);
    unsubscribe(CHANNELS.certified, listener);
    assert.deepEqual(
      ends,
      lives.map((notAfter) => [{ name: 'default/cert', notAfter }]),
    );
    await configuration.stop();
    rmSync(directory, { recursive: true, force: true });
  });
});

describe('the time of certificates', () => {
  it('is waited for', async () => {
    const begin = Date.now() + 2000;
    const timed = await issue({ names: ['a.test'], notBefore: begin });
    const directory = mkdtempSync(join(tmpdir(), 'novaedge-timed-'));
    writeFileSync(
      join(directory, 'gw.yaml'),
      MANIFEST.replaceAll('../certs/', '').replace(/\n *clientCertificates.*/, ''),
    );
    writeFileSync(join(directory, 'tls.crt'), timed.certificate);
    writeFileSync(join(directory, 'tls.key'), timed.key);
    writeFileSync(join(directory, 'ca.crt'), timed.certificate);
    const configuration = new Configuration({
      source: new FileSource(join(directory, 'gw.yaml')),
      files: new WatchedFiles(),
    });
    const build = await configuration.start();
    assert.deepEqual(
      build.problems.map(({ reason }) => reason),
      ['CertificateNotYetValid'],
    );
    await new Promise<void>((resolve) =>
      configuration.subscribe(({ changed }) => changed.length > 0 && resolve()),
    );
    assert.deepEqual(configuration.current().problems, []);
    assert.ok(configuration.current().resources.has('certificate/default/gw/https/tls.crt'));
    await configuration.stop();
    rmSync(directory, { recursive: true, force: true });
  });
});
