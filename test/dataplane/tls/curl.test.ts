import assert from 'node:assert/strict';
import { connect as connectHttp2 } from 'node:http2';
import type { TestContext } from 'node:test';
import { before, suite, test } from 'node:test';
import type { Certificate } from '../../../src/model/certificate.ts';
import type { Listener } from '../../../src/model/gateway.ts';
import { CLIENT_ADDRESS_DEFAULTS } from '../../../src/model/http-settings.ts';
import type { Resource } from '../../../src/model/resource.ts';
import { TestAuthority } from '../../certificates.ts';
import { freePort } from '../../e2e/harness.ts';
import { needs } from '../../needs.ts';
import type { Harness } from '../harness.ts';
import { cluster, filtered, LISTENER, listener, route } from '../harness.ts';
import { logLines } from '../log-lines.ts';
import { answering, OK, RawClient, rawBackend } from '../raw.ts';
import { certificateResources, listenerTls, startSecure } from './harness.ts';
import type { Ran } from './openssl.ts';
import { directory, run } from './openssl.ts';

let authority: TestAuthority;
let certificate: Certificate;

before(async () => {
  authority = await TestAuthority.create();
  certificate = await authority.issue('default/www', ['www.example.com', 'other.test']);
});

type Curl = (port: number, ...words: string[]) => Promise<Ran>;

/** curl, which trusts the authority and finds all hosts here. */
function curlOf(context: TestContext): Curl {
  const file = directory(context);
  const ca = file('ca.pem', authority.pem);
  return (port, ...words) =>
    run('curl', [
      '-sS',
      '-i',
      '--max-time',
      '10',
      '--cacert',
      ca,
      '--connect-to',
      `::127.0.0.1:${port}`,
      ...words,
    ]);
}

const VERSIONS = ['--http1.1', '--http2'] as const;
const URL_ = 'https://www.example.com/shop?x=1';

suite('curl', needs('curl'), () => {
  for (const version of VERSIONS)
    test(`${version}: verifies us, and backends hear that it came over TLS`, async (context) => {
      const curl = curlOf(context);
      const backend = await rawBackend(context, answering(OK));
      const harness = await startSecure(context, [backend.port], { certificates: [certificate] });
      for (const limit of ['--tls-max 1.2', '--tlsv1.3']) {
        const { code, text } = await curl(harness.port, version, ...limit.split(' '), URL_);
        assert.equal(code, 0, text);
        assert.match(text, version === '--http2' ? /^HTTP\/2 200/ : /^HTTP\/1\.1 200 OK/);
        assert.match(text, /ok$/);
      }
      const received = backend.received.join('');
      assert.match(received, /^Host: www\.example\.com\r$/im);
      assert.match(received, /^X-Forwarded-Proto: https\r$/im);
      assert.match(received, new RegExp(`^X-Forwarded-Port: ${harness.port}\\r$`, 'im'));
      assert.doesNotMatch(received, /Forwarded-Proto: http\r/i);
      const stranger = await curl(harness.port, version, 'https://nobody.test/');
      // 60: not the one it should be. The name that is asked for is in no certificate.
      assert.equal(stranger.code, 60, stranger.text);
    });

  test('what a client says of its scheme is not believed, and Forwarded says https', async (context) => {
    const curl = curlOf(context);
    const backend = await rawBackend(context, answering(OK));
    const harness = await startSecure(context, [backend.port], {
      certificates: [certificate],
      listener: { clientAddress: { ...CLIENT_ADDRESS_DEFAULTS, send: 'Both' } },
    });
    const lies = ['X-Forwarded-Proto: http', 'X-Forwarded-Port: 80', 'Forwarded: proto=http;host=evil'];
    for (const version of VERSIONS)
      await curl(harness.port, version, ...lies.flatMap((line) => ['-H', line]), URL_);
    const received = backend.received.join('');
    assert.equal(received.match(/^X-Forwarded-Proto: https\r$/gim)?.length, 2);
    assert.equal(
      received.match(/^Forwarded: for=127\.0\.0\.1;host=www\.example\.com;proto=https\r$/gim)?.length,
      2,
    );
    assert.equal(received.match(/^X-Forwarded-Port: .*\r$/gim)?.length, 2);
    assert.doesNotMatch(received, /evil|: 80\r/);
  });

  test('a redirect keeps https, and a sticky cookie goes over TLS alone', async (context) => {
    const curl = curlOf(context);
    const backend = await rawBackend(context, answering(OK));
    const redirect = { type: 'Redirect', scheme: null, hostname: null, port: null, path: null } as const;
    const harness = await startSecure(context, [backend.port], {
      certificates: [certificate],
      more: [{ kind: 'route', value: filtered([{ ...redirect, statusCode: 302 }]) }],
    });
    for (const version of VERSIONS) {
      const { text } = await curl(harness.port, version, URL_);
      assert.match(
        text,
        new RegExp(`^location: https://www\\.example\\.com:${harness.port}/shop\\?x=1\\r$`, 'im'),
      );
    }
    const sticky: Resource = {
      kind: 'cluster',
      value: cluster({
        lbPolicy: 'RingHash',
        hash: { type: 'Cookie', name: 'at', path: '/', ttlSeconds: 0 },
      }),
    };
    const stuck = await startSecure(context, [backend.port], { certificates: [certificate], more: [sticky] });
    for (const version of VERSIONS) {
      const { text } = await curl(stuck.port, version, URL_);
      assert.match(text, /^set-cookie: at=[0-9a-f]{32}; Path=\/; Secure; HttpOnly; SameSite=Lax\r$/im);
    }
  });

  test('the access log has what TLS has agreed on', async (context) => {
    const curl = curlOf(context);
    const log = directory(context)('access.log');
    const backend = await rawBackend(context, answering(OK));
    const harness = await startSecure(context, [backend.port], {
      certificates: [certificate],
      accessLog: log,
    });
    await curl(harness.port, '--http1.1', '--tls-max', '1.2', URL_);
    await curl(harness.port, '--http2', URL_);
    const lines = await logLines(log, 2);
    const fields = lines.map(({ protocol, tls, cipher, serverName }) => ({
      protocol,
      tls,
      cipher,
      serverName,
    }));
    const serverName = 'www.example.com';
    assert.deepEqual(fields, [
      { protocol: 'HTTP/1.1', tls: 'TLSv1.2', cipher: 'TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256', serverName },
      { protocol: 'HTTP/2', tls: 'TLSv1.3', cipher: 'TLS_AES_128_GCM_SHA256', serverName },
    ]);
  });

  test('at a clear-text URL of a port with TLS is told so, and the other way round fails', async (context) => {
    const curl = curlOf(context);
    const harness = await startSecure(context, [], { certificates: [certificate] });
    const { text } = await curl(harness.port, '--http1.1', 'http://www.example.com/');
    assert.match(
      text,
      /^HTTP\/1\.1 400 Bad Request\r\n[\s\S]*plain HTTP request was sent to a port with HTTPS/,
    );
    const prior = await curl(harness.port, '--http2-prior-knowledge', 'http://www.example.com/');
    assert.notEqual(prior.code, 0);
    assert.equal(harness.count('tls_handshake_failures', { reason: 'http' }), 2);
  });
});

