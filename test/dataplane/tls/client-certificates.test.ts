import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import type { Certificate } from '../../../src/model/certificate.ts';
import { fingerprint, TestAuthority } from '../../certificates.ts';
import { answering, OK, rawBackend } from '../raw.ts';
import { exchange, get, shake, startSecure } from './harness.ts';

let authority: TestAuthority;
let server: Certificate;
let client: Certificate;
let expired: Certificate;
let foreign: Certificate;

before(async () => {
  authority = await TestAuthority.create();
  server = await authority.issue('default/www', ['www.example.com']);
  client = await authority.issue('client', ['client.test'], { usage: 'client' });
  expired = await authority.issue('expired', ['expired.test'], { usage: 'client', days: -1 });
  const stranger = await TestAuthority.create('another authority');
  foreign = await stranger.issue('foreign', ['foreign.test'], { usage: 'client' });
});

const shown = ({ chain, privateKey }: Certificate) => ({ cert: chain, key: privateKey });
const FIELD = 'x-client-certificate';

for (const mode of ['Optional', 'Required'] as const) {
  test(`client certificates ${mode}: who is let in`, async (context) => {
    const backend = await rawBackend(context, answering(OK));
    const harness = await startSecure(context, [backend.port], {
      certificates: [server],
      tls: { clientCertificates: { mode, ca: authority.pem, header: FIELD } },
    });
    const forged = `${FIELD}: Hash=forged\r\n${FIELD.toUpperCase()}: also\r\n`;
    const ask = `GET / HTTP/1.1\r\nHost: www.example.com\r\n${forged}Connection: close\r\n\r\n`;

    const { socket } = await shake(harness.port, shown(client));
    assert.match(await exchange(socket, ask), /^HTTP\/1\.1 200 /);
    const fields = backend.received[0]!.split('\r\n').filter((line) => line.toLowerCase().startsWith(FIELD));
    assert.equal(fields.length, 1);
    const hash = fingerprint(client).replaceAll(':', '').toLowerCase();
    const [, value] = /^x-client-certificate: (.*)$/.exec(fields[0]!)!;
    assert.match(value!, new RegExp(`^Hash=${hash};Subject="CN=client\\.test";DNS=client\\.test;Cert="`));
    const [, encoded] = /Cert="([^"]*)"$/.exec(value!)!;
    assert.equal(decodeURIComponent(encoded!).replace(/\s/g, ''), client.chain.replace(/\s/g, ''));

    // With TLS 1.3 a client is done before it is known what the server makes of its certificate.
    const refused = (text: Promise<string>): Promise<string> => text.catch(() => '');
    for (const bad of [expired, foreign]) assert.equal(await refused(get(harness.port, shown(bad))), '');
    assert.equal(backend.received.length, 1);
    assert.equal(harness.count('tls_handshake_failures', { reason: 'client_certificate_invalid' }), 2);

    if (mode === 'Optional') {
      const bare = await shake(harness.port);
      assert.match(await exchange(bare.socket, ask), /^HTTP\/1\.1 200 /);
      const last = backend.received[0]!.split('\r\n\r\n').at(-2)!;
      assert.doesNotMatch(last, /x-client-certificate/i);
    } else {
      assert.equal(await refused(get(harness.port)), '');
      assert.equal(harness.count('tls_handshake_failures', { reason: 'client_certificate_missing' }), 1);
    }
  });
}
