import { generateKeyPairSync, type KeyObject, webcrypto } from 'node:crypto';
import 'reflect-metadata';
import * as x509 from '@peculiar/x509';

const DAY = 86_400_000;
const ECDSA = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;
const RSA = { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' } as const;

export interface Wish {
  readonly names?: readonly string[];
  /** Milliseconds since the epoch. */
  readonly notBefore?: number;
  readonly notAfter?: number;
  readonly issuer?: Issued;
  readonly authority?: boolean;
  /** RSA of so many bits instead of EC. */
  readonly rsaBits?: number;
  readonly subject?: string;
}

export interface Issued {
  /** PEM */
  readonly certificate: string;
  /** PEM, PKCS#8 */
  readonly key: string;
  readonly subject: string;
  readonly signer: webcrypto.CryptoKey;
  readonly algorithm: typeof ECDSA | typeof RSA;
}

let made = 0;

/** A certificate made for a test; without an issuer it signs itself. */
export async function issue(wish: Wish = {}): Promise<Issued> {
  made += 1;
  const subject = `CN=${wish.subject ?? `test ${made}`}`;
  const algorithm = wish.rsaBits === undefined ? ECDSA : RSA;
  const { publicKey, privateKey } =
    wish.rsaBits === undefined
      ? generateKeyPairSync('ec', { namedCurve: 'P-256' })
      : generateKeyPairSync('rsa', { modulusLength: wish.rsaBits });
  const signer = await imported(privateKey, algorithm, 'sign');
  const now = Date.now();
  const certificate = await x509.X509CertificateGenerator.create({
    serialNumber: made.toString(16).padStart(4, '0'),
    subject,
    issuer: wish.issuer?.subject ?? subject,
    notBefore: new Date(wish.notBefore ?? now - DAY),
    notAfter: new Date(wish.notAfter ?? now + 365 * DAY),
    publicKey: await imported(publicKey, algorithm, 'verify'),
    signingKey: wish.issuer?.signer ?? signer,
    signingAlgorithm: wish.issuer?.algorithm ?? algorithm,
    extensions: [
      new x509.BasicConstraintsExtension(wish.authority === true, undefined, true),
      ...(wish.names === undefined
        ? []
        : [
            new x509.SubjectAlternativeNameExtension(
              wish.names.map((value) => ({ type: 'dns' as const, value })),
            ),
          ]),
    ],
  });
  return {
    certificate: `${certificate.toString('pem')}\n`,
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }) as string,
    subject,
    signer,
    algorithm,
  };
}

function imported(
  key: KeyObject,
  algorithm: typeof ECDSA | typeof RSA,
  usage: 'sign' | 'verify',
): Promise<webcrypto.CryptoKey> {
  const type = usage === 'sign' ? 'pkcs8' : 'spki';
  return webcrypto.subtle.importKey(type, key.export({ type, format: 'der' }), algorithm, true, [usage]);
}

/** The manifest of a Secret. */
export function secretManifest(
  name: string,
  data: Readonly<Record<string, string>>,
): Record<string, unknown> {
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name },
    type: 'kubernetes.io/tls',
    data: Object.fromEntries(
      Object.entries(data).map(([field, text]) => [field, Buffer.from(text).toString('base64')]),
    ),
  };
}

export const tlsSecret = (name: string, { certificate, key }: Issued): Record<string, unknown> =>
  secretManifest(name, { 'tls.crt': certificate, 'tls.key': key });
