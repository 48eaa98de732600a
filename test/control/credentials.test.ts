import assert from 'node:assert/strict';
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, type TestContext, test } from 'node:test';
import 'reflect-metadata';
import { webcrypto } from 'node:crypto';
import { ChannelCredentials, ServerCredentials } from '@grpc/grpc-js';
import * as x509 from '@peculiar/x509';
import { writeCertificates } from '../../src/cli/certs.ts';
import { channelCredentials, isLocal, serverCredentials } from '../../src/os/credentials.ts';
import { gateway, TestAgent, TestSource, testController } from './harness.ts';

let root = '';
before(async () => {
  root = mkdtempSync(join(tmpdir(), 'novaedge-credentials-'));
  await writeCertificates({ directory: join(root, 'ours'), hosts: [], days: 1, force: false });
  await writeCertificates({ directory: join(root, 'theirs'), hosts: [], days: 1, force: false });
});
after(() => rmSync(root, { recursive: true }));

function server(directory: string, ca = directory) {
  const files = {
    ca: join(root, ca, 'ca.crt'),
    cert: join(root, directory, 'server.crt'),
    key: join(root, directory, 'server.key'),
  };
  return serverCredentials({ address: '127.0.0.1:0', files, insecure: false });
}

function client(directory: string, ca = directory, host = '127.0.0.1') {
  const files = {
    ca: join(root, ca, 'ca.crt'),
    cert: join(root, directory, 'client.crt'),
    key: join(root, directory, 'client.key'),
  };
  return channelCredentials({ address: `${host}:1`, files, insecure: false });
}

async function connected(
  t: TestContext,
  credentials: { server: ServerCredentials; client: ChannelCredentials },
  host = '127.0.0.1',
): Promise<TestAgent> {
  const controller = await testController(new TestSource([gateway('shop/a')]), {
    credentials: credentials.server,
    listen: '0.0.0.0:0',
  });
  const address = controller.address.replace('0.0.0.0', host);
  const agent = new TestAgent(address, 'edge-1', credentials.client).connect();
  t.after(async () => {
    agent.client.close();
    await controller.stop();
  });
  await agent.until(({ updates, reason }) => updates.length > 0 || reason !== '');
  return agent;
}

test('controller and agent know each other by certificates of one authority', async (t) => {
  const agent = await connected(t, {
    server: server('ours').credentials,
    client: client('ours').credentials,
  });
  assert.equal(agent.store.resources.size, 1);
});

const STRANGERS: readonly {
  readonly what: string;
  readonly server: () => ServerCredentials;
  readonly client: () => ChannelCredentials;
  readonly host?: string;
  readonly reason: RegExp;
}[] = [
  {
    what: 'a controller of another authority',
    server: () => server('theirs', 'ours').credentials,
    client: () => client('ours').credentials,
    reason: /UNAVAILABLE: .*(unable to verify|self-signed|signature failure|local issuer)/i,
  },
  {
    what: 'an agent of another authority',
    server: () => server('ours').credentials,
    client: () => client('theirs', 'ours').credentials,
    reason: /UNAVAILABLE: .*does not take the certificate of this agent/,
  },
  {
    what: 'an agent without a certificate',
    server: () => server('ours').credentials,
    client: () => ChannelCredentials.createSsl(readFileSync(join(root, 'ours', 'ca.crt'))),
    host: 'localhost',
    reason: /UNAVAILABLE: .*does not take the certificate of this agent/,
  },
  {
    what: 'an agent in plaintext',
    server: () => server('ours').credentials,
    client: () => ChannelCredentials.createInsecure(),
    reason: /UNAVAILABLE: .*wants TLS and this agent speaks plaintext/,
  },
  {
    what: 'a controller in plaintext',
    server: () => ServerCredentials.createInsecure(),
    client: () => client('ours').credentials,
    reason: /UNAVAILABLE: .*the controller seems to speak plaintext/,
  },
];

for (const { what, reason, ...make } of STRANGERS) {
  test(`${what} is turned away, and the agent says why`, async (t) => {
    const agent = await connected(t, { server: make.server(), client: make.client() }, make.host);
    assert.equal(agent.updates.length, 0);
    assert.match(agent.reason, /^not connected: controller (127\.0\.0\.1|localhost):\d+: /);
    assert.match(agent.reason, reason);
    t.diagnostic(agent.reason);
  });
}

test('a certificate of the right authority for another address is turned away', async (t) => {
  const credentials = { server: server('ours').credentials, client: client('ours').credentials };
  credentials.client = client('ours', 'ours', '127.0.0.2').credentials;
  const agent = await connected(t, credentials, '127.0.0.2');
  assert.match(agent.reason, /UNAVAILABLE: .*(ERR_TLS_CERT_ALTNAME_INVALID|does not match)/);
  t.diagnostic(agent.reason);
});

test('certificates read again are used by new connections, and bad ones leave the old in use', async (t) => {
  const directory = join(root, 'moving');
  await writeCertificates({ directory, hosts: [], days: 1, force: false });
  const credentials = server('moving');
  const controller = await testController(new TestSource([gateway('shop/a')]), {
    credentials: credentials.credentials,
  });
  const old = new TestAgent(controller.address, 'old', client('moving').credentials).connect();
  const other = new TestAgent(controller.address, 'other', client('ours').credentials).connect();
  t.after(async () => {
    old.client.close();
    other.client.close();
    await controller.stop();
  });
  await old.until(({ updates }) => updates.length === 1);
  await other.until((agent) => agent.count('disconnected') === 1);

  writeFileSync(join(directory, 'server.key'), 'nonsense');
  assert.throws(() => credentials.reload(), {
    message: `${join(directory, 'server.key')}: is not a private key in PEM`,
  });
  old.connect();
  await old.until(({ updates }) => updates.length === 2);

  for (const file of ['ca.crt', 'server.crt', 'server.key'])
    copyFileSync(join(root, 'ours', file), join(directory, file));
  credentials.reload();
  other.connect();
  await other.until(({ updates }) => updates.length === 1);
});

