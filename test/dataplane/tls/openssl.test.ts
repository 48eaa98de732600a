import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { before, suite, test } from 'node:test';
import type { Certificate } from '../../../src/model/certificate.ts';
import type { ListenerTls } from '../../../src/model/tls.ts';
import { TicketKeys } from '../../../src/os/tls/ticket-keys.ts';
import { TestAuthority } from '../../certificates.ts';
import { needs } from '../../needs.ts';
import type { Harness } from '../harness.ts';
import { startProxy } from '../harness.ts';
import { answering, exchange, OK, rawBackend } from '../raw.ts';
import { startSecure } from './harness.ts';
import { ask, CLOSING, directory, handshake } from './openssl.ts';

let authority: TestAuthority;
const certificates: Record<string, Certificate> = {};

before(async () => {
  authority = await TestAuthority.create();
  for (const [name, host, algorithm] of [
    ['first', 'first.test', 'EC'],
    ['exact', 'www.example.com', 'EC'],
    ['exact-rsa', 'www.example.com', 'RSA'],
    ['wildcard', '*.example.com', 'EC'],
  ] as const)
    certificates[name] = await authority.issue(`default/${name}`, [host], { algorithm });
});

async function served(
  context: TestContext,
  tls: Partial<ListenerTls> = {},
  ticketKeys?: SharedArrayBuffer,
): Promise<Harness> {
  const backend = await rawBackend(context, answering(OK));
  return startSecure(context, [backend.port], {
    certificates: Object.values(certificates),
    tls,
    ...(ticketKeys === undefined ? {} : { ticketKeys }),
  });
}

const shownName = (text: string): string => /^subject=.*?CN = (\S+)/m.exec(text)?.[1] ?? '';

