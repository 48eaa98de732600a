import { HTTP_DEFAULTS } from '../../model/http-settings.ts';
import { CLUSTER_TLS_DEFAULTS, LISTENER_TLS_DEFAULTS, TLS_VERSIONS } from '../../model/tls.ts';
import {
  duration,
  flag,
  headerName,
  integer,
  listOf,
  MEANS,
  object,
  objectName,
  oneOf,
  optional,
  preciseHostname,
  type Static,
  text,
} from './schema.ts';

/** Without line breaks: a key that was pasted instead of its file's name must not get as far as a message. */
const file = (description: string) =>
  text(description, {
    minLength: 1,
    maxLength: 1024,
    pattern: '^[^\\x00-\\x1f\\x7f]+$',
    [MEANS]: 'the path of a file',
  });

const secretName = (description: string, secret: string) =>
  object(
    { name: objectName(`Name of the Secret, in the same namespace.`) },
    { description: `${description} ${secret}` },
  );

const CERTIFICATE_SECRET =
  'A Secret of type `kubernetes.io/tls` (`tls.crt`, `tls.key`, and `tls.ocsp-staple` if wished).';

const authorities = {
  caSecretRef: optional(secretName('Authorities that are trusted:', 'a Secret with PEM under `ca.crt`.')),
  caFile: optional(
    file('Authorities that are trusted: a PEM file; its path from the manifest. Instead of `caSecretRef`.'),
  ),
};

const name = (description: string) =>
  text(description, {
    minLength: 1,
    maxLength: 64,
    pattern: '^[A-Za-z0-9_.-]+$',
    [MEANS]: 'a name that OpenSSL knows',
  });

const version = (description: string, value: (typeof TLS_VERSIONS)[number]) =>
  oneOf(TLS_VERSIONS, { description, default: value });

/** How a listener ends TLS. The defaults are the model's. */
export const listenerTls = object(
  {
    secretRef: optional(secretName('The certificate.', CERTIFICATE_SECRET)),
    certificateRefs: optional(
      listOf(
        object({ name: objectName('Name of the Secret, in the same namespace.') }),
        `Further certificates, each for the names in it; of several for a name a client gets the EC one if it can take it. ${CERTIFICATE_SECRET}`,
        { minItems: 1, maxItems: 256 },
      ),
    ),
    files: optional(
      listOf(
        object({
          certificate: file('PEM: own certificate first, then the intermediate ones.'),
          key: file('PEM.'),
          ocspStaple: optional(file('DER of an OCSP response.')),
        }),
        'Certificates from files, beside or instead of Secrets; paths from the manifest. They are read again when they change.',
        { minItems: 1, maxItems: 256 },
      ),
    ),
    minVersion: version('Oldest version that is spoken.', LISTENER_TLS_DEFAULTS.minVersion),
    maxVersion: version('Newest version that is spoken.', LISTENER_TLS_DEFAULTS.maxVersion),
    ciphers: listOf(
      name('Cipher.'),
      'Ciphers, the preferred first: of TLS 1.2 by the names of OpenSSL, of TLS 1.3 by those of RFC 8446. Of a version of which none is named those with forward secrecy are taken.',
      { maxItems: 64, uniqueItems: true, default: [] },
    ),
    curves: listOf(
      name('Group.'),
      'Groups of the key exchange, the preferred first, by the names of OpenSSL. Empty: the choice of OpenSSL.',
      { maxItems: 32, uniqueItems: true, default: [] },
    ),
    alpn: optional(
      listOf(
        oneOf(['h2', 'http/1.1'], { description: 'Protocol.' }),
        'Protocols that are offered to clients (ALPN), the preferred first; without it `h2` (unless `http.http2.enabled` is false) and `http/1.1`.',
        { minItems: 1, maxItems: 2, uniqueItems: true },
      ),
    ),
    clientCertificates: optional(
      object(
        {
          mode: oneOf(['None', 'Optional', 'Required'], {
            description:
              '`Required`: a client without a valid certificate is refused. `Optional`: one that shows a certificate must show a valid one.',
            default: 'Required',
          }),
          ...authorities,
          header: headerName(
            'Header in which backends are told of the certificate; one that a client sends itself is removed.',
            'X-Forwarded-Client-Cert',
          ),
        },
        { description: 'Clients show a certificate too (mTLS).' },
      ),
    ),
    sessionTickets: flag(
      'Whether clients may resume a session, at any worker of a node.',
      LISTENER_TLS_DEFAULTS.sessionTickets,
    ),
    handshakeTimeout: duration('How long a handshake may take.', { default: '10s' }),
  },
  { description: 'How TLS is ended; for HTTPS listeners. At least one certificate must be named.' },
);

export type ListenerTlsSpec = Static<typeof listenerTls>;

/** How a backend is spoken to over TLS. */
export const backendTls = object(
  {
    serverName: optional(
      preciseHostname(
        'Name that is asked for (SNI) and must be in the certificate; without it the host of the request as the backend gets it.',
      ),
    ),
    subjectAltNames: listOf(
      text('DNS name or IP address.', {
        minLength: 1,
        maxLength: 253,
        [MEANS]: 'a DNS name or an IP address',
      }),
      'One of these must be in the certificate, instead of `serverName`.',
      { maxItems: 32, uniqueItems: true, default: [] },
    ),
    ...authorities,
    insecureSkipVerify: flag(
      'Whoever answers is believed. For tests alone: TLS without it protects against nobody who can stand in between.',
      false,
    ),
    clientCertificateRef: optional(
      secretName('The certificate that is shown to the backend (mTLS).', CERTIFICATE_SECRET),
    ),
    minVersion: version('Oldest version that is spoken.', CLUSTER_TLS_DEFAULTS.minVersion),
  },
  {
    description:
      'Endpoints are spoken to over TLS; without `caSecretRef` and `caFile` the authorities of the system are trusted.',
  },
);

export type BackendTlsSpec = Static<typeof backendTls>;

const { http2 } = HTTP_DEFAULTS;

/** RFC 9113 sections 6.5.2 and 6.9: windows are at most 2^31-1, that of a connection at least 65,535. */
const WINDOW = 2_147_483_647;

export const http1Settings = object(
  {
    enabled: flag(
      'Whether clients may speak HTTP/1.1. Without it the port is for HTTP/2 alone, in clear text with prior knowledge.',
      HTTP_DEFAULTS.http1,
    ),
  },
  { description: 'HTTP/1.1 of clients.', default: {} },
);

export const http2Settings = object(
  {
    enabled: flag(
      'Whether clients may speak HTTP/2: over TLS by ALPN, in clear text with prior knowledge.',
      http2.enabled,
    ),
    maxConcurrentStreams: integer('Requests under way on one connection; further ones are refused.', {
      minimum: 1,
      maximum: 65_535,
      default: http2.maxConcurrentStreams,
    }),
    streamWindowBytes: integer(
      'How much of a request body a client may send before the backend has taken any of it.',
      {
        minimum: 1024,
        maximum: WINDOW,
        default: http2.streamWindowBytes,
      },
    ),
    connectionWindowBytes: integer('The same for all requests of a connection together.', {
      minimum: 65_535,
      maximum: WINDOW,
      default: http2.connectionWindowBytes,
    }),
  },
  { description: 'HTTP/2 with clients.', default: {} },
);
