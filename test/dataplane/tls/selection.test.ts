import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import type { Certificate } from '../../../src/model/certificate.ts';
import type { Listener } from '../../../src/model/gateway.ts';
import { fingerprint, TestAuthority } from '../../certificates.ts';
import { LISTENER, listener, route } from '../harness.ts';
import { answering, OK, rawBackend } from '../raw.ts';
import { certificateResources, exchange, listenerTls, shake, startSecure } from './harness.ts';

const certificates: Record<string, Certificate> = {};
let all: Certificate[];

before(async () => {
  const authority = await TestAuthority.create();
  const wanted: readonly (readonly [string, readonly string[], 'EC' | 'RSA'])[] = [
    ['first', ['first.test'], 'EC'],
    ['exact', ['a.example.com'], 'EC'],
    ['exact-rsa', ['a.example.com'], 'RSA'],
    ['wildcard', ['*.example.com'], 'EC'],
    ['other', ['other.test'], 'EC'],
  ];
  for (const [name, hosts, algorithm] of wanted)
    certificates[name] = await authority.issue(`default/${name}`, hosts, { algorithm });
  all = Object.values(certificates);
});

const EC_ONLY = { sigalgs: 'ecdsa_secp256r1_sha256' };
const RSA_ONLY = { sigalgs: 'rsa_pss_rsae_sha256:rsa_pkcs1_sha256' };

test('the name that a client asks for, and what it can verify, decide its certificate', async (context) => {
  const harness = await startSecure(context, [], { certificates: all });
  const table: readonly (readonly [string, object, string])[] = [
    ['a.example.com', {}, 'exact'],
    ['A.Example.COM', {}, 'exact'],
    ['a.example.com', EC_ONLY, 'exact'],
    ['a.example.com', RSA_ONLY, 'exact-rsa'],
    ['a.example.com', { ...RSA_ONLY, maxVersion: 'TLSv1.2' }, 'exact-rsa'],
    ['a.example.com', { maxVersion: 'TLSv1.2' }, 'exact'],
    ['b.example.com', {}, 'wildcard'],
    ['a.b.example.com', {}, 'first'],
    ['example.com', {}, 'first'],
    ['other.test', {}, 'other'],
    ['unknown.test', {}, 'first'],
    ['', {}, 'first'],
  ];
  for (const [servername, options, expected] of table) {
    const { socket, failure } = await shake(harness.port, { servername, ...options });
    assert.equal(failure, '', `${servername} ${JSON.stringify(options)}`);
    const shown = socket.getPeerCertificate().fingerprint256;
    const name = Object.keys(certificates).find((key) => fingerprint(certificates[key]!) === shown);
    assert.equal(name, expected, `${servername} ${JSON.stringify(options)}`);
    socket.destroy();
  }
});

test('a certificate that is missing takes its own names out, and nobody gets a wrong one', async (context) => {
  const { first, exact, other } = certificates;
  const harness = await startSecure(context, [], {
    certificates: [first!, other!],
    tls: listenerTls([first!, exact!, other!]),
  });
  const { failure } = await shake(harness.port, { servername: 'a.example.com' });
  assert.match(failure, /UNRECOGNIZED_NAME/);
  for (const servername of ['first.test', 'other.test', '']) {
    const { socket, failure: none } = await shake(harness.port, { servername });
    assert.equal(none, '', servername);
    socket.destroy();
  }
  assert.equal(harness.count('tls_handshake_failures', { reason: 'unknown_name' }), 1);
  harness.change(certificateResources([exact!]));
  const { socket } = await shake(harness.port, { servername: 'a.example.com' });
  assert.equal(socket.getPeerCertificate().fingerprint256, fingerprint(exact!));
  socket.destroy();
});

