import type { SessionTickets } from '../../os/tls/ticket-keys.ts';
import type { CertificateStore } from './certificate-store.ts';

/** What all listeners of a worker end TLS with. */
export interface TlsMaterial {
  readonly certificates: CertificateStore;
  readonly tickets: SessionTickets;
}
