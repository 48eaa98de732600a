import { randomBytes, webcrypto } from 'node:crypto';
import { access } from 'node:fs/promises';
import { isIP } from 'node:net';
import { join } from 'node:path';
import 'reflect-metadata';
import * as x509 from '@peculiar/x509';
import { writeFileAtomically } from '../os/atomic-file.ts';

export interface CertificatesRequest {
  /** Is made if it is not there. */
  readonly directory: string;
  /** Names and addresses of the controller beside `localhost`, `127.0.0.1` and `::1`. */
  readonly hosts: readonly string[];
  readonly days: number;
  /** Overwrites files that are there. */
  readonly force: boolean;
}

const FILES = ['ca.crt', 'ca.key', 'server.crt', 'server.key', 'client.crt', 'client.key'] as const;
const LOCAL_HOSTS = ['localhost', '127.0.0.1', '::1'];
const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;
const DAY_MS = 86_400_000;
/** Clocks of other machines may go behind. */
const BACKDATED_MS = 3_600_000;

/**
 * Writes a new authority, a server certificate for the controller and a client certificate for agents: EC P-256,
 * keys for the owner alone.
 * @returns paths of the files, certificates and keys in turn.
 * @throws Error where a file is there already (without `force`), a host is no name, or the system refuses to write.
 */
export async function writeCertificates(request: CertificatesRequest): Promise<readonly string[]> {
  const { directory, days, force } = request;
  if (!Number.isInteger(days) || days < 1 || days > 36_500) {
    throw new Error(`--days ${days}: must be a whole number from 1 to 36500`);
  }
  const hosts = [...new Set([...LOCAL_HOSTS, ...request.hosts])].map(generalName);
  if (!force) await refuseExisting(directory);

  const validity = {
    notBefore: new Date(Date.now() - BACKDATED_MS),
    notAfter: new Date(Date.now() + days * DAY_MS),
  };
  const authority = await makeAuthority(validity);
  const server = await issue(authority, validity, 'novaedge controller', x509.ExtendedKeyUsage.serverAuth, [
    new x509.SubjectAlternativeNameExtension(hosts),
  ]);
  const client = await issue(authority, validity, 'novaedge agent', x509.ExtendedKeyUsage.clientAuth, []);

  const contents = [...(await pems(authority)), ...(await pems(server)), ...(await pems(client))];
  const paths = FILES.map((file) => join(directory, file));
  for (const [index, path] of paths.entries()) {
    const mode = path.endsWith('.key') ? 0o600 : 0o644;
    await writeFileAtomically(path, [Buffer.from(contents[index]!)], { mode });
  }
  return paths;
}

interface Issued {
  readonly certificate: x509.X509Certificate;
  readonly keys: CryptoKeyPair;
}

type CryptoKeyPair = webcrypto.CryptoKeyPair;
type Validity = { readonly notBefore: Date; readonly notAfter: Date };

async function makeAuthority(validity: Validity): Promise<Issued> {
  const keys = await generateKeys();
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: serialNumber(),
    name: [{ CN: ['novaedge authority'] }],
    ...validity,
    keys,
    signingAlgorithm: ALGORITHM,
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  return { certificate, keys };
}

async function issue(
  authority: Issued,
  validity: Validity,
  name: string,
  usage: x509.ExtendedKeyUsageType,
  extensions: readonly x509.Extension[],
): Promise<Issued> {
  const keys = await generateKeys();
  const certificate = await x509.X509CertificateGenerator.create({
    serialNumber: serialNumber(),
    subject: [{ CN: [name] }],
    issuer: authority.certificate.subjectName,
    ...validity,
    publicKey: keys.publicKey,
    signingKey: authority.keys.privateKey,
    signingAlgorithm: ALGORITHM,
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension([usage]),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
      await x509.AuthorityKeyIdentifierExtension.create(authority.keys.publicKey),
      ...extensions,
    ],
  });
  return { certificate, keys };
}

async function generateKeys(): Promise<CryptoKeyPair> {
  return webcrypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify']);
}

/** Positive and 16 bytes long (RFC 5280 section 4.1.2.2 allows 20). */
function serialNumber(): string {
  const bytes = randomBytes(16);
  bytes[0] = (bytes[0]! & 0x3f) | 0x40;
  return bytes.toString('hex');
}

async function pems({ certificate, keys }: Issued): Promise<[string, string]> {
  const key = await webcrypto.subtle.exportKey('pkcs8', keys.privateKey);
  return [`${certificate.toString('pem')}\n`, `${x509.PemConverter.encode(key, 'PRIVATE KEY')}\n`];
}

function generalName(host: string): x509.JsonGeneralName {
  if (isIP(host) !== 0) return { type: 'ip', value: host };
  if (/^(\*\.)?([a-z0-9]([a-z0-9-]*[a-z0-9])?\.)*[a-z0-9]([a-z0-9-]*[a-z0-9])?$/i.test(host)) {
    return { type: 'dns', value: host };
  }
  throw new Error(
    `--host ${host}: is neither a DNS name nor an IP address (an address goes without brackets or port)`,
  );
}

async function refuseExisting(directory: string): Promise<void> {
  const present: string[] = [];
  for (const file of FILES) {
    const there = await access(join(directory, file)).then(
      () => true,
      () => false,
    );
    if (there) present.push(file);
  }
  if (present.length > 0) {
    throw new Error(
      `${directory}: ${present.join(', ')} ${present.length === 1 ? 'is' : 'are'} there already; --force overwrites`,
    );
  }
}
