import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { TestContext } from 'node:test';
import { before, test } from 'node:test';
import { Worker } from 'node:worker_threads';
import type { Certificate } from '../../../src/model/certificate.ts';
import type { Listener } from '../../../src/model/gateway.ts';
import { fingerprint, TestAuthority } from '../../certificates.ts';
import { freePort } from '../../e2e/harness.ts';
import type { Harness } from '../harness.ts';
import { LISTENER, listener, route } from '../harness.ts';
import { answering, OK, RawClient, rawBackend } from '../raw.ts';
import { certificateResources, exchange, get, listenerTls, shake, startSecure } from './harness.ts';
import { HeldClient } from './held-client.ts';

let authority: TestAuthority;
let certificate: Certificate;
let renewed: Certificate;
let other: Certificate;

before(async () => {
  authority = await TestAuthority.create();
  certificate = await authority.issue('default/www', ['www.example.com']);
  renewed = await authority.issue('default/www', ['www.example.com']);
  other = await authority.issue('default/other', ['other.test']);
});

const ASK = 'GET / HTTP/1.1\r\nHost: www.example.com\r\n\r\n';
const VERSIONS = ['TLSv1.2', 'TLSv1.3'] as const;

async function serving(
  context: TestContext,
  more: Partial<Parameters<typeof startSecure>[2]> = {},
): Promise<Harness> {
  const backend = await rawBackend(context, answering(OK));
  return startSecure(context, [backend.port], { certificates: [certificate], ...more });
}

async function held(
  context: TestContext,
  port: number,
  maxVersion: (typeof VERSIONS)[number],
): Promise<HeldClient> {
  const client = new HeldClient(port, { servername: 'www.example.com', maxVersion });
  context.after(() => client.destroy());
  await client.held;
  return client;
}

const faults = (harness: Harness): unknown[] => harness.notifications.filter(({ type }) => type === 'fault');

for (const version of VERSIONS) {
  test(`${version}: a handshake that a drain falls into is finished, and its request served`, async (context) => {
    const harness = await serving(context);
    const client = await held(context, harness.port, version);
    harness.dataplane.drainListener(LISTENER);
    // Nobody new is let in by now.
    while ((await shake(harness.port)).failure === '') await new Promise(setImmediate);
    assert.equal(await client.release().done, 'secured');
    assert.match(await exchange(client.socket, ASK), /^HTTP\/1\.1 200 OK\r\n[\s\S]*connection: close\r\n/i);
    await harness.notified('listener.drained');
    assert.equal(harness.count('tls_handshake_failures'), 0);
    assert.deepEqual(faults(harness), []);
  });

  test(`${version}: a listener that goes in the middle of a handshake ends it, and counts it`, async (context) => {
    const harness = await serving(context);
    const client = await held(context, harness.port, version);
    harness.dataplane.drainListener(LISTENER);
    harness.dataplane.closeListener(LISTENER);
    await client.closed;
    assert.equal(await client.release().done, 'closed');
    assert.equal(harness.count('tls_handshake_failures', { reason: 'draining' }), 1);
    assert.deepEqual(faults(harness), []);
  });

  test(`${version}: a listener that goes in the middle of a handshake while its port stays serves nobody, nor does its neighbour in its place`, async (context) => {
    const harness = await serving(context, {
      certificates: [certificate, other],
      listener: { hostnames: ['www.example.com'], tls: listenerTls([certificate]) },
      port: await freePort(),
    });
    const second: Listener = listener({
      name: 'default/edge/other',
      protocol: 'HTTPS',
      port: harness.port,
      tls: listenerTls([other]),
    });
    await harness.dataplane.bindListener(second);
    const attachments = [LISTENER, second.name].map((name) => ({ listener: name, hostnames: [] }));
    harness.change([
      { kind: 'listener', value: second },
      { kind: 'route', value: route({ attachments }) },
    ]);
    harness.dataplane.activateListener(second.name);
    const client = await held(context, harness.port, version);
    harness.change([], [`listener/${LISTENER}`]);
    harness.dataplane.drainListener(LISTENER);
    harness.dataplane.closeListener(LISTENER);
    assert.equal(await client.release().done, 'secured');
    assert.equal(client.socket.getPeerCertificate().fingerprint256, fingerprint(certificate));
    // Its host is the neighbour's now, which takes every host, but TLS was not agreed on with that one.
    assert.match(
      await exchange(client.socket, ASK.replace('\r\n\r\n', '\r\nConnection: close\r\n\r\n')),
      /^HTTP\/1\.1 421 /,
    );
    assert.match(await get(harness.port, { servername: 'other.test' }, 'other.test'), /^HTTP\/1\.1 200 /);
    assert.deepEqual(faults(harness), []);
  });

  test(`${version}: a certificate that is replaced or goes in the middle of a handshake is that handshake's still`, async (context) => {
    const harness = await serving(context, { certificates: [certificate, other] });
    const [one, two] = [
      await held(context, harness.port, version),
      await held(context, harness.port, version),
    ];
    harness.change(certificateResources([renewed]));
    const later = await shake(harness.port, { servername: 'www.example.com' });
    assert.equal(later.socket.getPeerCertificate().fingerprint256, fingerprint(renewed));
    later.socket.destroy();
    assert.equal(await one.release().done, 'secured');
    assert.equal(one.socket.getPeerCertificate().fingerprint256, fingerprint(certificate));
    harness.change([], ['certificate/default/www']);
    assert.match((await shake(harness.port, { servername: 'www.example.com' })).failure, /UNRECOGNIZED_NAME/);
    assert.equal(await two.release().done, 'secured');
    for (const { socket } of [one, two])
      assert.match(
        await exchange(socket, ASK.replace('\r\n\r\n', '\r\nConnection: close\r\n\r\n')),
        /^HTTP\/1\.1 200 /,
      );
  });

  test(`${version}: a handshake has so much time and no more, and who is done keeps the connection`, async (context) => {
    const harness = await serving(context, { tls: { handshakeTimeoutMs: 200 } });
    const quick = await shake(harness.port, { servername: 'www.example.com', maxVersion: version });
    const slow = await held(context, harness.port, version);
    await slow.closed;
    assert.equal(harness.count('tls_handshake_failures', { reason: 'timeout' }), 1);
    assert.match(
      await exchange(quick.socket, ASK.replace('\r\n\r\n', '\r\nConnection: close\r\n\r\n')),
      /^HTTP\/1\.1 200 /,
    );
  });
}