/** Two HTTPS listeners on one port, for www.example.com and other.test, under one certificate that is for both. */
async function twoListeners(context: TestContext): Promise<Harness> {
  const backend = await rawBackend(context, answering(OK));
  const harness = await startSecure(context, [backend.port], {
    certificates: [certificate],
    listener: { hostnames: ['www.example.com'] },
    port: await freePort(),
  });
  const second: Listener = listener({
    name: 'default/edge/other',
    protocol: 'HTTPS',
    hostnames: ['other.test'],
    port: harness.port,
    tls: listenerTls([certificate]),
  });
  await harness.dataplane.bindListener(second);
  const attachments = [LISTENER, second.name].map((name) => ({ listener: name, hostnames: [] }));
  harness.change([
    ...certificateResources([certificate]),
    { kind: 'listener', value: second },
    { kind: 'route', value: route({ attachments }) },
  ]);
  harness.dataplane.activateListener(second.name);
  return harness;
}

test('HTTP/2: a client that takes its connection for another host too is told 421, that request alone', async (context) => {
  const { port, ...harness } = await twoListeners(context);
  const session = connectHttp2(`https://localhost:${port}`, {
    servername: 'www.example.com',
    ca: authority.pem,
  });
  context.after(() => session.destroy());
  const status = (authority_: string): Promise<number> =>
    new Promise((resolve, reject) => {
      const stream = session.request({ ':path': '/', ':authority': authority_ });
      stream.once('error', reject);
      stream.once('response', (head) => {
        stream.resume();
        resolve(Number(head[':status']));
      });
    });
  assert.deepEqual(
    await Promise.all(
      ['www.example.com', 'other.test', 'www.example.com', 'other.test:443', 'nobody.test'].map(status),
    ),
    [200, 421, 200, 421, 404],
  );
  assert.equal(await status('www.example.com'), 200);
  assert.equal(harness.count('local_response_count', { reason: 'misdirected_request' }), 2);
});

test('curl, which shares HTTP/2 connections, gets 421 on the shared one and 200 on one of its own', {
  ...needs('curl'),
}, async (context) => {
  const curl = curlOf(context);
  const { port } = await twoListeners(context);
  const { text } = await curl(port, '--http2', '-H', 'Host: other.test', 'https://www.example.com/');
  assert.match(text, /^HTTP\/2 421/);
  const own = await curl(port, '--http2', 'https://other.test/');
  assert.match(own.text, /^HTTP\/2 200/);
});

test('a connection that looks and goes is no failure', async (context) => {
  const harness = await startSecure(context, [], { certificates: [certificate] });
  const looked = new RawClient(harness.port);
  looked.socket.end();
  await looked.untilOver();
  assert.equal(harness.count('tls_handshake_failures'), 0);
});
