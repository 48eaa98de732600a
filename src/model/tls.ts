export const TLS_VERSIONS = ['TLSv1.2', 'TLSv1.3'] as const;
export type TlsVersion = (typeof TLS_VERSIONS)[number];

/** What is offered by ALPN (RFC 7301), the first preferred. */
export type ApplicationProtocol = 'h2' | 'http/1.1';

/** Whether a client must show who it is, and how a backend is told. */
export interface ClientCertificates {
  /** Optional: one that is shown must be valid all the same. */
  readonly mode: 'Optional' | 'Required';
  /** PEM of the authorities whose certificates are taken; never empty. */
  readonly ca: string;
  /** Field in which a backend finds the certificate that was shown; a client's own of that name goes. Lower case. */
  readonly header: string;
}

/** How a listener ends TLS. */
export interface ListenerTls {
  /**
   * Names of certificates. Which one a client gets is decided by the name it asks for (exact before wildcard before
   * the first) and by what it can verify (EC before RSA). One that is missing takes only its own names out.
   */
  readonly certificates: readonly string[];
  readonly minVersion: TlsVersion;
  readonly maxVersion: TlsVersion;
  /** Of TLS 1.2 by the names of OpenSSL, of 1.3 by those of RFC 8446; empty: the defaults. */
  readonly ciphers: readonly string[];
  /** Empty: the defaults. */
  readonly curves: readonly string[];
  readonly alpn: readonly ApplicationProtocol[];
  /** Null: none is asked for. */
  readonly clientCertificates: ClientCertificates | null;
  /** Clients may resume a session (RFC 5077, RFC 8446 section 2.2), at any worker. */
  readonly sessionTickets: boolean;
  /** From the first byte to the end of the handshake, in ms. */
  readonly handshakeTimeoutMs: number;
}

/** A listener that ends TLS and for which the user has said nothing else. */
export const LISTENER_TLS_DEFAULTS: Omit<ListenerTls, 'certificates'> = {
  minVersion: 'TLSv1.2',
  maxVersion: 'TLSv1.3',
  ciphers: [],
  curves: [],
  alpn: ['h2', 'http/1.1'],
  clientCertificates: null,
  sessionTickets: true,
  handshakeTimeoutMs: 10_000,
};

/** How a backend is spoken to over TLS. */
export interface ClusterTls {
  /** Sent as SNI and sought in the certificate; empty: the host of the request as the backend gets it. */
  readonly serverName: string;
  /** One of these must be in the certificate instead of `serverName`; empty: `serverName` must. */
  readonly subjectAltNames: readonly string[];
  /** PEM of the authorities that are trusted; empty: those of the system. */
  readonly ca: string;
  /** False: whoever answers is believed. The user has asked for it by name. */
  readonly verify: boolean;
  /** Name of the certificate that is shown (mTLS), or empty. */
  readonly certificate: string;
  readonly minVersion: TlsVersion;
}

export const CLUSTER_TLS_DEFAULTS: ClusterTls = {
  serverName: '',
  subjectAltNames: [],
  ca: '',
  verify: true,
  certificate: '',
  minVersion: 'TLSv1.2',
};
