import assert from 'node:assert/strict';
import { connect as connectHttp2 } from 'node:http2';
import { before, test } from 'node:test';
import type { Certificate } from '../../../src/model/certificate.ts';
import { fingerprint, TestAuthority } from '../../certificates.ts';
import { answering, OK, rawBackend, exchange as rawExchange } from '../raw.ts';
import { exchange, get, shake, startSecure } from './harness.ts';

let authority: TestAuthority;
let certificate: Certificate;

before(async () => {
  authority = await TestAuthority.create();
  certificate = await authority.issue('default/www', ['www.example.com', '*.apps.example.com']);
});

test('a request over TLS is served, and another on the same connection', async (context) => {
  const backend = await rawBackend(context, answering(OK));
  const harness = await startSecure(context, [backend.port], { certificates: [certificate] });
  const { socket, failure } = await shake(harness.port, {
    ca: authority.pem,
    rejectUnauthorized: true,
    servername: 'www.example.com',
    ALPNProtocols: ['http/1.1'],
  });
  assert.equal(failure, '');
  assert.equal(socket.alpnProtocol, 'http/1.1');
  assert.equal(socket.getProtocol(), 'TLSv1.3');
  assert.equal(socket.getPeerCertificate().fingerprint256, fingerprint(certificate));
  const first = new Promise<string>((resolve) =>
    socket.once('data', (bytes: Buffer) => resolve(bytes.toString('latin1'))),
  );
  socket.write('GET /a HTTP/1.1\r\nHost: www.example.com\r\n\r\n');
  assert.match(await first, /^HTTP\/1\.1 200 OK[\s\S]*ok$/);
  const text = await exchange(
    socket,
    'GET /b HTTP/1.1\r\nHost: www.example.com\r\nConnection: close\r\n\r\n',
  );
  assert.match(text, /^HTTP\/1\.1 200 OK[\s\S]*ok$/);
  assert.equal(harness.count('tls_handshake_failures'), 0);
});

test('clear text on a port with TLS is told so', async (context) => {
  const harness = await startSecure(context, [], { certificates: [certificate] });
  const answer = await rawExchange(harness.port, 'GET / HTTP/1.1\r\nHost: www.example.com\r\n\r\n');
  assert.match(answer, /^HTTP\/1\.1 400 Bad Request\r\n/);
  const [head, body] = answer.split('\r\n\r\n');
  assert.equal(Number(/Content-Length: (\d+)/.exec(head!)![1]), body!.length);
  assert.equal(harness.count('tls_handshake_failures', { reason: 'http' }), 1);
  assert.match(await get(harness.port, { servername: 'www.example.com' }), /^HTTP\/1\.1 /);
});

test('HTTP/2 is spoken where ALPN agrees on it', async (context) => {
  const backend = await rawBackend(context, answering(OK));
  const harness = await startSecure(context, [backend.port], { certificates: [certificate] });
  const session = connectHttp2(`https://localhost:${harness.port}`, {
    servername: 'www.example.com',
    rejectUnauthorized: false,
  });
  context.after(() => session.destroy());
  const stream = session.request({ ':path': '/', ':authority': 'www.example.com' });
  const text = await new Promise<string>((resolve, reject) => {
    let body = '';
    stream.on('data', (bytes: Buffer) => {
      body += bytes.toString('latin1');
    });
    stream.once('end', () => resolve(body));
    stream.once('error', reject);
  });
  assert.equal(text, 'ok');
  assert.match(backend.received[0]!, /X-Forwarded-Proto: https\r\n/);
});
