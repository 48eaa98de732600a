import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { test } from 'node:test';
import { connect } from 'node:tls';
import { stringify } from 'yaml';
import { type Issued, issue, secretManifest, tlsSecret } from '../config/issued.ts';
import {
  backend,
  backendManifest,
  eventually,
  freePort,
  novactl,
  routeManifest,
  standalone,
} from './harness.ts';

/** The certificate that a client is shown who asks for this name. */
async function shown(port: number, servername: string): Promise<string> {
  const socket = connect({ host: '127.0.0.1', port, servername, rejectUnauthorized: false });
  try {
    await once(socket, 'secureConnect');
    return socket.getPeerX509Certificate()!.fingerprint256;
  } finally {
    socket.destroy();
  }
}

const fingerprint = ({ certificate }: Issued): string => new X509Certificate(certificate).fingerprint256;

test('a Secret and files are replaced while the system runs; a bad one leaves the one before in use', async (t) => {
  const one = await backend(t, 'one');
  const port = await freePort();
  const [first, second, filed, refiled] = [
    await issue({ names: ['a.test'] }),
    await issue({ names: ['a.test'] }),
    await issue({ names: ['b.test'] }),
    await issue({ names: ['b.test'] }),
  ];
  const gateway = stringify({
    apiVersion: 'novaedge.io/v1alpha1',
    kind: 'ProxyGateway',
    metadata: { name: 'secured' },
    spec: {
      listeners: [
        {
          name: 'https',
          port,
          protocol: 'HTTPS',
          tls: { secretRef: { name: 'cert' }, files: [{ certificate: 'b.crt', key: 'b.key' }] },
        },
      ],
    },
  });
  const system = await standalone(t, {
    'app.yaml': `${backendManifest('one', one.port)}---\n${routeManifest('app', '/', 'one')}`,
    'gateway-secured.yaml': gateway,
    'secret.yaml': stringify(tlsSecret('cert', first)),
    'b.crt': filed.certificate,
    'b.key': filed.key,
  });
  assert.equal(await shown(port, 'a.test'), fingerprint(first));
  assert.equal(await shown(port, 'b.test'), fingerprint(filed));

  system.write('secret.yaml', stringify(tlsSecret('cert', second)));
  await eventually('the second Secret', async () => (await shown(port, 'a.test')) === fingerprint(second));
  system.write('b.crt', refiled.certificate);
  system.write('b.key', refiled.key);
  await eventually('the second files', async () => (await shown(port, 'b.test')) === fingerprint(refiled));

  system.write(
    'secret.yaml',
    stringify(secretManifest('cert', { 'tls.crt': first.certificate, 'tls.key': second.key })),
  );
  await eventually('the problem', async () =>
    (await novactl('problems', '-o', 'wide', '--admin', system.admin)).stdout.includes('KeyMismatch'),
  );
  assert.equal(await shown(port, 'a.test'), fingerprint(second));
  assert.equal(await shown(port, 'b.test'), fingerprint(refiled));

  assert.equal(await system.stop(), 0);
});