test('a connection that has said nothing goes soon when the port drains', async (context) => {
  const harness = await serving(context, { timeouts: { drainIdle: 50 } });
  const silent = new RawClient(harness.port);
  while (harness.count('open_connections') === 0) await new Promise(setImmediate);
  harness.dataplane.drainListener(LISTENER);
  await silent.untilOver();
  await harness.notified('listener.drained');
});

for (const how of ['shutdown', 'exit', 'throw', 'terminate'] as const)
  test(`a thread that ends by ${how} with handshakes and connections under way leaves the process alive`, async (context) => {
    const backend = await rawBackend(context, () => {});
    for (let round = 0; round < 3; round += 1) {
      const worker = new Worker(new URL('./tls-worker.ts', import.meta.url), {
        workerData: { certificate, backend: backend.port },
      });
      worker.on('error', () => {});
      const [port] = (await once(worker, 'message')) as [number];
      const clients = await Promise.all(
        Array.from({ length: 20 }, (_, index) => held(context, port, VERSIONS[index % 2]!)),
      );
      const secured = await Promise.all(
        Array.from({ length: 20 }, (_, index) =>
          shake(port, { servername: 'www.example.com', maxVersion: VERSIONS[index % 2]! }),
        ),
      );
      const ended = secured.map(({ socket, failure }) => {
        assert.equal(failure, '');
        socket.write(ASK);
        return new Promise((resolve) => socket.once('close', resolve));
      });
      while (backend.connections.length < 20 * (round + 1)) await new Promise(setImmediate);
      // Some finish their handshake at the very moment.
      for (const client of clients.slice(0, 10)) client.release();
      const exited = new Promise((resolve) => worker.once('exit', resolve));
      if (how === 'terminate') await worker.terminate();
      else worker.postMessage(how);
      await exited;
      await Promise.all([...ended, ...clients.map(({ closed }) => closed)]);
    }
  });
