import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import { createSecureContext } from 'node:tls';
import type { ConfigReason } from '../reasons.ts';
import { CERTIFICATE, PRIVATE_KEY, pemBlocks } from './pem.ts';

/** What is wrong with a certificate, in words that hold nothing of its key. */
export interface CertificateFault {
  readonly reason: ConfigReason;
  /** `tls.crt`, or the path of a file. */
  readonly field: string;
  readonly message: string;
}

/** A certificate with a key that fits it; whether its time has come is another question. */
export interface ReadCertificate {
  /** Where its chain stands: `tls.crt`, or the path of a file. */
  readonly field: string;
  readonly chain: string;
  readonly privateKey: string;
  readonly ocspStaple: string;
  readonly leaf: X509Certificate;
  /** Milliseconds since the epoch. */
  readonly notBefore: number;
  readonly notAfter: number;
  /** Takes nothing out of service. */
  readonly warning: CertificateFault | null;
}

export type CertificateReading =
  | { readonly ok: true; readonly certificate: ReadCertificate }
  | { readonly ok: false; readonly fault: CertificateFault };

/** One part of a certificate as it was found. */
export interface Part {
  /** `tls.key`, or the path of a file. */
  readonly field: string;
  /** Null: it is not there; `fault` says why where that is known. */
  readonly bytes: Uint8Array | null;
  readonly fault?: string;
}

export interface CertificateParts {
  readonly chain: Part;
  readonly key: Part;
  readonly ocspStaple: Part | null;
}

const RSA_LEAST_BITS = 2048;

class Unusable extends Error {
  readonly fault: CertificateFault;

  constructor(reason: ConfigReason, field: string, message: string) {
    super(message);
    this.fault = { reason, field, message };
  }
}

export function readCertificate(parts: CertificateParts): CertificateReading {
  try {
    return { ok: true, certificate: read(parts) };
  } catch (error) {
    if (error instanceof Unusable) return { ok: false, fault: error.fault };
    throw error;
  }
}

function read({ chain, key, ocspStaple }: CertificateParts): ReadCertificate {
  const blocks = pemBlocks(textOf(chain), CERTIFICATE);
  if (blocks.length === 0) {
    throw new Unusable('CertificateUnreadable', chain.field, 'holds no certificate in PEM');
  }
  const certificates = blocks.map((block, index) => parsed(block, chain.field, index));
  const leaf = certificates[0]!;
  const privateKey = parsedKey(key);
  checkKey(certificates, privateKey, chain, key);
  checkOrder(certificates, chain.field);
  checkStrength(privateKey, key.field);
  const pem = {
    chain: blocks.join(''),
    privateKey: privateKey.export({ type: 'pkcs8', format: 'pem' }) as string,
  };
  askOpenSsl(pem, chain.field);
  const staple = readStaple(ocspStaple);
  return {
    field: chain.field,
    ...pem,
    ocspStaple: staple.base64,
    leaf,
    notBefore: leaf.validFromDate.getTime(),
    notAfter: leaf.validToDate.getTime(),
    warning: staple.warning,
  };
}

function textOf({ field, bytes, fault }: Part): string {
  if (bytes === null) throw new Unusable('CertificateUnreadable', field, fault ?? 'is missing');
  return Buffer.from(bytes).toString('latin1');
}

function parsed(block: string, field: string, index: number): X509Certificate {
  try {
    return new X509Certificate(block);
  } catch {
    throw new Unusable(
      'CertificateUnreadable',
      field,
      `certificate ${index + 1} cannot be read: it is damaged or cut`,
    );
  }
}

/** What OpenSSL says of a key is not passed on: nobody has promised that it quotes nothing. */
function parsedKey(part: Part): KeyObject {
  const { field } = part;
  const block = pemBlocks(textOf(part), PRIVATE_KEY)[0];
  if (block === undefined) throw new Unusable('CertificateUnreadable', field, 'holds no private key in PEM');
  if (/ENCRYPTED/.test(block)) {
    throw new Unusable('CertificateUnreadable', field, 'is encrypted; a key without a passphrase is needed');
  }
  try {
    return createPrivateKey(block);
  } catch {
    throw new Unusable('CertificateUnreadable', field, 'cannot be read: it is damaged or cut');
  }
}

function checkKey(certificates: readonly X509Certificate[], key: KeyObject, chain: Part, from: Part): void {
  const place = certificates.findIndex((certificate) => certificate.checkPrivateKey(key));
  if (place === 0) return;
  if (place === -1) throw new Unusable('KeyMismatch', from.field, 'is not the key of the certificate');
  throw new Unusable(
    'ChainOutOfOrder',
    chain.field,
    `the key is that of certificate ${place + 1}, which must come first`,
  );
}

/** Each must be signed by the one behind it (RFC 5246 section 7.4.2), so that clients with TLS 1.2 find their way. */
function checkOrder(certificates: readonly X509Certificate[], field: string): void {
  for (const [index, certificate] of certificates.entries()) {
    const issuer = certificates[index + 1];
    if (issuer === undefined) return;
    if (certificate.checkIssued(issuer) && certificate.verify(issuer.publicKey)) continue;
    throw new Unusable(
      'ChainOutOfOrder',
      field,
      `certificate ${index + 1} is not signed by certificate ${index + 2}: own certificate first, then the ones that signed it, in order`,
    );
  }
}

function checkStrength(key: KeyObject, field: string): void {
  const { asymmetricKeyType: type, asymmetricKeyDetails: details } = key;
  if (type !== 'rsa' && type !== 'rsa-pss') return;
  const bits = details?.modulusLength ?? 0;
  if (bits >= RSA_LEAST_BITS) return;
  throw new Unusable(
    'WeakKey',
    field,
    `RSA with ${bits} bits is too weak; at least ${RSA_LEAST_BITS} are needed`,
  );
}

/** The engine that serves with it has the last word: on digests, curves and kinds of keys. */
function askOpenSsl({ chain, privateKey }: { chain: string; privateKey: string }, field: string): void {
  try {
    createSecureContext({ cert: chain, key: privateKey });
  } catch (error) {
    const { reason } = error as { reason?: unknown };
    throw new Unusable(
      'CertificateUnreadable',
      field,
      `OpenSSL does not take it${typeof reason === 'string' ? ` (${reason})` : ''}`,
    );
  }
}

/** OCSPResponse with status successful (RFC 6960 section 4.2.1). */
function readStaple(part: Part | null): { base64: string; warning: CertificateFault | null } {
  if (part === null) return { base64: '', warning: null };
  const without = (message: string) => ({
    base64: '',
    warning: { reason: 'StapleUnusable', field: part.field, message: `${message}; none is sent` } as const,
  });
  if (part.bytes === null) return without(part.fault ?? 'is missing');
  const der = Buffer.from(part.bytes);
  // SEQUENCE { ENUMERATED 0, [0] … }
  const header = der[1] === undefined || der[1] < 0x80 ? 2 : 2 + (der[1] & 0x7f);
  const successful = der[0] === 0x30 && der.subarray(header, header + 3).equals(Buffer.of(0x0a, 0x01, 0x00));
  if (!successful) return without('is no OCSP response (DER) with a good status');
  return { base64: der.toString('base64'), warning: null };
}
