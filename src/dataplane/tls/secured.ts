import type { PeerCertificate } from '../../os/tls/tls-stream.ts';

/** What the handshake of a connection has agreed on. */
export interface Secured {
  /** Listener whose settings and certificate were used; requests for another one's hosts are misdirected. */
  readonly listener: string;
  /** That the client asked for, in lower case, or empty. */
  readonly serverName: string;
  /** Protocol that was agreed on, or empty. */
  readonly alpn: string;
  /** `TLSv1.3`; read for the access log alone, as `cipher`, else empty. */
  readonly protocol: string;
  /** By the name of the RFC. */
  readonly cipher: string;
  /** Field that backends find the client's certificate in, in lower case; empty: nobody is asked for one. */
  readonly clientCertificateHeader: string;
  /** Null: it has shown none. */
  readonly client: ClientIdentity | null;
}

/** Who the client is by the certificate it has shown, which was found valid. */
export interface ClientIdentity {
  /** RFC 4514, the most specific part first. */
  readonly subject: string;
  readonly subjectAltNames: readonly string[];
  /** SHA-256 of the certificate, 64 hexadecimal digits. */
  readonly fingerprint: string;
  /** `Hash=…;Subject="…";URI=…;DNS=…;Cert="…"`, as Envoy's x-forwarded-client-cert; the certificate is URL-encoded PEM. */
  readonly field: string;
}

export function identify(certificate: PeerCertificate): ClientIdentity {
  const subject = subjectText(certificate.subject);
  const subjectAltNames = alternatives(certificate.subjectaltname ?? '');
  const fingerprint = certificate.fingerprint256.replaceAll(':', '').toLowerCase();
  const lines = certificate.raw.toString('base64').match(/.{1,64}/g) ?? [];
  const pem = `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`;
  const parts = [`Hash=${fingerprint}`, `Subject=${quoted(subject)}`];
  for (const name of subjectAltNames) {
    const colon = name.indexOf(':');
    const kind = name.slice(0, colon);
    if (kind === 'URI' || kind === 'DNS') parts.push(`${kind}=${quotedIfNeeded(name.slice(colon + 1))}`);
  }
  parts.push(`Cert="${encodeURIComponent(pem)}"`);
  return { subject, subjectAltNames, fingerprint, field: parts.join(';') };
}

function subjectText(subject: PeerCertificate['subject']): string {
  const parts: string[] = [];
  for (const [name, value] of Object.entries(subject))
    for (const one of typeof value === 'string' ? [value] : value) parts.push(`${name}=${escaped(one)}`);
  return parts.reverse().join(',');
}

/** RFC 4514 section 2.4; what a field cannot carry is written as its UTF-8 bytes. */
function escaped(value: string): string {
  return value
    .replace(/[",+;<>\\]/g, (character) => `\\${character}`)
    .replace(/^[ #]| $/g, (character) => `\\${character}`)
    .replace(/[^\x20-\x7e]/gu, (character) =>
      [...Buffer.from(character)]
        .map((byte) => `\\${byte.toString(16).padStart(2, '0').toUpperCase()}`)
        .join(''),
    );
}

/** `DNS:a.example, URI:spiffe://…`, of which names with commas are quoted as in JSON. */
function alternatives(text: string): string[] {
  return [...text.matchAll(/(\w[\w ]*):("(?:[^"\\]|\\.)*"|[^,]*)(?:, |$)/g)].map(([, kind, value]) => {
    const plain = value!.startsWith('"') ? unquoted(value!) : value!;
    return `${kind}:${plain}`;
  });
}

function unquoted(text: string): string {
  try {
    return String(JSON.parse(text));
  } catch {
    return text;
  }
}

function quotedIfNeeded(value: string): string {
  return /^[\x21\x23-\x2b\x2d-\x3a\x3c\x3e-\x7e]+$/.test(value) ? value : quoted(value);
}

function quoted(value: string): string {
  return `"${value.replace(/[^\x20-\x7e]/g, '?').replace(/["\\]/g, (character) => `\\${character}`)}"`;
}
