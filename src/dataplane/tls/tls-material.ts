import type { SessionTickets } from '../../os/tls/ticket-keys.ts';
import type { BackendSecurity } from './backend-security.ts';
import type { CertificateStore } from './certificate-store.ts';
import type { HandshakesUnderWay } from './handshakes-under-way.ts';

/** What a worker speaks TLS with. */
export interface TlsMaterial {
  readonly certificates: CertificateStore;
  readonly backends: BackendSecurity;
  readonly tickets: SessionTickets;
  readonly handshakes: HandshakesUnderWay;
}
