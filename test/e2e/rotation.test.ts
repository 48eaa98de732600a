import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, test } from 'node:test';
import { connect } from 'node:tls';
import { stringify } from 'yaml';
import { type Issued, issue, secretManifest, tlsSecret } from '../config/issued.ts';
import { needs } from '../needs.ts';
import {
  backend,
  backendManifest,
  curl,
  eventually,
  execute,
  freePort,
  novactl,
  routeManifest,
  type Standalone,
  standalone,
  temporaryDirectory,
} from './harness.ts';
import { assertHolds } from './key-pieces.ts';

const DAY = 86_400_000;
let root: Issued;
const leaf = (name: string, more: Partial<Parameters<typeof issue>[0]> = {}): Promise<Issued> =>
  issue({ names: [name], issuer: root, ...more });
const fingerprint = ({ certificate }: Issued): string => new X509Certificate(certificate).fingerprint256;

before(async () => {
  root = await issue({ authority: true, subject: 'rotation' });
});

/** The certificate that a client is shown who asks for this name; or why it is shown none. */
async function shown(port: number, servername: string): Promise<string> {
  const socket = connect({ host: '127.0.0.1', port, servername, rejectUnauthorized: false });
  try {
    await once(socket, 'secureConnect');
    return socket.getPeerX509Certificate()!.fingerprint256;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? '';
  } finally {
    socket.destroy();
  }
}

const gateway = (port: number, tls: object): string =>
  stringify({
    apiVersion: 'novaedge.io/v1alpha1',
    kind: 'ProxyGateway',
    metadata: { name: 'secured' },
    spec: { listeners: [{ name: 'https', port, protocol: 'HTTPS', tls }] },
  });

const problemsOf = async (
  system: Standalone,
): Promise<{ severity: string; reason: string; message: string }[]> => {
  const { stdout } = await novactl('problems', '--admin', system.admin, '-o', 'json');
  return (JSON.parse(stdout) as { items: { severity: string; reason: string; message: string }[] }).items;
};