test('listeners of a port have certificates of their own, and requests for the other one are misdirected', async (context) => {
  const backend = await rawBackend(context, answering(OK));
  const { exact, other } = certificates;
  const second: Listener = listener({
    name: 'default/edge/other',
    protocol: 'HTTPS',
    hostnames: ['other.test'],
    tls: listenerTls([other!], { maxVersion: 'TLSv1.2' }),
  });
  const shared = await startSecure(context, [backend.port], {
    certificates: [exact!, other!],
    listener: { hostnames: ['a.example.com'], tls: listenerTls([exact!]) },
    port: await freePort(),
  });
  const placed = { ...second, port: shared.port };
  await shared.dataplane.bindListener(placed);
  shared.change([
    { kind: 'listener', value: placed },
    {
      kind: 'route',
      value: route({
        attachments: [
          { listener: LISTENER, hostnames: [] },
          { listener: placed.name, hostnames: [] },
        ],
      }),
    },
  ]);
  shared.dataplane.activateListener(placed.name);

  const one = await shake(shared.port, { servername: 'a.example.com' });
  assert.equal(one.socket.getPeerCertificate().fingerprint256, fingerprint(exact!));
  assert.equal(one.socket.getProtocol(), 'TLSv1.3');
  const two = await shake(shared.port, { servername: 'other.test' });
  assert.equal(two.socket.getPeerCertificate().fingerprint256, fingerprint(other!));
  assert.equal(two.socket.getProtocol(), 'TLSv1.2');
  const unknown = await shake(shared.port, { servername: 'nobody.test' });
  assert.match(unknown.failure, /UNRECOGNIZED_NAME/);

  const ask = (host: string): string => `GET / HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`;
  assert.match(await exchange(one.socket, ask('other.test')), /^HTTP\/1\.1 421 Misdirected Request\r\n/);
  assert.match(await exchange(two.socket, ask('other.test:8443')), /^HTTP\/1\.1 200 /);
  const bare = await shake(shared.port, { servername: '' });
  assert.match(await exchange(bare.socket, ask('other.test')), /^HTTP\/1\.1 421 /);
  assert.equal(shared.count('local_response_count', { reason: 'misdirected_request' }), 2);
});

async function freePort(): Promise<number> {
  const { createServer } = await import('node:net');
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === 'object' && address !== null ? address.port : 0;
}

test('versions, ciphers, curves and protocols that the listener does not take are refused, each with its reason', async (context) => {
  const { first } = certificates;
  const harness = await startSecure(context, [], {
    certificates: [first!],
    tls: { minVersion: 'TLSv1.3', curves: ['P-256'], ciphers: ['TLS_AES_128_GCM_SHA256'] },
  });
  const table: readonly (readonly [object, string])[] = [
    [{ maxVersion: 'TLSv1.2' }, 'version'],
    [{ ciphers: 'TLS_AES_256_GCM_SHA384' }, 'cipher'],
    [{ ecdhCurve: 'X25519' }, 'cipher'],
    [{ ALPNProtocols: ['spdy/3'] }, 'alpn'],
  ];
  for (const [options, reason] of table) {
    const { failure } = await shake(harness.port, options);
    assert.notEqual(failure, '', reason);
    await harnessCount(() => harness.count('tls_handshake_failures', { reason }), reason);
  }
  const { failure, socket } = await shake(harness.port, { ecdhCurve: 'P-256' });
  assert.equal(failure, '');
  assert.equal(socket.getCipher().standardName, 'TLS_AES_128_GCM_SHA256');
  socket.destroy();
});

/** The client may hear of a failure before it has been counted. */
async function harnessCount(count: () => number, what: string): Promise<void> {
  for (let turn = 0; turn < 1000 && count() === 0; turn += 1) await new Promise(setImmediate);
  assert.ok(count() > 0, what);
}

test('a certificate whose key is another one is refused alone, and its key is in no message', async (context) => {
  const { first, exact, other } = certificates;
  const harness = await startSecure(context, [], { certificates: [first!, other!] });
  const broken = { ...exact!, privateKey: other!.privateKey };
  const preparation = harness.dataplane.prepare({
    base: '1',
    version: '2',
    upserts: certificateResources([broken, { ...other!, chain: 'no certificate' }]),
    removals: [],
  });
  harness.dataplane.commit(preparation.failures.map(({ key }) => key));
  assert.deepEqual(
    preparation.failures.map(({ key, reason }) => [key, reason]),
    [
      ['certificate/default/exact', 'InvalidTls'],
      ['certificate/default/other', 'InvalidTls'],
    ],
  );
  const said = JSON.stringify(preparation.failures);
  assert.ok(!said.includes('PRIVATE KEY') && !said.includes(other!.privateKey.split('\n')[1]!));
  const { socket } = await shake(harness.port, { servername: 'first.test' });
  assert.equal(socket.getPeerCertificate().fingerprint256, fingerprint(first!));
  socket.destroy();
});
