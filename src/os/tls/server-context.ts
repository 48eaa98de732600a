import { constants } from 'node:crypto';
import type { SecureContext, SecureContextOptions } from 'node:tls';
import { createSecureContext } from 'node:tls';
import type { Certificate } from '../../model/certificate.ts';
import type { ListenerTls } from '../../model/tls.ts';
import type { SessionTickets } from './ticket-keys.ts';
import { sessionScope } from './ticket-keys.ts';

/** With forward secrecy and authenticated encryption all of them; the cheaper of equals first. */
const DEFAULT_CIPHERS = [
  'TLS_AES_128_GCM_SHA256',
  'TLS_AES_256_GCM_SHA384',
  'TLS_CHACHA20_POLY1305_SHA256',
  'ECDHE-ECDSA-AES128-GCM-SHA256',
  'ECDHE-RSA-AES128-GCM-SHA256',
  'ECDHE-ECDSA-AES256-GCM-SHA384',
  'ECDHE-RSA-AES256-GCM-SHA384',
  'ECDHE-ECDSA-CHACHA20-POLY1305',
  'ECDHE-RSA-CHACHA20-POLY1305',
];
/** Our order decides, but who has no AES in hardware and so wants ChaCha20 gets it. Renegotiation is refused. */
const OPTIONS =
  constants.SSL_OP_CIPHER_SERVER_PREFERENCE |
  constants.SSL_OP_PRIORITIZE_CHACHA |
  constants.SSL_OP_NO_RENEGOTIATION;

/** Shorter than any key of sessions is kept. */
const SESSION_SECONDS = 7200;

export class TlsContextError extends Error {}

/**
 * What a server agrees to and shows: of several certificates OpenSSL takes the one that the client can verify, EC first.
 * `scope`: sessions of another scope are not resumed.
 * @throws TlsContextError where OpenSSL refuses any of it; it says nothing of keys
 */
export function serverContext(
  certificates: readonly Certificate[],
  tls: ListenerTls,
  tickets: SessionTickets,
  scope: string,
): SecureContext {
  const options: SecureContextOptions = {
    cert: certificates.map(({ chain }) => chain),
    key: certificates.map(({ privateKey }) => privateKey),
    minVersion: tls.minVersion,
    maxVersion: tls.maxVersion,
    ciphers: (tls.ciphers.length === 0 ? DEFAULT_CIPHERS : withBothVersions(tls.ciphers)).join(':'),
    ...(tls.curves.length === 0 ? {} : { ecdhCurve: tls.curves.join(':') }),
    secureOptions: OPTIONS | (tls.sessionTickets ? 0 : constants.SSL_OP_NO_TICKET),
    sessionTimeout: SESSION_SECONDS,
    // Never the system's authorities: whom clients are believed by is said or nobody.
    ca: tls.clientCertificates === null ? [] : tls.clientCertificates.ca,
    sessionIdContext: sessionScope([
      scope,
      tls.clientCertificates === null ? '' : tls.clientCertificates.mode + tls.clientCertificates.ca,
    ]),
  };
  const context = contained(() => createSecureContext(options));
  if (tls.sessionTickets) tickets.serve(context);
  return context;
}

/** @throws TlsContextError where certificate and key cannot be used together; it says nothing of the key */
export function checkKeyPair({ chain, privateKey }: Certificate): void {
  contained(() => createSecureContext({ cert: chain, key: privateKey, ca: [] }));
}

/** Who names ciphers of one version only leaves the other its defaults. */
function withBothVersions(ciphers: readonly string[]): readonly string[] {
  const has13 = ciphers.some((name) => name.startsWith('TLS_'));
  const has12 = ciphers.some((name) => !name.startsWith('TLS_'));
  return [...ciphers, ...DEFAULT_CIPHERS.filter((name) => (name.startsWith('TLS_') ? !has13 : !has12))];
}

function contained<Result>(create: () => Result): Result {
  try {
    return create();
  } catch (error) {
    const { code, reason, message } = error as Error & { code?: string; reason?: string };
    // OpenSSL's own words; a message of the runtime could quote what it was given.
    throw new TlsContextError(reason ?? code ?? (message.startsWith('error:') ? message : 'cannot be used'));
  }
}
