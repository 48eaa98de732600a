import { X509Certificate } from 'node:crypto';
import type { Certificate } from '../../model/certificate.ts';
import { checkKeyPair } from '../../os/tls/server-context.ts';

/** A certificate that OpenSSL takes, with what a choice among several needs. */
export interface CompiledCertificate {
  readonly config: Certificate;
  /** Names it is for, in lower case, exact or `*.example.com`. */
  readonly names: readonly string[];
  /** `ec`, `rsa`, … : a context has one of each. */
  readonly keyType: string;
  readonly ocspStaple: Buffer | null;
}

/** @throws Error where it cannot be used; it says nothing of the key */
export function compileCertificate(config: Certificate): CompiledCertificate {
  checkKeyPair(config);
  const certificate = new X509Certificate(config.chain);
  return {
    config,
    names: namesOf(certificate),
    keyType: certificate.publicKey.asymmetricKeyType ?? '',
    ocspStaple: config.ocspStaple === '' ? null : Buffer.from(config.ocspStaple, 'base64'),
  };
}

/** RFC 6125 section 6.4.4: the common name counts where there is no other. */
function namesOf(certificate: X509Certificate): string[] {
  const alternatives = certificate.subjectAltName ?? '';
  const names = [...alternatives.matchAll(/(?:^|, )DNS:([^,"\s]+)/g)].map(([, name]) => name!.toLowerCase());
  if (alternatives !== '') return names;
  const common = /^CN=(.+)$/m.exec(certificate.subject)?.[1];
  return common === undefined ? [] : [common.toLowerCase()];
}