test('a Secret is edited 50 times under load of h2load and curl: no request fails, no certificate is another one', {
  ...needs('h2load'),
}, async (t) => {
  const one = await backend(t, 'one');
  const port = await freePort();
  const versions = await Promise.all(Array.from({ length: 10 }, () => leaf('a.test')));
  const neighbour = await leaf('b.test');
  const system = await standalone(t, {
    'app.yaml': `${backendManifest('one', one.port)}---\n${routeManifest('app', '/', 'one')}`,
    'gateway-secured.yaml': gateway(port, { certificateRefs: [{ name: 'a' }, { name: 'b' }] }),
    'secret.yaml': stringify(tlsSecret('a', versions[0]!)),
    'neighbour.yaml': stringify(tlsSecret('b', neighbour)),
  });
  await eventually('the first', async () => (await shown(port, 'a.test')) === fingerprint(versions[0]!));
  const ca = join(temporaryDirectory(), 'ca.crt');
  writeFileSync(ca, root.certificate);

  let isOver = false;
  const runs: Record<string, number> = { h1: 0, h2: 0, curl: 0, b: 0 };
  const load = async (name: 'h1' | 'h2', words: readonly string[]): Promise<void> => {
    while (!isOver) {
      const { code, stdout } = await execute('h2load', [
        ...words,
        '-n',
        '200',
        '-c',
        '4',
        `--connect-to=127.0.0.1:${port}`,
        `https://a.test:${port}/`,
      ]);
      assert.equal(code, 0, stdout);
      assert.match(
        stdout,
        /requests: 200 total, 200 started, 200 done, 200 succeeded, 0 failed, 0 errored, 0 timeout/,
      );
      runs[name]! += 1;
    }
  };
  const verified = async (): Promise<void> => {
    while (!isOver) {
      const words = ['--cacert', ca, '--connect-to', `::127.0.0.1:${port}`, 'https://a.test/'];
      const { code, stdout, stderr } = await curl(...words);
      assert.equal(`${code} ${stdout}`, '0 one', stderr);
      runs.curl! += 1;
    }
  };
  const neighbours = async (): Promise<void> => {
    while (!isOver) {
      assert.equal(await shown(port, 'b.test'), fingerprint(neighbour));
      runs.b! += 1;
    }
  };
  const all = Promise.all([load('h1', ['--h1']), load('h2', ['-m', '4']), verified(), neighbours()]);
  // One that fails ends the others.
  all.catch(() => {
    isOver = true;
  });
  try {
    for (let edit = 1; edit <= 50 && !isOver; edit += 1) {
      const version = versions[edit % versions.length]!;
      system.write('secret.yaml', stringify(tlsSecret('a', version)));
      const allowed = [version, versions[(edit - 1) % versions.length]!].map(fingerprint);
      await eventually(`edit ${edit}`, async () => {
        const now = await shown(port, 'a.test');
        assert.ok(allowed.includes(now), `after edit ${edit}: ${now}`);
        return now === allowed[0];
      });
    }
  } finally {
    isOver = true;
  }
  await all;
  t.diagnostic(JSON.stringify(runs));
  for (const [name, count] of Object.entries(runs)) assert.ok(count > 0, name);
  const metrics = await (await fetch(`http://${system.admin}/metrics`)).text();
  assert.doesNotMatch(metrics, /^tls_handshake_failures\{.*reason="(?!closed)/m);
  assert.equal(await system.stop(), 0);
  assertHolds('output', system.output(), [root, neighbour, ...versions], false);
});

test('of many certificates the bad ones take only their own names out, each with its reason, and an end that nears is told', async (t) => {
  const one = await backend(t, 'one');
  const port = await freePort();
  const [good, stranger, soon, expired] = [
    await leaf('good.test'),
    await leaf('mismatched.test'),
    await leaf('soon.test', { notAfter: Date.now() + 10 * DAY }),
    await leaf('expired.test', { notBefore: Date.now() - 9 * DAY, notAfter: Date.now() - DAY }),
  ];
  const names = ['good', 'soon', 'missing', 'expired', 'mismatched', 'unreadable'];
  const system = await standalone(t, {
    'app.yaml': `${backendManifest('one', one.port)}---\n${routeManifest('app', '/', 'one')}`,
    'gateway-secured.yaml': gateway(port, { certificateRefs: names.map((name) => ({ name })) }),
    'secrets.yaml': [
      tlsSecret('good', good),
      tlsSecret('soon', soon),
      tlsSecret('expired', expired),
      secretManifest('mismatched', { 'tls.crt': stranger.certificate, 'tls.key': good.key }),
      secretManifest('unreadable', { 'tls.crt': '-----BEGIN CERTIFICATE-----\nno\n', 'tls.key': good.key }),
    ]
      .map((manifest) => stringify(manifest))
      .join('---\n'),
  });
  await eventually('the good one', async () => (await shown(port, 'good.test')) === fingerprint(good));
  assert.equal(await shown(port, 'soon.test'), fingerprint(soon));
  for (const name of ['missing', 'expired', 'mismatched', 'unreadable'])
    assert.equal(await shown(port, `${name}.test`), 'ERR_SSL_TLSV1_UNRECOGNIZED_NAME', name);

  const found = (await problemsOf(system)).map(({ severity, reason }) => `${severity} ${reason}`).sort();
  assert.deepEqual(found, [
    'unresolved CertificateExpired',
    'unresolved CertificateUnreadable',
    'unresolved KeyMismatch',
    'unresolved SecretNotFound',
    'warning CertificateExpiresSoon',
  ]);
  const { stdout: object } = await novactl(
    'get',
    'gateway',
    'secured',
    '-o',
    'yaml',
    '--admin',
    system.admin,
  );
  assert.match(object, /ResolvedRefs/);
  assert.match(object, /KeyMismatch|CertificateExpired|CertificateUnreadable|SecretNotFound/);
  const metrics = await (await fetch(`http://${system.admin}/metrics`)).text();
  for (const [name, { certificate }] of Object.entries({ good, soon, expired })) {
    const said = new RegExp(
      `^certificate_expiry_timestamp_seconds\\{.*certificate="default/${name}".*\\} (\\S+)`,
      'm',
    );
    const seconds = Date.parse(new X509Certificate(certificate).validTo) / 1000;
    assert.equal(Number(said.exec(metrics)?.[1]), seconds, name);
  }
  // Each heals when its Secret does.
  const healed = await leaf('mismatched.test');
  system.write('healed.yaml', stringify(tlsSecret('missing', await leaf('missing.test'))));
  await eventually(
    'the one that was missing',
    async () => !(await shown(port, 'missing.test')).startsWith('ERR'),
  );
  system.write(
    'secrets.yaml',
    [good, soon, expired, healed, stranger]
      .map((made, index) =>
        stringify(tlsSecret(['good', 'soon', 'expired', 'mismatched', 'unreadable'][index]!, made)),
      )
      .join('---\n'),
  );
  await eventually(
    'the one that did not match',
    async () => (await shown(port, 'mismatched.test')) === fingerprint(healed),
  );
  assert.equal(await shown(port, 'expired.test'), 'ERR_SSL_TLSV1_UNRECOGNIZED_NAME');
  assert.equal(await shown(port, 'good.test'), fingerprint(good));
  assert.equal(await system.stop(), 0);
  assertHolds('output', system.output(), [root, good, stranger, soon, expired, healed], false);
});

test('curl believes the OCSP answer that is stapled from a file, and its successor', {
  ...needs('openssl'),
}, async (t) => {
  const one = await backend(t, 'one');
  const port = await freePort();
  const made = await leaf('a.test');
  const directory = temporaryDirectory();
  const file = (name: string, text?: string): string => {
    const path = join(directory, name);
    if (text !== undefined) writeFileSync(path, text);
    return path;
  };
  const [ca, caKey] = [file('ca.crt', root.certificate), file('ca.key', root.key)];
  const certificate = file('leaf.crt', made.certificate);
  /** What the authority says of it: V is good, R revoked. */
  const staple = async (state: 'V' | 'R'): Promise<Buffer> => {
    const serial = new X509Certificate(made.certificate).serialNumber;
    const index = file(
      `index-${state}.txt`,
      `${state}\t400101000000Z\t${state === 'R' ? '200101000000Z' : ''}\t${serial}\tunknown\t/CN=a\n`,
    );
    const words = [
      '-index',
      index,
      '-CA',
      ca,
      '-rsigner',
      ca,
      '-rkey',
      caKey,
      '-issuer',
      ca,
      '-cert',
      certificate,
    ];
    const response = file(`${state}.ocsp`);
    const { code, stderr } = await execute('openssl', [
      'ocsp',
      ...words,
      '-respout',
      response,
      '-ndays',
      '1',
      '-noverify',
    ]);
    assert.equal(code, 0, stderr);
    return readFileSync(response);
  };
  const [good, revoked] = [await staple('V'), await staple('R')];
  const system = await standalone(t, {
    'app.yaml': `${backendManifest('one', one.port)}---\n${routeManifest('app', '/', 'one')}`,
    'gateway-secured.yaml': gateway(port, {
      files: [{ certificate: 'leaf.crt', key: 'leaf.key', ocspStaple: 'leaf.ocsp' }],
    }),
    // curl finds the authority of the staple in what it is shown, not in what it trusts.
    'leaf.crt': made.certificate + root.certificate,
    'leaf.key': made.key,
  });
  // Without a file of it nothing is stapled, and the certificate serves all the same.
  const status = async (): Promise<string> => {
    const words = [
      's_client',
      '-connect',
      `127.0.0.1:${port}`,
      '-servername',
      'a.test',
      '-status',
      '-CAfile',
      ca,
    ];
    const { stdout } = await execute('openssl', words);
    return /no response sent|Cert Status: \w+/.exec(stdout)?.[0] ?? stdout;
  };
  await eventually('no staple', async () => (await status()) === 'no response sent');
  const curled = (): ReturnType<typeof curl> =>
    curl('--cert-status', '--cacert', ca, '--connect-to', `::127.0.0.1:${port}`, 'https://a.test/');
  // 91: the staple is missing or says something else than good.
  assert.equal((await curled()).code, 91);
  writeFileSync(join(system.config, 'leaf.ocsp'), good);
  await eventually('the staple', async () => (await status()) === 'Cert Status: good');
  assert.deepEqual(await curled(), { code: 0, stdout: 'one', stderr: '' });
  writeFileSync(join(system.config, 'leaf.ocsp'), revoked);
  await eventually('its successor', async () => (await status()) === 'Cert Status: revoked');
  assert.equal((await curled()).code, 91);
  rmSync(join(system.config, 'leaf.ocsp'));
  writeFileSync(join(system.config, 'leaf.ocsp'), 'nothing that one could read');
  await eventually('the warning', async () =>
    (await problemsOf(system)).some(({ reason }) => reason === 'StapleUnusable'),
  );
  assert.equal(
    (await curl('--cacert', ca, '--connect-to', `::127.0.0.1:${port}`, 'https://a.test/')).stdout,
    'one',
  );
  assert.equal(await system.stop(), 0);
});
