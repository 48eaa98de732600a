import { createHash, webcrypto } from 'node:crypto';
import 'reflect-metadata';
import * as x509 from '@peculiar/x509';
import type { Certificate } from '../src/model/certificate.ts';

type KeyPair = webcrypto.CryptoKeyPair;
type Algorithm = 'EC' | 'RSA';

const ALGORITHMS = {
  EC: { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' },
  RSA: {
    name: 'RSASSA-PKCS1-v1_5',
    hash: 'SHA-256',
    publicExponent: new Uint8Array([1, 0, 1]),
    modulusLength: 2048,
  },
} as const;
const DAY_MS = 86_400_000;

export interface IssueOptions {
  readonly algorithm?: Algorithm;
  readonly usage?: 'server' | 'client';
  /** Days from now; negative: it has expired. */
  readonly days?: number;
}

async function pemOfKey(key: webcrypto.CryptoKey): Promise<string> {
  return x509.PemConverter.encode(await webcrypto.subtle.exportKey('pkcs8', key), 'PRIVATE KEY');
}

function serialNumber(): string {
  const bytes = webcrypto.getRandomValues(new Uint8Array(16));
  bytes[0] = (bytes[0]! & 0x7f) | 1;
  return Buffer.from(bytes).toString('hex');
}

/** An authority made for a test. */
export class TestAuthority {
  readonly pem: string;
  readonly #certificate: x509.X509Certificate;
  readonly #keys: KeyPair;

  private constructor(certificate: x509.X509Certificate, keys: KeyPair) {
    this.#certificate = certificate;
    this.#keys = keys;
    this.pem = certificate.toString('pem');
  }

  static async create(name = 'test authority'): Promise<TestAuthority> {
    const keys = (await webcrypto.subtle.generateKey(ALGORITHMS.EC, true, ['sign', 'verify'])) as KeyPair;
    const certificate = await x509.X509CertificateGenerator.createSelfSigned({
      serialNumber: serialNumber(),
      name: [{ CN: [name] }],
      notBefore: new Date(Date.now() - 40 * DAY_MS),
      notAfter: new Date(Date.now() + 40 * DAY_MS),
      keys,
      signingAlgorithm: ALGORITHMS.EC,
      extensions: [
        new x509.BasicConstraintsExtension(true, undefined, true),
        new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
        await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
      ],
    });
    return new TestAuthority(certificate, keys);
  }

  /** PEM, of its own key. */
  privateKey(): Promise<string> {
    return pemOfKey(this.#keys.privateKey);
  }

  /** For these names, the first in its subject too. */
  async issue(name: string, hosts: readonly string[], options: IssueOptions = {}): Promise<Certificate> {
    const { algorithm = 'EC', usage = 'server', days = 30 } = options;
    const keys = (await webcrypto.subtle.generateKey(ALGORITHMS[algorithm], true, [
      'sign',
      'verify',
    ])) as KeyPair;
    const notAfter = new Date(Date.now() + days * DAY_MS);
    const certificate = await x509.X509CertificateGenerator.create({
      serialNumber: serialNumber(),
      subject: [{ CN: [hosts[0] ?? name] }],
      issuer: this.#certificate.subjectName,
      notBefore: new Date(Date.now() - 35 * DAY_MS),
      notAfter,
      publicKey: keys.publicKey,
      signingKey: this.#keys.privateKey,
      signingAlgorithm: ALGORITHMS.EC,
      extensions: [
        new x509.BasicConstraintsExtension(false, undefined, true),
        new x509.KeyUsagesExtension(
          x509.KeyUsageFlags.digitalSignature | x509.KeyUsageFlags.keyEncipherment,
          true,
        ),
        new x509.ExtendedKeyUsageExtension([
          usage === 'server' ? x509.ExtendedKeyUsage.serverAuth : x509.ExtendedKeyUsage.clientAuth,
        ]),
        await x509.AuthorityKeyIdentifierExtension.create(this.#keys.publicKey),
        ...(hosts.length === 0
          ? []
          : [
              new x509.SubjectAlternativeNameExtension(
                hosts.map((value) => ({
                  type: /^[\d.]+$/.test(value) ? ('ip' as const) : ('dns' as const),
                  value,
                })),
              ),
            ]),
      ],
    });
    return {
      name,
      chain: certificate.toString('pem'),
      privateKey: await pemOfKey(keys.privateKey),
      ocspStaple: '',
      notAfter: notAfter.getTime(),
    };
  }
}

/** As `tls` writes it: `AA:BB:…`. */
export function fingerprint(certificate: Certificate): string {
  const raw = Buffer.from(certificate.chain.replace(/-----[^-]+-----|\s/g, ''), 'base64');
  const hex = createHash('sha256').update(raw).digest('hex').toUpperCase();
  return hex.match(/../g)!.join(':');
}
