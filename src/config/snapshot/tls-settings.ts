import type { HttpSettings } from '../../model/http-settings.ts';
import type { ApplicationProtocol, ClusterTls, ListenerTls } from '../../model/tls.ts';
import { LISTENER_TLS_DEFAULTS } from '../../model/tls.ts';
import type { BackendTlsSpec, ListenerTlsSpec } from '../crds/tls.ts';
import { durationMs } from '../duration.ts';

/**
 * How a checked listener ends TLS.
 * @param certificates names, in the order in which the listener gives them.
 * @param authorities PEM; null where clients show no certificate.
 * @param http what holds on the port.
 */
export function listenerTls(
  spec: ListenerTlsSpec,
  certificates: readonly string[],
  authorities: string | null,
  http: HttpSettings,
): ListenerTls {
  const { clientCertificates } = spec;
  const alpn: readonly ApplicationProtocol[] = spec.alpn ?? LISTENER_TLS_DEFAULTS.alpn;
  return {
    certificates,
    minVersion: spec.minVersion,
    maxVersion: spec.maxVersion,
    ciphers: spec.ciphers.map((cipher) => cipher.toUpperCase()),
    curves: [...spec.curves],
    alpn: alpn.filter((protocol) => (protocol === 'h2' ? http.http2.enabled : http.http1)),
    clientCertificates:
      authorities === null || clientCertificates === undefined || clientCertificates.mode === 'None'
        ? null
        : {
            mode: clientCertificates.mode,
            ca: authorities,
            header: clientCertificates.header.toLowerCase(),
          },
    sessionTickets: spec.sessionTickets,
    handshakeTimeoutMs: durationMs(spec.handshakeTimeout),
  };
}

/** @param authorities PEM; empty for those of the system. */
export function clusterTls(spec: BackendTlsSpec, certificate: string, authorities: string): ClusterTls {
  return {
    serverName: spec.serverName ?? '',
    subjectAltNames: [...spec.subjectAltNames].sort(),
    ca: authorities,
    verify: !spec.insecureSkipVerify,
    certificate,
    minVersion: spec.minVersion,
  };
}
