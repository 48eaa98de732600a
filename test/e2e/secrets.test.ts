import assert from 'node:assert/strict';
import { globSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { stringify } from 'yaml';
import { issue, secretManifest, tlsSecret } from '../config/issued.ts';
import { backend, backendManifest, eventually, novactl, routeManifest, standaloneIn } from './harness.ts';
import { assertHolds } from './key-pieces.ts';

const PRELOAD = fileURLToPath(new URL('./faults/poison-preload.ts', import.meta.url));
const poisonable = { ...process.env, NODE_OPTIONS: `--import=${PRELOAD}` };

test('pieces of a key are found in whatever form it stands', async () => {
  for (const wish of [{}, { rsaBits: 2048 }]) {
    const made = await issue(wish);
    const other = await issue(wish);
    const secret = tlsSecret('x', made);
    for (const text of [
      made.key,
      JSON.stringify({ made }),
      JSON.stringify(secret),
      stringify(secret),
      Buffer.from(made.key.split('\n').slice(1, -2).join(''), 'base64').toString('latin1'),
    ]) {
      assertHolds('the text', text, [made], true);
      assertHolds('the text', text, [other], false);
    }
  }
});

test('a key shows nowhere but in the last good snapshot, whatever happens to it', async (t) => {
  const one = await backend(t, 'one');
  const [ec, rsa, filed, shown, strange, wrong] = [
    await issue({ names: ['a.test'] }),
    await issue({ names: ['b.test'], rsaBits: 2048 }),
    await issue({ names: ['c.test'] }),
    await issue({ names: ['client.test'], rsaBits: 2048 }),
    await issue({ names: ['d.test'] }),
    await issue({ names: ['e.test'], rsaBits: 2048 }),
  ];
  const keys = [ec, rsa, filed, shown, strange, wrong];
  const gateway = (names: readonly string[], more = {}) =>
    stringify({
      apiVersion: 'novaedge.io/v1alpha1',
      kind: 'ProxyGateway',
      metadata: { name: 'secured' },
      spec: {
        listeners: [
          {
            name: 'https',
            port: 20_443,
            protocol: 'HTTPS',
            tls: {
              certificateRefs: names.map((name) => ({ name })),
              files: [{ certificate: 'filed.crt', key: 'filed.key' }],
              ...more,
            },
          },
        ],
      },
    });
  const client = stringify({
    apiVersion: 'novaedge.io/v1alpha1',
    kind: 'ProxyBackend',
    metadata: { name: 'client' },
    spec: {
      endpoints: [{ address: '127.0.0.1', port: one.port }],
      tls: { insecureSkipVerify: true, clientCertificateRef: { name: 'shown' } },
    },
  });
  const system = await standaloneIn(t, poisonable, {
    'app.yaml': `${backendManifest('one', one.port)}---\n${routeManifest('app', '/', 'one')}`,
    'filed.crt': filed.certificate,
    'filed.key': filed.key,
    'secured.yaml': [
      gateway(['ec', 'rsa']),
      stringify(tlsSecret('ec', ec)),
      stringify({
        ...secretManifest('rsa', {}),
        stringData: { 'tls.crt': rsa.certificate, 'tls.key': rsa.key },
      }),
      stringify(tlsSecret('shown', shown)),
      client,
    ].join('---\n'),
  });

  const lastGood = join(system.data, 'last-good.snapshot');
  const saved = (): string =>
    readFileSync(globSync(`${system.data}/**/last-good.snapshot`)[0] ?? lastGood, 'latin1');
  const inspect = async (when: string, expected: RegExp, thoroughly = false): Promise<void> => {
    await eventually(when, async () => {
      const { problems } = (await (
        await fetch(`http://${system.admin}/api/v1/problems`)
      ).json()) as object & {
        problems: unknown;
      };
      return expected.test(JSON.stringify(problems));
    });
    // What the server itself says it answers, so that a later answer is not forgotten here.
    const index = await (await fetch(`http://${system.admin}/`)).text();
    const endpoints = [...index.matchAll(/^\s*(\/[a-z0-9_/]+)(?=\s)/gm)].map(([, path]) => path!);
    assert.ok(endpoints.includes('/config_dump'), index);
    const places: [string, string][] = [[`${when}: output`, system.output()]];
    for (const path of [...new Set([...ENDPOINTS, ...endpoints])].filter((each) => !each.includes('KIND')))
      places.push([`${when}: ${path}`, await (await fetch(`http://${system.admin}${path}`)).text()]);
    const commands = COMMANDS.map((words) => [...words.split(' '), '--admin', system.admin]);
    const offline = [
      ['validate', '-o', 'json', system.config],
      ['replay', system.data],
      ['explain', 'certificate/default/ec', system.data],
      ['explain', 'listener/default/secured/https', system.data],
    ];
    for (const words of thoroughly ? [...commands, ...offline] : [['validate', system.config]]) {
      const { stdout, stderr } = await novactl(...words);
      places.push([`${when}: novactl ${words.join(' ')}`, stdout + stderr]);
    }
    for (const file of globSync('**/*', { cwd: system.data })) {
      const path = join(system.data, file);
      if (!statSync(path).isFile()) continue;
      if (/last-good\.snapshot/.test(file)) {
        assert.equal(statSync(path).mode & 0o777, 0o600, `${file} is for its owner alone`);
        continue;
      }
      places.push([`${when}: ${file}`, readFileSync(path, 'latin1')]);
    }
    for (const [place, text] of places) assertHolds(place, text, keys, false);
    assert.ok(
      places.some(([place]) => place.includes('journal')),
      'there is a journal',
    );
  };

  await inspect('all well', /./s, true);
  const dump = await (await fetch(`http://${system.admin}/config_dump`)).text();
  assert.match(dump, /certificate/);
  assert.match(dump, /"privateKey":"<redacted>"/);
  await eventually('the last good snapshot', () => {
    try {
      for (const key of [ec, rsa, filed, shown]) assertHolds('last good', saved(), [key], true);
      return true;
    } catch {
      return false;
    }
  });

  // A key of another, and a file's key that is cut.
  system.write(
    'wrong.yaml',
    [
      gateway(['ec', 'rsa', 'mismatched', 'poison-throw-commit'])
        .replace('secured', 'more')
        .replace('20443', '20444'),
      stringify(secretManifest('mismatched', { 'tls.crt': ec.certificate, 'tls.key': strange.key })),
    ].join('---\n'),
  );
  await inspect('a mismatched key', /KeyMismatch/);
  system.write('filed.key', filed.key.slice(0, -60));
  await inspect('a cut key', /filed\.key holds no private key in PEM/);
  system.write('filed.key', filed.key);

  // A worker dies over a certificate, and the controller is told so.
  system.write('poison.yaml', stringify(tlsSecret('poison-throw-commit', strange)));
  await inspect('a certificate that a worker dies of', /CrashedWorker/);

  // Keys where none belong: torn YAML, another kind, a field for the name of a file.
  const indented = wrong.key.replace(/\n(?=.)/g, '\n    ');
  // The reader of YAML quotes what stands behind the bar.
  system.write(
    'torn.yaml',
    `apiVersion: v1\nkind: Secret\nmetadata: { name: torn }\nstringData:\n  tls.key: |${wrong.key.split('\n').slice(1, -2).join('')}\n`,
  );
  await inspect('a torn Secret', /InvalidSyntax/);
  system.write(
    'torn.yaml',
    `apiVersion: v1\nkind: Secret\nmetadata: { name: torn }\ndata: ["${wrong.key.replaceAll('\n', '\\n')}"]\n`,
  );
  await inspect('a Secret of the wrong shape', /"name":"torn"/);
  system.write(
    'torn.yaml',
    `apiVersion: v1\nkind: Sekret\nmetadata: { name: torn }\nstringData:\n  tls.key: |\n    ${indented}\n`,
  );
  await inspect('a misspelt Secret', /Sekret/);
  system.write('torn.yaml', `${wrong.key}\n`);
  await inspect('a key for a manifest', /torn\.yaml/);
  system.write(
    'torn.yaml',
    gateway(['ec'], { files: [{ certificate: 'filed.crt', key: wrong.key }], ciphers: [wrong.key] }).replace(
      'secured',
      'pasted',
    ),
  );
  await inspect('a key for the name of a file', /pasted/, true);
  writeFileSync(join(system.config, 'torn.yaml'), '');
  assert.equal(await system.stop(), 0);
  assertHolds('output', system.output(), keys, false);
});

const ENDPOINTS = [
  '/metrics',
  '/healthz',
  '/readyz',
  '/config_dump',
  '/api/v1/info',
  '/api/v1/objects',
  '/api/v1/objects/Secret/default/ec',
  '/api/v1/objects/ProxyGateway/default/pasted',
  '/api/v1/problems',
  '/api/v1/nodes',
  '/api/v1/actors',
  '/api/v1/stats',
  '/api/v1/resources',
  '/api/v1/resources?kind=certificate',
  '/nowhere',
];

const COMMANDS = [
  'gateways -A -o wide',
  'gateways -A -o yaml',
  'gateways -A -o json',
  'backends -A -o json',
  'routes -A -o wide',
  'problems',
  'problems -o json',
  'get secret ec -o yaml',
  'get gateway secured -o yaml',
  'topology graph',
  'topology graph --format json',
  'topology graph --format dot',
  'actors --all -o wide',
  'nodes -o json',
  'stats -o wide',
];
