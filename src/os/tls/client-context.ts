import { X509Certificate } from 'node:crypto';
import { isIP } from 'node:net';
import type { PeerCertificate as NodePeerCertificate, SecureContext } from 'node:tls';
import { checkServerIdentity, createSecureContext, getCACertificates } from 'node:tls';
import type { Certificate } from '../../model/certificate.ts';
import type { ClusterTls } from '../../model/tls.ts';
import { TlsContextError } from './server-context.ts';
import type { PeerCertificate } from './tls-stream.ts';

let systemAuthorities: string[] | null = null;

function authoritiesOf(ca: string): string | string[] {
  if (ca !== '') return ca;
  if (systemAuthorities === null) {
    const system = getCACertificates('system');
    // A container often has none: then those that the runtime brings along.
    systemAuthorities = system.length > 0 ? system : getCACertificates('default');
  }
  return systemAuthorities;
}

/**
 * What a client trusts and shows.
 * @throws TlsContextError where OpenSSL refuses any of it; it says nothing of keys
 */
export function clientContext(tls: ClusterTls, certificate: Certificate | null): SecureContext {
  try {
    return createSecureContext({
      minVersion: tls.minVersion,
      ca: tls.verify ? authoritiesOf(tls.ca) : [],
      ...(certificate === null ? {} : { cert: certificate.chain, key: certificate.privateKey }),
    });
  } catch (error) {
    const { code, reason } = error as Error & { code?: string; reason?: string };
    throw new TlsContextError(reason ?? code ?? 'cannot be used');
  }
}

/** An IP address is not sent as SNI (RFC 6066 section 3). */
export function serverNameIndication(name: string): string {
  return isIP(name) === 0 ? name : '';
}

/**
 * Whether the certificate is for one of these names (RFC 9525; `node:tls`): host names, IP addresses, or URIs. Empty
 * where it is, else the code of the failure.
 */
export function identityFailure(names: readonly string[], certificate: PeerCertificate): string {
  for (const name of names) {
    const isUri = name.includes('://');
    const isHis = isUri
      ? uris(certificate).includes(name)
      : checkServerIdentity(name, certificate as unknown as NodePeerCertificate) === undefined;
    if (isHis) return '';
  }
  return 'ERR_TLS_CERT_ALTNAME_INVALID';
}

function uris({ raw }: PeerCertificate): string[] {
  const alternatives = new X509Certificate(raw).subjectAltName ?? '';
  return [...alternatives.matchAll(/(?:^|, )URI:([^,"\s]+)/g)].map(([, uri]) => uri!);
}
