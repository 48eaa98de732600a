import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import type { Http2Session } from 'node:http2';
import { createSecureServer } from 'node:http2';
import { createServer as createHttpsServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { createServer as createTcpServer } from 'node:net';
import type { TestContext } from 'node:test';
import { before, suite, test } from 'node:test';
import type { SecureContextOptions } from 'node:tls';
import { createSecureContext, TLSSocket } from 'node:tls';
import type { Certificate } from '../../../src/model/certificate.ts';
import type { Cluster } from '../../../src/model/cluster.ts';
import type { ClusterTls } from '../../../src/model/tls.ts';
import { CLUSTER_TLS_DEFAULTS } from '../../../src/model/tls.ts';
import { TestAuthority } from '../../certificates.ts';
import { issue } from '../../config/issued.ts';
import { needs } from '../../needs.ts';
import type { Harness, HarnessOptions } from '../harness.ts';
import { cluster, startProxy } from '../harness.ts';
import { logLines } from '../log-lines.ts';
import { answering, exchange, OK, RawClient, rawBackend } from '../raw.ts';
import { certificateResources } from './harness.ts';
import { directory } from './openssl.ts';

let authority: TestAuthority;
let stranger: TestAuthority;
const certificates: Record<string, Certificate> = {};

before(async () => {
  authority = await TestAuthority.create();
  stranger = await TestAuthority.create('another authority');
  certificates.own = await authority.issue('own', ['backend.test', 'a.test', 'b.test', '127.0.0.1']);
  certificates.expired = await authority.issue('expired', ['backend.test'], { days: -1 });
  certificates.foreign = await stranger.issue('foreign', ['backend.test']);
  certificates.client = await authority.issue('default/client', ['edge.test'], { usage: 'client' });
});

const PROTOCOLS = ['HTTP1', 'Auto', 'HTTP2'] as const;

interface Seen {
  readonly serverName: string;
  readonly alpn: string | false;
  readonly isResumed: boolean;
  readonly client: string;
  /** Hosts of its requests. */
  readonly hosts: string[];
}

interface Peer {
  readonly port: number;
  /** By connection that has shaken hands. */
  readonly seen: Seen[];
}

/** A backend of HTTP/2 and HTTP/1.1 over TLS that remembers who has asked for what on which connection. */
async function peer(
  context: TestContext,
  options: SecureContextOptions & { requestCert?: boolean; isOld?: boolean } = {},
  answered: () => Promise<void> = async () => {},
): Promise<Peer> {
  const { own } = certificates;
  const shown = { cert: own!.chain, key: own!.privateKey, ...options };
  const server =
    options.isOld === true ? createHttpsServer(shown) : createSecureServer({ ...shown, allowHTTP1: true });
  const seen: Seen[] = [];
  const bySocket = new WeakMap<object, Seen>();
  const sockets = new Set<Socket>();
  server.on('secureConnection', (socket) => {
    socket.on('error', () => {});
    const one: Seen = {
      serverName: String((socket as TLSSocket & { servername: string | false }).servername || ''),
      alpn: socket.alpnProtocol ?? false,
      isResumed: socket.isSessionReused(),
      client: socket.getPeerCertificate().subject?.CN?.toString() ?? '',
      hosts: [],
    };
    seen.push(one);
    bySocket.set(socket, one);
    sockets.add(socket);
  });
  const sessions = new Set<Http2Session>();
  server.on('session', (session) => {
    sessions.add(session);
    session.on('error', () => {});
  });
  server.on('request', async (request, response) => {
    const socket = request.httpVersion === '2.0' ? bySession(request.stream.session!) : request.socket;
    bySocket.get(socket)!.hosts.push(String(request.headers[':authority'] ?? request.headers.host ?? ''));
    request.resume();
    await answered();
    response.end('ok');
  });
  const bySession = (session: Http2Session): object => {
    for (const socket of sockets) if (socket.remotePort === session.socket.remotePort) return socket;
    throw new Error('a session without a socket');
  };
  server.on('tlsClientError', () => {});
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  context.after(() => {
    for (const session of sessions) session.destroy();
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return { port: (server.address() as AddressInfo).port, seen };
}

function proxy(
  context: TestContext,
  port: number,
  tls: Partial<ClusterTls>,
  settings: Partial<Cluster> = {},
  options: Partial<HarnessOptions> = {},
): Promise<Harness> {
  return startProxy(context, [port], {
    ...options,
    more: [
      { kind: 'cluster', value: towards(tls, settings) },
      ...certificateResources([certificates.client!]),
    ],
  });
}

const towards = (tls: Partial<ClusterTls>, settings: Partial<Cluster> = {}): Cluster =>
  cluster({
    tls: { ...CLUSTER_TLS_DEFAULTS, ca: authority.pem, serverName: 'backend.test', ...tls },
    ...settings,
  });

const ask = (host: string): string => `GET / HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`;

test('HTTP/2 is spoken where the backend takes it by ALPN, else HTTP/1.1 where that may be', async (context) => {
  const both = await peer(context);
  const old = await peer(context, { isOld: true });
  const table: readonly (readonly [Cluster['protocol'], Peer, string | false])[] = [
    ['Auto', both, 'h2'],
    ['HTTP2', both, 'h2'],
    ['HTTP1', both, 'http/1.1'],
    ['Auto', old, 'http/1.1'],
    ['HTTP1', old, 'http/1.1'],
  ];
  for (const [protocol, backend, alpn] of table) {
    const harness = await proxy(context, backend.port, {}, { protocol });
    assert.match(await exchange(harness.port, ask('www.example.com')), /^HTTP\/1\.1 200 [\s\S]*ok/);
    const last = backend.seen.at(-1)!;
    assert.deepEqual([last.alpn, last.serverName, last.hosts], [alpn, 'backend.test', ['www.example.com']]);
    harness.dataplane.shutdown();
  }
});

/** A backend that no request may reach, and what is said of it. */
interface Failing {
  readonly what: string;
  readonly reason: string | RegExp;
  readonly tls?: Partial<ClusterTls>;
  readonly backend: (context: TestContext) => Promise<{ readonly port: number }>;
  readonly protocols?: readonly Cluster['protocol'][];
}

const shows = ({ chain, privateKey }: Certificate): SecureContextOptions => ({
  cert: chain,
  key: privateKey,
});

const FAILING: readonly Failing[] = [
  {
    what: 'an expired certificate',
    reason: 'CERT_HAS_EXPIRED',
    backend: (context) => peer(context, shows(certificates.expired!)),
  },
  {
    what: 'one of another authority',
    reason: 'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
    backend: (context) => peer(context, shows(certificates.foreign!)),
  },
  {
    what: 'one signed by itself',
    reason: 'DEPTH_ZERO_SELF_SIGNED_CERT',
    backend: async (context) => {
      const { certificate, key } = await issue({ names: ['backend.test'] });
      return peer(context, { cert: certificate, key });
    },
  },
  {
    what: 'one for another name',
    reason: 'ERR_TLS_CERT_ALTNAME_INVALID',
    tls: { serverName: 'elsewhere.test' },
    backend: (context) => peer(context),
  },
  {
    what: 'an older version than is wanted',
    reason: /PROTOCOL_VERSION|UNSUPPORTED_PROTOCOL/,
    tls: { minVersion: 'TLSv1.3' },
    backend: (context) => peer(context, { maxVersion: 'TLSv1.2' }),
  },
  {
    what: 'TLS 1.1 at most',
    reason: /PROTOCOL_VERSION|UNSUPPORTED_PROTOCOL|ALERT/,
    backend: (context) =>
      peer(context, { minVersion: 'TLSv1.1', maxVersion: 'TLSv1.1', ciphers: 'ALL:@SECLEVEL=0' }),
  },
  {
    what: 'the wish for a certificate of ours, in TLS 1.2',
    reason: /HANDSHAKE_FAILURE/,
    backend: (context) => peer(context, { requestCert: true, ca: authority.pem, maxVersion: 'TLSv1.2' }),
  },
  {
    what: 'no HTTP/2',
    reason: /NO_APPLICATION_PROTOCOL/,
    protocols: ['HTTP2'],
    backend: (context) => peer(context, { isOld: true }),
  },
  {
    what: 'no TLS',
    reason: 'ERR_SSL_WRONG_VERSION_NUMBER',
    backend: (context) => rawBackend(context, (socket) => socket.write('HTTP/1.1 400 Bad Request\r\n\r\n')),
  },
  {
    what: 'an end in the middle of the handshake',
    reason: /^(?:closed|ECONNRESET)$/,
    backend: (context) => rawBackend(context, (socket) => socket.end()),
  },
  {
    what: 'a reset in the middle of the handshake',
    reason: 'ECONNRESET',
    backend: (context) => rawBackend(context, (socket) => socket.resetAndDestroy()),
  },
  { what: 'nothing at all', reason: 'timeout', backend: (context) => rawBackend(context, () => {}) },
];

for (const { what, reason, tls = {}, backend, protocols = PROTOCOLS } of FAILING)
  test(`a backend that shows ${what} gets no request, and the reason is told everywhere`, async (context) => {
    const file = directory(context);
    const { port, ...other } = await backend(context);
    for (const protocol of protocols) {
      const accessLog = file(`${protocol}.log`);
      const harness = await proxy(context, port, tls, { protocol, connectTimeoutMs: 150 }, { accessLog });
      const answer = await exchange(harness.port, ask('www.example.com'));
      assert.match(answer, reason === 'timeout' ? /^HTTP\/1\.1 504 / : /^HTTP\/1\.1 502 /, protocol);
      const [failures] = harness.registrations.filter(({ metric }) => metric === 'upstream_connect_failures');
      const named = failures?.labels.reason ?? 'none';
      if (typeof reason === 'string') assert.equal(named, reason, protocol);
      else assert.match(named, reason, protocol);
      if (named !== 'timeout') assert.ok(!answer.includes(named), 'the client need not know');
      const { endpoints } = harness.dataplane.report('whole');
      assert.deepEqual(
        endpoints.map(({ health, reason: told }) => [health, told]),
        [['failing', named]],
      );
      const [line] = await logLines(accessLog, 1);
      assert.equal(line!.connectFailure, named);
      harness.dataplane.shutdown();
    }
    if ('seen' in other)
      for (const { hosts } of (other as Peer).seen) assert.deepEqual(hosts, [], 'it has got a request');
  });

for (const protocol of PROTOCOLS)
  test(`${protocol}: a connection that was verified for one host carries no other host's request`, async (context) => {
    let waiting = 0;
    let release = (): void => {};
    const all = new Promise<void>((resolve) => {
      release = resolve;
    });
    const asked = ['a.test', 'b.test', 'a.test', 'b.test', 'a.test:8080', '127.0.0.1'];
    const backend = await peer(context, {}, async () => {
      waiting += 1;
      if (waiting === asked.length) release();
      await all;
    });
    const harness = await proxy(context, backend.port, { serverName: '' }, { protocol });
    const request = (host: string): string => (host === '' ? 'GET / HTTP/1.0\r\n\r\n' : ask(host));
    const round = async (): Promise<void> => {
      for (const answer of await Promise.all(asked.map((host) => exchange(harness.port, request(host)))))
        assert.match(answer, /^HTTP\/1\.1 200 /);
    };
    await round();
    // And again, when connections are there that could be taken for another.
    await round();
    const fresh = await proxy(context, backend.port, { serverName: '' }, { protocol });
    for (const host of ['', 'b.test', '', 'a.test', '', 'b.test']) {
      const answer = await exchange(fresh.port, request(host));
      // nghttp2 takes no request without a host; its connection is there all the same.
      if (host !== '' || protocol === 'HTTP1') assert.match(answer, /^HTTP\/1\.1 200 /, host);
    }
    const plain = (host: string): string => host.split(':')[0]!;
    for (const { serverName, hosts } of backend.seen) {
      // An address is not asked for by SNI: there the endpoint's own was verified.
      const allowed = serverName === '' ? ['127.0.0.1', ''] : [serverName];
      for (const host of hosts) assert.ok(allowed.includes(plain(host)), `${host} at ${serverName}`);
    }
    assert.match(await exchange(harness.port, ask('c.test')), /^HTTP\/1\.1 502 /);
    assert.ok(harness.count('upstream_connect_failures', { reason: 'ERR_TLS_CERT_ALTNAME_INVALID' }) > 0);
  });

for (const protocol of PROTOCOLS)
  test(`${protocol}: what was agreed on under other settings carries nobody after they have changed`, async (context) => {
    let answer = (): void => {};
    const held = new Promise<void>((resolve) => {
      answer = resolve;
    });
    const backend = await peer(context, {}, () => (backend.seen.length === 1 ? held : Promise.resolve()));
    const harness = await proxy(
      context,
      backend.port,
      { verify: false, ca: '', serverName: 'any.test' },
      { protocol },
    );
    const first = new RawClient(harness.port).send(ask('www.example.com'));
    while (backend.seen[0]?.hosts.length !== 1) await new Promise(setImmediate);
    harness.change([{ kind: 'cluster', value: towards({}, { protocol }) }]);
    harness.dataplane.openPool(towards({}, { protocol }), 1);
    answer();
    await first.untilOver();
    assert.match(first.text, /^HTTP\/1\.1 200 /);
    assert.match(await exchange(harness.port, ask('www.example.com')), /^HTTP\/1\.1 200 /);
    assert.deepEqual(
      backend.seen.map(({ serverName, hosts }) => [serverName, hosts.length]),
      [
        ['any.test', 1],
        ['backend.test', 1],
      ],
    );
  });

for (const protocol of ['Auto', 'HTTP2'] as const)
  test(`${protocol}: settings that change in the middle of a handshake hold for those that come after it`, async (context) => {
    const backend = await peer(context);
    let hold = (): void => {};
    const begun = new Promise<void>((resolve) => {
      hold = resolve;
    });
    let let_ = (): void => {};
    // Between us and the backend, so that the handshake can be held.
    const relay = createTcpServer((socket) => {
      const through = new (socket.constructor as typeof Socket)();
      through.connect(backend.port, '127.0.0.1');
      for (const one of [socket, through]) one.on('error', () => {});
      context.after(() => {
        socket.destroy();
        through.destroy();
      });
      socket.pipe(through);
      if (let_ === PASSED) through.pipe(socket);
      else
        through.once('readable', () => {
          let_ = () => {
            let_ = PASSED;
            through.pipe(socket);
          };
          hold();
        });
    });
    await new Promise<void>((resolve) => relay.listen(0, '127.0.0.1', resolve));
    context.after(() => relay.close());
    const { port } = relay.address() as AddressInfo;
    const harness = await proxy(
      context,
      port,
      { verify: false, ca: '', serverName: 'any.test' },
      { protocol },
    );
    const first = exchange(harness.port, ask('www.example.com'));
    await begun;
    harness.change([{ kind: 'cluster', value: towards({}, { protocol }) }]);
    harness.dataplane.openPool(towards({}, { protocol }), 1);
    let_();
    assert.match(await first, /^HTTP\/1\.1 200 /);
    assert.match(await exchange(harness.port, ask('www.example.com')), /^HTTP\/1\.1 200 /);
    assert.deepEqual(
      backend.seen.map(({ serverName, hosts }) => [serverName, hosts.length]),
      [
        ['any.test', 1],
        ['backend.test', 1],
      ],
    );
  });

const PASSED = (): void => {};

for (const protocol of PROTOCOLS)
  test(`${protocol}: a backend that requires our certificate sees it, with a session that was resumed too`, async (context) => {
    for (const maxVersion of ['TLSv1.2', 'TLSv1.3'] as const) {
      const backend = await peer(context, { requestCert: true, ca: authority.pem, maxVersion });
      const settings = { protocol, maxRequestsPerConnection: 1 };
      const harness = await proxy(context, backend.port, { certificate: 'default/client' }, settings);
      for (let request = 0; request < 3; request += 1)
        assert.match(await exchange(harness.port, ask('www.example.com')), /^HTTP\/1\.1 200 /);
      assert.deepEqual(
        backend.seen.map(({ client, isResumed }) => [client, isResumed]),
        [
          ['edge.test', false],
          ['edge.test', true],
          ['edge.test', true],
        ],
        maxVersion,
      );
      harness.dataplane.shutdown();
    }
  });

test('a backend that finds out after the handshake of TLS 1.3 that a certificate of ours is missing gets no request', async (context) => {
  const backend = await peer(context, { requestCert: true, ca: authority.pem });
  for (const protocol of PROTOCOLS) {
    const harness = await proxy(context, backend.port, {}, { protocol });
    assert.match(await exchange(harness.port, ask('www.example.com')), /^HTTP\/1\.1 502 /, protocol);
    const failures = harness.registrations.filter(({ metric }) => metric === 'upstream_connect_failures');
    assert.deepEqual(
      failures.map(({ labels }) => labels.reason),
      ['ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED'],
      protocol,
    );
    harness.dataplane.shutdown();
  }
  for (const { hosts } of backend.seen) assert.deepEqual(hosts, []);
});

for (const version of ['V1', 'V2'] as const)
  test(`a PROXY header ${version} goes before TLS, and names the client`, async (context) => {
    const { own } = certificates;
    const heads: Buffer[] = [];
    const server = createTcpServer((socket) => {
      socket.on('error', () => {});
      context.after(() => socket.destroy());
      socket.once('readable', () => {
        const bytes = socket.read() as Buffer;
        // The length of the second stands in its bytes 14 and 15.
        const length = version === 'V1' ? bytes.indexOf('\r\n') + 2 : 16 + bytes.readUInt16BE(14);
        heads.push(bytes.subarray(0, length));
        socket.unshift(bytes.subarray(length));
        const secureContext = createSecureContext(shows(own!));
        const secured = new TLSSocket(socket, { isServer: true, secureContext });
        secured.on('error', () => {});
        const serve = answering(OK);
        secured.on('data', (piece: Buffer) => serve(secured, piece));
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    context.after(() => server.close());
    const { port } = server.address() as AddressInfo;
    for (const protocol of ['HTTP1', 'Auto'] as const) {
      const harness = await proxy(context, port, {}, { protocol, proxyProtocol: version });
      for (let request = 0; request < 2; request += 1)
        assert.match(await exchange(harness.port, ask('www.example.com')), /^HTTP\/1\.1 200 [\s\S]*ok$/);
      harness.dataplane.shutdown();
    }
    assert.equal(heads.length, 4);
    for (const head of heads)
      if (version === 'V1')
        assert.match(head.toString('latin1'), /^PROXY TCP4 127\.0\.0\.1 127\.0\.0\.1 \d+ \d+\r\n$/);
      else assert.deepEqual([head[12], head[13]], [0x21, 0x11]);
  });

suite('openssl s_server', needs('openssl'), () => {
  for (const version of ['-tls1_2', '-tls1_3'])
    test(`${version}: is shown our certificate by a backend that demands it, and resumes`, async (context) => {
      const file = directory(context);
      const { own } = certificates;
      const child = spawn('openssl', [
        's_server',
        '-accept',
        '127.0.0.1:0',
        '-www',
        version,
        '-Verify',
        '1',
        '-verify_return_error',
        '-CAfile',
        file('ca.pem', authority.pem),
        '-cert',
        file('own.crt', own!.chain),
        '-key',
        file('own.key', own!.privateKey),
      ]);
      context.after(() => child.kill());
      const port = await new Promise<number>((resolve, reject) => {
        let text = '';
        child.once('error', reject);
        child.once('close', () => reject(new Error(text)));
        for (const stream of [child.stdout, child.stderr])
          stream.on('data', (bytes: Buffer) => {
            text += bytes.toString();
            const found = /ACCEPT 127\.0\.0\.1:(\d+)/.exec(text);
            if (found !== null) resolve(Number(found[1]));
          });
      });
      const harness = await proxy(context, port, { certificate: 'default/client' }, { protocol: 'Auto' });
      const first = await exchange(harness.port, ask('www.example.com'));
      assert.match(first, /^HTTP\/1\.[01] 200 /);
      assert.match(first, /^New, TLSv1\.[23]/m);
      assert.match(first, /Subject: CN\s?=\s?edge\.test/);
      const second = await exchange(harness.port, ask('www.example.com'));
      assert.match(second, /^Reused, TLSv1\.[23]/m);
      const without = await proxy(context, port, {}, { protocol: 'Auto' });
      assert.match(await exchange(without.port, ask('www.example.com')), /^HTTP\/1\.1 502 /);
    });
});
