import { webcrypto } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import 'reflect-metadata';
import * as x509 from '@peculiar/x509';

export type KeyKind = 'EC' | 'RSA';

export interface ServerCertificate {
  /** PEM, certificate and key in one file, as nginx, HAProxy and Caddy all take it. */
  readonly path: string;
  readonly certificate: string;
  readonly key: string;
}

const ALGORITHMS = {
  EC: { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' },
  RSA: {
    name: 'RSASSA-PKCS1-v1_5',
    modulusLength: 2048,
    publicExponent: new Uint8Array([1, 0, 1]),
    hash: 'SHA-256',
  },
} as const;
const DAY_MS = 86_400_000;

/** Writes a self-signed certificate for `bench.test` and 127.0.0.1, EC P-256 or RSA 2048. */
export async function writeCertificate(directory: string, kind: KeyKind): Promise<ServerCertificate> {
  const algorithm = ALGORITHMS[kind];
  const keys = (await webcrypto.subtle.generateKey(algorithm, true, [
    'sign',
    'verify',
  ])) as webcrypto.CryptoKeyPair;
  const issued = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: '01',
    name: [{ CN: ['bench.test'] }],
    notBefore: new Date(Date.now() - DAY_MS),
    notAfter: new Date(Date.now() + DAY_MS),
    keys,
    signingAlgorithm: algorithm,
    extensions: [
      new x509.SubjectAlternativeNameExtension([
        { type: 'dns', value: 'bench.test' },
        { type: 'ip', value: '127.0.0.1' },
      ]),
    ],
  });
  const certificate = issued.toString('pem');
  const der = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', keys.privateKey));
  const key = x509.PemConverter.encode(der, 'PRIVATE KEY');
  const path = join(directory, `${kind}.pem`);
  writeFileSync(path, `${certificate}\n${key}\n`, { mode: 0o600 });
  return { path, certificate, key };
}
