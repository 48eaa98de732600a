import type { Certificate } from '../../model/certificate.ts';
import type { ClientCertificates, ClusterTls, ListenerTls } from '../../model/tls.ts';
import { TLS_VERSIONS } from '../../model/tls.ts';
import type { ResourceCodec } from './codec.ts';
import { count, each, inside, name, oneOf, text, texts, time } from './field.ts';
import type {
  CertificateDecoded,
  Certificate as CertificateEncoded,
} from './generated/novaedge/v1/Certificate.ts';
import type {
  ClientCertificatesDecoded,
  ClientCertificates as ClientCertificatesEncoded,
} from './generated/novaedge/v1/ClientCertificates.ts';
import type {
  ClusterTlsDecoded,
  ClusterTls as ClusterTlsEncoded,
} from './generated/novaedge/v1/ClusterTls.ts';
import type {
  ListenerTlsDecoded,
  ListenerTls as ListenerTlsEncoded,
} from './generated/novaedge/v1/ListenerTls.ts';
import type { Sparse } from './schema.ts';

const ALPN = ['h2', 'http/1.1'] as const;
const CLIENT_CERTIFICATE_MODES = ['Optional', 'Required'] as const;

/** An error names the field and never its value, which may be a key. */
export const certificateCodec: ResourceCodec<Certificate, CertificateEncoded, CertificateDecoded> = {
  toMessage: (certificate) => ({
    name: name(certificate.name, 'name'),
    chain: name(certificate.chain, 'chain'),
    privateKey: name(certificate.privateKey, 'privateKey'),
    ocspStaple: text(certificate.ocspStaple, 'ocspStaple') || undefined,
    notAfter: time(certificate.notAfter, 'notAfter') || undefined,
  }),
  fromMessage: (message) => ({
    name: name(message.name, 'name'),
    chain: name(message.chain, 'chain'),
    privateKey: name(message.privateKey, 'privateKey'),
    ocspStaple: message.ocspStaple,
    notAfter: time(message.notAfter, 'notAfter'),
  }),
};

export function listenerTlsToMessage(tls: ListenerTls): Sparse<ListenerTlsEncoded> {
  return {
    certificates: each(tls.certificates, 'certificates', (certificate) => name(certificate, 'name')),
    minVersion: oneOf(tls.minVersion, TLS_VERSIONS, 'minVersion'),
    maxVersion: oneOf(tls.maxVersion, TLS_VERSIONS, 'maxVersion'),
    ciphers: texts(tls.ciphers, 'ciphers'),
    curves: texts(tls.curves, 'curves'),
    alpn: each(tls.alpn, 'alpn', (protocol) => oneOf(protocol, ALPN, 'protocol')),
    clientCertificates:
      tls.clientCertificates === null
        ? undefined
        : inside('clientCertificates', () => clientCertificatesToMessage(tls.clientCertificates!)),
    sessionTickets: tls.sessionTickets || undefined,
    handshakeTimeoutMs: count(tls.handshakeTimeoutMs, 'handshakeTimeoutMs') || undefined,
  };
}

export function listenerTlsFromMessage(message: ListenerTlsDecoded): ListenerTls {
  return {
    certificates: each(message.certificates, 'certificates', (certificate) => name(certificate, 'name')),
    minVersion: oneOf(message.minVersion, TLS_VERSIONS, 'minVersion'),
    maxVersion: oneOf(message.maxVersion, TLS_VERSIONS, 'maxVersion'),
    ciphers: message.ciphers,
    curves: message.curves,
    alpn: each(message.alpn, 'alpn', (protocol) => oneOf(protocol, ALPN, 'protocol')),
    clientCertificates:
      message.clientCertificates === null
        ? null
        : inside('clientCertificates', () => clientCertificatesFromMessage(message.clientCertificates!)),
    sessionTickets: message.sessionTickets,
    handshakeTimeoutMs: message.handshakeTimeoutMs,
  };
}

function clientCertificatesToMessage(settings: ClientCertificates): Sparse<ClientCertificatesEncoded> {
  return {
    mode: oneOf(settings.mode, CLIENT_CERTIFICATE_MODES, 'mode'),
    ca: name(settings.ca, 'ca'),
    header: name(settings.header, 'header'),
  };
}

function clientCertificatesFromMessage(message: ClientCertificatesDecoded): ClientCertificates {
  return {
    mode: oneOf(message.mode, CLIENT_CERTIFICATE_MODES, 'mode'),
    ca: name(message.ca, 'ca'),
    header: name(message.header, 'header'),
  };
}

export function clusterTlsToMessage(tls: ClusterTls): Sparse<ClusterTlsEncoded> {
  return {
    serverName: text(tls.serverName, 'serverName') || undefined,
    subjectAltNames: texts(tls.subjectAltNames, 'subjectAltNames'),
    ca: text(tls.ca, 'ca') || undefined,
    verify: tls.verify || undefined,
    certificate: text(tls.certificate, 'certificate') || undefined,
    minVersion: oneOf(tls.minVersion, TLS_VERSIONS, 'minVersion'),
  };
}

export function clusterTlsFromMessage(message: ClusterTlsDecoded): ClusterTls {
  return {
    serverName: message.serverName,
    subjectAltNames: message.subjectAltNames,
    ca: message.ca,
    verify: message.verify,
    certificate: message.certificate,
    minVersion: oneOf(message.minVersion, TLS_VERSIONS, 'minVersion'),
  };
}
