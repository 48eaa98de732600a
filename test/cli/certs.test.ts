import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import tls from 'node:tls';
import { writeCertificates } from '../../src/cli/certs.ts';
import { needs } from '../needs.ts';

let directory = '';
before(async () => {
  directory = join(mkdtempSync(join(tmpdir(), 'novaedge-certs-')), 'new');
  await writeCertificates({
    directory,
    hosts: ['edge.example.com', '192.0.2.7', 'fd00::7'],
    days: 30,
    force: false,
  });
});
after(() => rmSync(join(directory, '..'), { recursive: true }));

const read = (file: string): Buffer => readFileSync(join(directory, file));

/** Connects over TLS; resolves with the name of the client that the server saw. */
async function handshake(servername: string, host: string): Promise<string> {
  const server = tls.createServer({
    ca: read('ca.crt'),
    cert: read('server.crt'),
    key: read('server.key'),
    requestCert: true,
    rejectUnauthorized: true,
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  try {
    return await new Promise((resolve, reject) => {
      server.on('secureConnection', (socket) => {
        resolve(String(socket.getPeerCertificate().subject.CN));
        socket.destroy();
      });
      server.on('tlsClientError', reject);
      const client = tls.connect({
        host: '127.0.0.1',
        port,
        ca: read('ca.crt'),
        cert: read('client.crt'),
        key: read('client.key'),
        ...(servername === '' ? {} : { servername }),
        checkServerIdentity: (_, certificate) => tls.checkServerIdentity(host, certificate),
      });
      client.on('error', reject);
    });
  } finally {
    server.close();
  }
}

for (const host of ['localhost', '127.0.0.1', '::1', 'edge.example.com', '192.0.2.7', 'fd00::7']) {
  test(`node:tls takes server and client certificate for ${host}`, async () => {
    assert.equal(await handshake(/[a-z]\./.test(host) ? host : '', host), 'novaedge agent');
  });
}

test('the server certificate is for no other host', async () => {
  await assert.rejects(handshake('', 'other.example.com'), { code: 'ERR_TLS_CERT_ALTNAME_INVALID' });
});

for (const [file, purpose] of [
  ['server.crt', 'sslserver'],
  ['client.crt', 'sslclient'],
] as const) {
  test(`openssl verifies ${file} strictly`, needs('openssl'), () => {
    const run = spawnSync('openssl', [
      'verify',
      '-x509_strict',
      '-purpose',
      purpose,
      '-CAfile',
      join(directory, 'ca.crt'),
      join(directory, file),
    ]);
    assert.equal(run.status, 0, run.stderr.toString());
  });
}

test('only the owner reads the keys', () => {
  const modes = ['ca', 'server', 'client'].flatMap((name) =>
    ['key', 'crt'].map((ending) => statSync(join(directory, `${name}.${ending}`)).mode & 0o777),
  );
  assert.deepEqual(modes, [0o600, 0o644, 0o600, 0o644, 0o600, 0o644]);
});

test('files that are there are overwritten only by force', async () => {
  const request = { directory, hosts: [], days: 1 };
  const before = read('ca.key');
  rmSync(join(directory, 'client.crt'));
  await assert.rejects(
    writeCertificates({ ...request, force: false }),
    /ca\.crt, ca\.key, server\.crt, server\.key, client\.key are there already; --force overwrites/,
  );
  assert.deepEqual(read('ca.key'), before);
  await writeCertificates({ ...request, force: true });
  assert.notDeepEqual(read('ca.key'), before);
  assert.equal(statSync(join(directory, 'ca.key')).mode & 0o777, 0o600);
});

test('what is no host and no number of days is named', async () => {
  const request = { directory: join(directory, 'none'), hosts: [], days: 1, force: false };
  for (const host of ['http://x', '[::1]', 'a b', 'x:443', '']) {
    await assert.rejects(writeCertificates({ ...request, hosts: [host] }), /--host .*: is neither/);
  }
  for (const days of [0, -1, 1.5, 40_000, Number.NaN]) {
    await assert.rejects(writeCertificates({ ...request, days }), /--days .*whole number from 1 to 36500/);
  }
});
