import type { SecureContext } from 'node:tls';
import type { ClusterTls } from '../../model/tls.ts';
import { clientContext } from '../../os/tls/client-context.ts';
import type { CertificateStore } from './certificate-store.ts';
import type { CompiledCertificate } from './compiled-certificate.ts';

/** Names, and so sessions, of one cluster. */
const MOST_SESSIONS = 1024;

/** What a worker speaks TLS to one cluster with: contexts as of now, and sessions that can be resumed. */
class ClusterSecurity {
  readonly tls: ClusterTls;
  readonly certificate: CompiledCertificate | undefined;
  readonly context: SecureContext;
  /** By endpoint and name; of verified backends alone. */
  readonly sessions = new Map<string, Buffer>();

  constructor(tls: ClusterTls, certificate: CompiledCertificate | undefined) {
    this.tls = tls;
    this.certificate = certificate;
    this.context = clientContext(tls, certificate?.config ?? null);
  }

  /** Used until there is a newer one: not every backend gives a new one where an old one is resumed. */
  session(key: string): Buffer | null {
    return this.sessions.get(key) ?? null;
  }

  keepSession(key: string, session: Buffer): void {
    if (this.sessions.size >= MOST_SESSIONS) this.sessions.clear();
    this.sessions.set(key, session);
  }
}

export type { ClusterSecurity };

/** @throws Error where OpenSSL refuses its authorities */
export function checkClusterTls(tls: ClusterTls | null): void {
  if (tls !== null && tls.ca !== '') clientContext(tls, null);
}

/** Of all clusters that are spoken to over TLS. */
export class BackendSecurity {
  readonly #certificates: CertificateStore;
  readonly #clusters = new Map<string, ClusterSecurity>();

  constructor(certificates: CertificateStore) {
    this.#certificates = certificates;
  }

  /** Null where the certificate that it is to show is missing. */
  of(cluster: string, tls: ClusterTls): ClusterSecurity | null {
    const certificate = tls.certificate === '' ? undefined : this.#certificates.get(tls.certificate);
    const known = this.#clusters.get(cluster);
    if (known !== undefined && known.tls === tls && known.certificate === certificate) return known;
    if (tls.certificate !== '' && certificate === undefined) return null;
    const security = new ClusterSecurity(tls, certificate);
    this.#clusters.set(cluster, security);
    return security;
  }
}
