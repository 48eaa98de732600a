import type { SecureContext } from 'node:tls';
import type { StreamHandle } from '../stream-handle.ts';

/** How TLS is spoken over a connection; the certificate and what is agreed to are the context's. */
export interface TlsSettings {
  readonly context: SecureContext;
  readonly isServer: boolean;
  /** Names with their lengths before them (RFC 7301), the first preferred; null: none is agreed on. */
  readonly alpn: Buffer | null;
  /** Server: whether a client is asked for a certificate, and refused without one. */
  readonly clientCertificate: 'none' | 'optional' | 'required';
  /** Server: answer of the authority about the certificate (RFC 6960, DER), for clients that ask for it. */
  readonly ocspResponse: Buffer | null;
  /** Client: sent as SNI; empty: nothing is. */
  readonly serverName: string;
  /** Client: session to resume. */
  readonly session: Buffer | null;
}

export interface TlsOwner {
  /** The handshake is done. Called before any byte is; nothing may be thrown. */
  onSecured(handle: TlsHandle): void;
  /** Client: a session that can be resumed. */
  onSession(session: Buffer): void;
}

/** A certificate as `tls.PeerCertificate` shows it. */
export interface PeerCertificate {
  readonly raw: Buffer;
  readonly subject: Readonly<Record<string, string | readonly string[]>>;
  readonly subjectaltname?: string;
  readonly fingerprint256: string;
  readonly serialNumber: string;
  readonly valid_to: string;
  readonly issuerCertificate?: PeerCertificate;
}

/**
 * A connection with TLS on it, as a handle of its own over that of TCP.
 *
 * The peer's end is told as such only where it said so within TLS (close_notify, RFC 8446 section 6.1); an end of the
 * connection alone, which anybody on the way can bring about, is ECONNRESET. What the peer did against TLS is EPROTO,
 * and `failure` says what it was.
 */
export interface TlsHandle extends StreamHandle {
  /** The memory of a write is the writer's again at once, also where the write goes on. */
  readonly copies: boolean;
  /** OpenSSL's code of what was wrong (`ERR_SSL_…`), or empty. */
  readonly failure: string;
  /** Begins the handshake: a server with what has been read already, a client by itself. */
  begin(received: Uint8Array | null): void;
  /** From here on what the handshake has agreed on. Empty: no protocol. */
  readonly alpn: string;
  readonly protocol: string;
  readonly cipher: string;
  readonly isResumed: boolean;
  /** Why the certificate that the peer has shown is not trusted, or empty. */
  readonly verifyError: string;
  peerCertificate(): PeerCertificate | null;
}
