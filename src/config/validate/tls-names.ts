import { getCurves } from 'node:crypto';
import { createSecureContext, getCiphers } from 'node:tls';
import type { TlsVersion } from '../../model/tls.ts';

/** Ciphers that need no certificate, or a secret both sides have beforehand: a listener cannot use them. */
const WITHOUT_CERTIFICATE = /(^|[-_])(psk|srp|adh|aecdh|null)([-_]|$)/;

/** As users write them: those of TLS 1.3 as in RFC 8446 appendix B.4, the others as OpenSSL does. */
const CIPHERS: ReadonlyMap<string, TlsVersion> = new Map(
  getCiphers()
    .filter((cipher) => !WITHOUT_CERTIFICATE.test(cipher))
    .map((cipher) => [cipher.toUpperCase(), cipher.startsWith('tls_') ? 'TLSv1.3' : 'TLSv1.2']),
);

export const CIPHER_NAMES: readonly string[] = [...CIPHERS.keys()];

/** The version of TLS that a cipher is for, null where OpenSSL has none of that name. */
export function cipherVersion(name: string): TlsVersion | null {
  return CIPHERS.get(name.toUpperCase()) ?? null;
}

/** An attacker who gets the key later cannot read what was recorded before. */
export function hasForwardSecrecy(cipher: string): boolean {
  return /^(TLS_|ECDHE-|DHE-)/i.test(cipher);
}

/** What is usual, by the names that are usual, before what else OpenSSL lists. */
const USUAL_CURVES = ['X25519', 'P-256', 'P-384', 'P-521', 'X448', 'X25519MLKEM768', 'SecP256r1MLKEM768'];

const curves = new Map<string, boolean>();

/** OpenSSL lists curves under one of their names only, and knows key exchanges that are none: it is asked for each. */
export function isCurve(name: string): boolean {
  let known = curves.get(name);
  if (known === undefined) {
    try {
      createSecureContext({ ecdhCurve: name });
      known = true;
    } catch {
      known = false;
    }
    if (curves.size < 1000) curves.set(name, known);
  }
  return known;
}

export function curveNames(): readonly string[] {
  return [...USUAL_CURVES, ...getCurves()].filter(isCurve);
}
