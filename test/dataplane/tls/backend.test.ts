import assert from 'node:assert/strict';
import type { AddressInfo } from 'node:net';
import type { TestContext } from 'node:test';
import { before, test } from 'node:test';
import type { TLSSocket, TlsOptions } from 'node:tls';
import { createServer } from 'node:tls';
import type { Certificate } from '../../../src/model/certificate.ts';
import type { Cluster } from '../../../src/model/cluster.ts';
import type { ClusterTls } from '../../../src/model/tls.ts';
import { CLUSTER_TLS_DEFAULTS } from '../../../src/model/tls.ts';
import { TestAuthority } from '../../certificates.ts';
import type { Harness } from '../harness.ts';
import { cluster, startProxy } from '../harness.ts';
import { answering, exchange, OK, rawBackend } from '../raw.ts';
import { certificateResources } from './harness.ts';

let authority: TestAuthority;
let own: Certificate;
let client: Certificate;

before(async () => {
  authority = await TestAuthority.create();
  own = await authority.issue('backend', ['backend.test', 'also.test']);
  client = await authority.issue('default/client', ['edge.test'], { usage: 'client' });
});

interface SecureBackend {
  readonly port: number;
  readonly sockets: TLSSocket[];
  readonly resumed: boolean[];
}

async function secureBackend(context: TestContext, options: TlsOptions = {}): Promise<SecureBackend> {
  const sockets: TLSSocket[] = [];
  const resumed: boolean[] = [];
  const serve = answering(OK);
  const server = createServer({ cert: own.chain, key: own.privateKey, ...options }, (socket) => {
    sockets.push(socket);
    resumed.push(socket.isSessionReused());
    socket.on('error', () => {});
    socket.on('data', (bytes: Buffer) => serve(socket, bytes));
  });
  server.on('tlsClientError', () => {});
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  context.after(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  return { port: (server.address() as AddressInfo).port, sockets, resumed };
}

function proxy(
  context: TestContext,
  port: number,
  tls: Partial<ClusterTls>,
  settings: Partial<Cluster> = {},
): Promise<Harness> {
  const value = cluster({ tls: { ...CLUSTER_TLS_DEFAULTS, ca: authority.pem, ...tls }, ...settings });
  return startProxy(context, [port], {
    more: [{ kind: 'cluster', value }, ...certificateResources([client])],
  });
}

const ask = (host: string): string => `GET / HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`;

test('a backend is asked by its name, verified, and shown our certificate', async (context) => {
  const backend = await secureBackend(context, { requestCert: true, ca: authority.pem });
  const harness = await proxy(context, backend.port, {
    serverName: 'backend.test',
    certificate: 'default/client',
  });
  assert.match(await exchange(harness.port, ask('www.example.com')), /^HTTP\/1\.1 200 [\s\S]*ok$/);
  const [socket] = backend.sockets;
  assert.equal((socket as TLSSocket & { servername: string }).servername, 'backend.test');
  assert.equal(socket!.authorized, true);
  assert.equal(socket!.getPeerCertificate().subject.CN, 'edge.test');
  assert.equal(socket!.alpnProtocol, false);
  assert.match(await exchange(harness.port, ask('www.example.com')), /^HTTP\/1\.1 200 /);
  assert.equal(backend.sockets.length, 1);
});

test('without a name of its own the host of the request is asked for, by each request on its own', async (context) => {
  const backend = await secureBackend(context);
  const harness = await proxy(context, backend.port, {});
  for (const host of ['backend.test', 'also.test:8080', 'backend.test'])
    assert.match(await exchange(harness.port, ask(host)), /^HTTP\/1\.1 200 /);
  assert.match(await exchange(harness.port, ask('stranger.test')), /^HTTP\/1\.1 502 /);
  const names = backend.sockets.map((socket) => (socket as TLSSocket & { servername: string }).servername);
  assert.deepEqual(names.slice(0, 3), ['backend.test', 'also.test', 'backend.test']);
});

test('who is not the backend gets no request, and the reason is counted', async (context) => {
  const backend = await secureBackend(context);
  const stranger = await TestAuthority.create('another authority');
  const table: readonly (readonly [Partial<ClusterTls>, string | null])[] = [
    [{ serverName: 'backend.test' }, null],
    [{ serverName: 'nobody.test', subjectAltNames: ['x.test', 'also.test'] }, null],
    [{ serverName: 'nobody.test', verify: false, ca: '' }, null],
    [{ serverName: 'nobody.test' }, 'ERR_TLS_CERT_ALTNAME_INVALID'],
    [{ serverName: 'backend.test', subjectAltNames: ['x.test'] }, 'ERR_TLS_CERT_ALTNAME_INVALID'],
    [{ serverName: 'backend.test', ca: stranger.pem }, 'UNABLE_TO_VERIFY_LEAF_SIGNATURE'],
    [{ serverName: 'backend.test', certificate: 'default/nobody' }, 'certificate_missing'],
  ];
  for (const [tls, reason] of table) {
    const harness = await proxy(context, backend.port, tls);
    const answer = await exchange(harness.port, ask('www.example.com'));
    if (reason === null) assert.match(answer, /^HTTP\/1\.1 200 /, JSON.stringify(tls));
    else {
      assert.match(answer, /^HTTP\/1\.1 502 /, JSON.stringify(tls));
      assert.ok(harness.count('upstream_connect_failures', { reason }) > 0, reason);
    }
    harness.dataplane.shutdown();
  }
});

test('a backend that speaks no TLS, or nothing at all, is a failed connection', async (context) => {
  const plain = await rawBackend(context, (socket) => socket.write('HTTP/1.1 400 Bad Request\r\n\r\n'));
  const first = await proxy(context, plain.port, { serverName: 'backend.test' });
  assert.match(await exchange(first.port, ask('x')), /^HTTP\/1\.1 502 /);
  assert.equal(
    first.count('upstream_connect_failures', { reason: 'ERR_SSL_WRONG_VERSION_NUMBER' }) > 0,
    true,
  );
  const silent = await rawBackend(context, () => {});
  const second = await proxy(context, silent.port, { serverName: 'backend.test' }, { connectTimeoutMs: 100 });
  assert.match(await exchange(second.port, ask('x')), /^HTTP\/1\.1 504 /);
  assert.equal(second.count('upstream_connect_failures', { reason: 'timeout' }) > 0, true);
});

test('the session of a connection is resumed by the next', async (context) => {
  const backend = await secureBackend(context);
  const harness = await proxy(
    context,
    backend.port,
    { serverName: 'backend.test' },
    { maxRequestsPerConnection: 1 },
  );
  for (let request = 0; request < 3; request += 1)
    assert.match(await exchange(harness.port, ask('x')), /^HTTP\/1\.1 200 /);
  assert.deepEqual(backend.resumed, [false, true, true]);
});

test('a body that ends with the connection is whole only where TLS says that it ended', async (context) => {
  for (const ends of [true, false]) {
    const server = createServer({ cert: own.chain, key: own.privateKey }, (socket) => {
      socket.on('error', () => {});
      socket.once('data', () => {
        socket.write('HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nbeginning', () => {
          if (ends) socket.end();
          else rawEnd(socket);
        });
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    context.after(() => server.close());
    const harness = await proxy(context, (server.address() as AddressInfo).port, {
      serverName: 'backend.test',
    });
    const answer = await exchange(harness.port, ask('x'));
    assert.match(answer, /^HTTP\/1\.1 200 /);
    assert.equal(answer.endsWith('0\r\n\r\n'), ends, `close_notify: ${ends}`);
    harness.dataplane.shutdown();
  }
});

/** Ends the connection beneath TLS, as somebody on the way could. */
function rawEnd(socket: TLSSocket): void {
  const handle = (socket as unknown as { _handle: { _parent: { shutdown(request: object): number } } })
    ._handle;
  const { ShutdownWrap } = (
    process as unknown as { binding(name: string): { ShutdownWrap: new () => { oncomplete: () => void } } }
  ).binding('stream_wrap');
  const request = new ShutdownWrap();
  request.oncomplete = () => {};
  handle._parent.shutdown(request);
}