test('plaintext is for this machine alone, unless it is asked for by name', () => {
  for (const address of ['127.0.0.1:1', '127.8.9.1:1', '[::1]:1', 'localhost:1', 'unix:/run/x.sock']) {
    assert.equal(isLocal(address), true, address);
    assert.equal(serverCredentials({ address, files: {}, insecure: false }).secure, false);
  }
  for (const address of [
    '0.0.0.0:1',
    '[::]:1',
    '10.0.0.1:1',
    'edge.example.com:1',
    '127.0.0.1.example.com:1',
    ':1',
  ]) {
    assert.equal(isLocal(address), false, address);
    assert.throws(() => channelCredentials({ address, files: {}, insecure: false }), {
      name: 'CredentialsError',
      message: /can be reached from other machines.*--ca FILE, --cert FILE and --key FILE.*--insecure/,
    });
    assert.equal(channelCredentials({ address, files: {}, insecure: true }).secure, false);
  }
});

test('flags that do not go together are named', () => {
  const request = { address: '127.0.0.1:1', insecure: false };
  assert.throws(() => serverCredentials({ ...request, files: { ca: 'a' } }), /--cert and --key missing/);
  assert.throws(
    () => serverCredentials({ ...request, insecure: true, files: { ca: 'a', cert: 'b', key: 'c' } }),
    /--insecure contradicts --ca, --cert and --key/,
  );
});

test('bad files are named with the reason, and keys are never shown', async () => {
  const ours = (file: string): string => join(root, 'ours', file);
  const failing = (files: { ca: string; cert: string; key: string }): string => {
    try {
      serverCredentials({ address: '127.0.0.1:0', files, insecure: false });
    } catch (error) {
      return (error as Error).message;
    }
    return 'no error';
  };
  const good = { ca: ours('ca.crt'), cert: ours('server.crt'), key: ours('server.key') };
  const secret = readFileSync(good.key, 'utf8').split('\n')[1]!;
  const broken = join(root, 'broken.pem');
  writeFileSync(broken, `-----BEGIN PRIVATE KEY-----\n${secret.slice(4)}\n-----END PRIVATE KEY-----\n`);
  const messages = [
    [failing({ ...good, ca: '/nowhere/ca.crt' }), '/nowhere/ca.crt: there is no such file'],
    [failing({ ...good, ca: good.key }), `${good.key}: is not a certificate in PEM`],
    [failing({ ...good, cert: broken }), `${broken}: is not a certificate in PEM`],
    [failing({ ...good, key: broken }), `${broken}: is not a private key in PEM`],
    [
      failing({ ...good, key: ours('client.key') }),
      `${ours('client.key')}: is not the key of the certificate in ${good.cert}`,
    ],
  ] as const;
  for (const [message, wanted] of messages) {
    assert.equal(message, wanted);
    assert.ok(!message.includes(secret.slice(4, 20)));
  }
});

async function selfSigned(
  name: string,
  notBefore: Date,
  notAfter: Date,
): Promise<{ cert: string; key: string }> {
  const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
  const keys = await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    name: [{ CN: ['localhost'] }],
    notBefore,
    notAfter,
    keys,
    signingAlgorithm: algorithm,
  });
  const paths = { cert: join(root, `${name}.crt`), key: join(root, `${name}.key`) };
  writeFileSync(paths.cert, certificate.toString('pem'));
  const pkcs8 = await webcrypto.subtle.exportKey('pkcs8', keys.privateKey);
  writeFileSync(paths.key, x509.PemConverter.encode(pkcs8, 'PRIVATE KEY'));
  return paths;
}

test('certificates out of their time are refused with the date', async () => {
  const past = await selfSigned('past', new Date('2020-01-01T00:00:00Z'), new Date('2020-02-01T00:00:00Z'));
  const future = await selfSigned(
    'future',
    new Date('2999-01-01T00:00:00Z'),
    new Date('2999-02-01T00:00:00Z'),
  );
  const request = { address: '127.0.0.1:1', insecure: false };
  assert.throws(() => channelCredentials({ ...request, files: { ...past, ca: join(root, 'ours/ca.crt') } }), {
    message: `${past.cert}: the certificate expired on 2020-02-01T00:00:00.000Z`,
  });
  assert.throws(
    () => channelCredentials({ ...request, files: { ...future, ca: join(root, 'ours/ca.crt') } }),
    {
      message: `${future.cert}: the certificate is not valid before 2999-01-01T00:00:00.000Z`,
    },
  );
});

test('an agent says so when the certificate of the controller has expired', async (t) => {
  const past = await selfSigned('gone', new Date('2020-01-01T00:00:00Z'), new Date('2020-02-01T00:00:00Z'));
  const pair = { private_key: readFileSync(past.key), cert_chain: readFileSync(past.cert) };
  const agent = await connected(
    t,
    {
      server: ServerCredentials.createSsl(null, [pair]),
      client: ChannelCredentials.createSsl(readFileSync(past.cert)),
    },
    'localhost',
  );
  assert.match(agent.reason, /certificate has expired/);
});
