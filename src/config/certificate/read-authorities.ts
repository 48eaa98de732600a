import { X509Certificate } from 'node:crypto';
import { CERTIFICATE, pemBlocks } from './pem.ts';
import type { CertificateFault, Part } from './read-certificate.ts';

export type AuthoritiesReading =
  | { readonly ok: true; readonly pem: string }
  | { readonly ok: false; readonly fault: CertificateFault };

/** A bundle of authorities: all of it or nothing, because half of one lets in half of those it should. */
export function readAuthorities({ field, bytes, fault }: Part): AuthoritiesReading {
  const refuse = (message: string): AuthoritiesReading => ({
    ok: false,
    fault: { reason: 'AuthorityUnreadable', field, message },
  });
  if (bytes === null) return refuse(fault ?? 'is missing');
  const blocks = pemBlocks(Buffer.from(bytes).toString('latin1'), CERTIFICATE);
  if (blocks.length === 0) return refuse('holds no certificate in PEM');
  for (const [index, block] of blocks.entries()) {
    try {
      new X509Certificate(block);
    } catch {
      return refuse(`certificate ${index + 1} cannot be read: it is damaged or cut`);
    }
  }
  return { ok: true, pem: blocks.join('') };
}