suite('openssl s_client', needs('openssl'), () => {
  test('is shown the certificate that its name and its signatures ask for', async (context) => {
    const { port } = await served(context);
    const table: readonly (readonly [string, string, RegExp])[] = [
      ['-servername www.example.com', 'www.example.com', /ECDSA|id-ecPublicKey/],
      ['-servername WWW.Example.COM', 'www.example.com', /ECDSA|id-ecPublicKey/],
      ['-servername www.example.com.', 'www.example.com', /ECDSA|id-ecPublicKey/],
      [
        '-servername www.example.com -sigalgs RSA-PSS+SHA256',
        'www.example.com',
        /Peer signature type: RSA-PSS/,
      ],
      [
        '-servername www.example.com -sigalgs RSA+SHA256 -tls1_2',
        'www.example.com',
        /Peer signature type: RSA/,
      ],
      ['-servername www.example.com -sigalgs ECDSA+SHA256', 'www.example.com', /Peer signature type: ECDSA/],
      ['-servername other.example.com', '*.example.com', /ECDSA/],
      ['-servername a.b.example.com', 'first.test', /ECDSA/],
      ['-servername nobody.test', 'first.test', /ECDSA/],
      ['-servername 127.0.0.1', 'first.test', /ECDSA/],
      ['-noservername', 'first.test', /ECDSA/],
    ];
    for (const [words, name, expected] of table) {
      const { code, text } = await handshake(port, words);
      assert.equal(code, 0, `${words}: ${text}`);
      assert.equal(shownName(text), name, words);
      assert.match(text, expected, words);
    }
  });

  test('is refused by the alert that says why', async (context) => {
    const harness = await served(context);
    const only13 = await served(context, { minVersion: 'TLSv1.3', curves: ['P-256'] });
    const only12 = await served(context, { maxVersion: 'TLSv1.2' });
    const missing = await startSecure(context, [], {
      certificates: [certificates.first!],
      tls: { certificates: ['default/first', 'default/absent'] },
    });
    const weak = '-cipher ALL:@SECLEVEL=0';
    const table: readonly (readonly [Harness, string, number, string])[] = [
      [harness, `-tls1 ${weak}`, 70, 'version'],
      [harness, `-tls1_1 ${weak}`, 70, 'version'],
      [only13, '-tls1_2', 70, 'version'],
      [only12, '-tls1_3', 70, 'version'],
      [harness, '-tls1_2 -cipher AES128-SHA', 40, 'cipher'],
      [harness, '-tls1_2 -cipher ECDHE-RSA-AES128-SHA:ECDHE-ECDSA-AES256-SHA', 40, 'cipher'],
      [harness, '-tls1_2 -cipher aNULL:@SECLEVEL=0', 40, 'cipher'],
      [only13, '-groups X25519', 40, 'cipher'],
      [harness, '-alpn spdy/3', 120, 'alpn'],
      [harness, '-tls1_2 -alpn spdy/3,h3', 120, 'alpn'],
      [missing, '-servername absent.test', 112, 'unknown_name'],
    ];
    for (const [who, words, alert, reason] of table) {
      const seen = who.count('tls_handshake_failures', { reason });
      const { code, text } = await handshake(who.port, words);
      assert.notEqual(code, 0, words);
      assert.match(text, new RegExp(`SSL alert number ${alert}\\b`), `${words}: ${text}`);
      assert.equal(who.count('tls_handshake_failures', { reason }), seen + 1, words);
    }
    assert.equal((await handshake(harness.port, '')).code, 0);
  });

  test('agrees on versions, ciphers, curves and protocols', async (context) => {
    const { port } = await served(context);
    const table: readonly (readonly [string, RegExp])[] = [
      ['', /^New, TLSv1\.3, Cipher is TLS_AES_128_GCM_SHA256$/m],
      ['-tls1_2 -servername www.example.com', /Cipher is ECDHE-ECDSA-AES128-GCM-SHA256$/m],
      [
        '-tls1_2 -servername www.example.com -cipher ECDHE-RSA-AES256-GCM-SHA384',
        /Cipher is ECDHE-RSA-AES256-GCM-SHA384$/m,
      ],
      // Who puts ChaCha20 first has no AES in hardware.
      [
        '-ciphersuites TLS_CHACHA20_POLY1305_SHA256:TLS_AES_128_GCM_SHA256',
        /Cipher is TLS_CHACHA20_POLY1305_SHA256$/m,
      ],
      ['-groups X25519', /Server Temp Key: X25519/],
      ['-groups P-256', /Server Temp Key: ECDH, prime256v1/],
      ['-groups P-384', /Server Temp Key: ECDH, secp384r1/],
      ['-alpn h2', /^ALPN protocol: h2$/m],
      ['-alpn http/1.1', /^ALPN protocol: http\/1\.1$/m],
      ['-alpn http/1.1,h2', /^ALPN protocol: h2$/m],
      ['-alpn spdy/3,http/1.1', /^ALPN protocol: http\/1\.1$/m],
      ['', /^No ALPN negotiated$/m],
      ['-tls1_2', /^Secure Renegotiation IS supported$/m],
      ['-tls1_2', /^Compression: NONE$/m],
      ['-tls1_2 -comp', /^Compression: NONE$/m],
      ['-tls1_2', /^ {4}Extended master secret: yes$/m],
    ];
    for (const [words, expected] of table) {
      const { code, text } = await handshake(port, words);
      assert.equal(code, 0, `${words}: ${text}`);
      assert.match(text, expected, words);
    }
    const without = await served(context, { alpn: ['http/1.1'] });
    assert.match((await handshake(without.port, '-alpn h2,http/1.1')).text, /^ALPN protocol: http\/1\.1$/m);
    assert.match((await handshake(without.port, '-alpn h2')).text, /SSL alert number 120/);
  });

  for (const version of ['-tls1_2', '-tls1_3'])
    test(`${version}: resumes at another worker, and after its key was replaced, but sends no early data`, async (context) => {
      const file = directory(context);
      const keys = new TicketKeys();
      const [one, other] = [await served(context, {}, keys.memory), await served(context, {}, keys.memory)];
      const words = (more: string): string => `${version} -servername www.example.com ${more}`;
      const [kept, next] = [file('kept'), file('next')];
      const first = await ask(one.port, words(`-sess_out ${kept}`));
      assert.match(first.text, /^New, /m);
      assert.match(first.text, /HTTP\/1\.1 200 OK/);
      const second = await ask(other.port, words(`-sess_in ${kept} -sess_out ${next}`));
      assert.match(second.text, /^Reused, /m);
      assert.match(second.text, /HTTP\/1\.1 200 OK/);
      keys.rotate();
      // With 1.2 it keeps the session that it has.
      const newest = version === '-tls1_3' ? next : kept;
      assert.match((await ask(one.port, words(`-sess_in ${newest}`))).text, /^Reused, /m);
      if (version === '-tls1_3') {
        const early = await ask(one.port, words(`-sess_in ${next} -early_data ${file('early', CLOSING)}`));
        assert.match(early.text, /^Early data was not sent$/m);
        assert.match(early.text, /Max Early Data: 0$/m);
      }
      keys.rotate();
      keys.rotate();
      assert.match((await ask(other.port, words(`-sess_in ${kept}`))).text, /^New, /m);
    });

  test('cannot renegotiate', async (context) => {
    const backend = await rawBackend(context, answering(OK));
    const harness = await startSecure(context, [backend.port], { certificates: [certificates.exact!] });
    // `R` at the beginning of a line asks for it.
    const { text } = await handshake(harness.port, '-tls1_2', 'R\n');
    assert.match(text, /^RENEGOTIATING$/m);
    assert.match(text, /no renegotiation/);
    assert.doesNotMatch(text, /^read R BLOCK[\s\S]*depth=/m);
  });

  test('is told the end by TLS before that of the connection', async (context) => {
    const { port } = await served(context);
    for (const version of ['-tls1_2', '-tls1_3']) {
      const { code, text } = await ask(port, `${version} -msg`);
      assert.equal(code, 0, text);
      assert.match(text, /HTTP\/1\.1 200 OK/);
      assert.match(text, /<<< TLS 1\.\d, Alert \[length 0002\], warning close_notify/);
      assert.doesNotMatch(text, /unexpected eof/);
    }
  });

  test('at a port without TLS is told in clear text, and that port lives', async (context) => {
    const backend = await rawBackend(context, answering(OK));
    const harness = await startProxy(context, [backend.port]);
    const { code, text } = await handshake(harness.port, '');
    assert.notEqual(code, 0);
    assert.match(text, /wrong version number|unexpected eof|record layer failure/);
    assert.match(await exchange(harness.port, CLOSING), /^HTTP\/1\.1 200 /);
    assert.equal(backend.connections.length, 1);
  });

  for (const mode of ['Optional', 'Required'] as const)
    test(`with client certificates ${mode}: who comes in`, async (context) => {
      const backend = await rawBackend(context, answering(OK));
      const file = directory(context);
      const harness = await startSecure(context, [backend.port], {
        certificates: [certificates.exact!],
        tls: { clientCertificates: { mode, ca: authority.pem, header: 'x-client-cert' } },
      });
      const stranger = await TestAuthority.create('another authority');
      const words = ({ name, chain, privateKey }: Certificate): string => {
        const plain = name.replace('/', '-');
        return `-cert ${file(`${plain}.crt`, chain)} -key ${file(`${plain}.key`, privateKey)}`;
      };
      const usage = 'client';
      const good = words(await authority.issue('good', ['client.test'], { usage }));
      const rsa = words(await authority.issue('rsa', ['rsa.test'], { usage, algorithm: 'RSA' }));
      const bad = {
        expired: words(await authority.issue('expired', ['client.test'], { usage, days: -1 })),
        foreign: words(await stranger.issue('foreign', ['client.test'], { usage })),
        selfSigned: `-cert ${file('self.crt', stranger.pem)} -key ${file('self.key', await stranger.privateKey())}`,
        // A certificate of a server says that it is none of a client.
        server: words(await authority.issue('server', ['client.test'])),
      };
      for (const version of ['-tls1_2', '-tls1_3']) {
        for (const one of [good, rsa]) {
          const { text } = await ask(harness.port, `${version} ${one}`);
          assert.match(text, /HTTP\/1\.1 200 OK/, one);
          assert.match(text, /Acceptable client certificate CA names\r?\nCN = test authority/);
        }
        const reached = backend.received.join('').split('GET ').length;
        for (const [what, one] of Object.entries(bad)) {
          const seen = harness.count('tls_handshake_failures', { reason: 'client_certificate_invalid' });
          const { text } = await ask(harness.port, `${version} ${one}`);
          assert.doesNotMatch(text, /HTTP\/1\.1/, `${version} ${what}`);
          assert.equal(
            harness.count('tls_handshake_failures', { reason: 'client_certificate_invalid' }),
            seen + 1,
            `${version} ${what}`,
          );
        }
        const { text } = await ask(harness.port, version);
        if (mode === 'Optional') assert.match(text, /HTTP\/1\.1 200 OK/);
        else {
          // 1.3 has an alert of its own for it (RFC 8446 section 6.2); 1.2 has not.
          assert.match(text, version === '-tls1_3' ? /SSL alert number 116/ : /SSL alert number 40/);
          assert.doesNotMatch(text, /HTTP\/1\.1/);
        }
        assert.equal(backend.received.join('').split('GET ').length, reached + (mode === 'Optional' ? 1 : 0));
      }
    });
});
