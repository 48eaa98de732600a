import type { SocketStream, StreamOwner } from '../../os/socket-stream.ts';
import { identityFailure, serverNameIndication } from '../../os/tls/client-context.ts';
import type { TlsHandle, TlsOwner } from '../../os/tls/tls-stream.ts';
import type { ClusterSecurity } from './backend-security.ts';

/** Lists of RFC 7301 section 3.1. */
export const OFFER_HTTP1 = Buffer.from('\x08http/1.1', 'latin1');
export const OFFER_HTTP2 = Buffer.from('\x02h2', 'latin1');
export const OFFER_BOTH = Buffer.concat([OFFER_HTTP2, OFFER_HTTP1]);

export interface BackendHandshakeOwner extends StreamOwner {
  /** TLS is on the connection, and the backend is who it should be. `alpn` empty: it has not said. */
  onSecured(alpn: string): void;
}

/**
 * Has a connection to a backend until TLS is on it and the backend has shown who it is. Where that fails the owner's
 * `onClosed` says what it was: the system's code, OpenSSL's, or that of the verification.
 */
export class BackendHandshake implements StreamOwner, TlsOwner {
  readonly #security: ClusterSecurity;
  readonly #stream: SocketStream;
  readonly #owner: BackendHandshakeOwner;
  readonly #name: string;
  readonly #sessionKey: string;
  #session: Buffer | null = null;
  #isVerified = false;

  /** `name`: sent as SNI, and sought in the certificate where no others are said. */
  constructor(
    security: ClusterSecurity,
    stream: SocketStream,
    owner: BackendHandshakeOwner,
    endpoint: string,
    name: string,
  ) {
    this.#security = security;
    this.#stream = stream;
    this.#owner = owner;
    this.#name = name;
    this.#sessionKey = `${endpoint} ${name}`;
    stream.owner = this;
  }

  /** `offer`: what may be spoken, the first preferred. */
  begin(offer: Buffer): void {
    const { context } = this.#security;
    this.#stream.secure(
      {
        context,
        isServer: false,
        alpn: offer,
        clientCertificate: 'none',
        ocspResponse: null,
        serverName: serverNameIndication(this.#name),
        session: this.#security.session(this.#sessionKey),
      },
      this,
      null,
    );
  }

  onSecured(tls: TlsHandle): void {
    try {
      const failure = this.#failure(tls);
      if (failure !== '') {
        this.#stream.code = failure;
        this.#stream.destroy();
        return;
      }
      this.#isVerified = true;
      if (this.#session !== null) this.#security.keepSession(this.#sessionKey, this.#session);
      this.#session = null;
      this.#stream.owner = this.#owner;
      this.#owner.onSecured(tls.alpn);
    } catch (error) {
      this.#owner.onFault(error);
    }
  }

  /** Before the handshake is done or any time after it. */
  onSession(session: Buffer): void {
    if (this.#isVerified) this.#security.keepSession(this.#sessionKey, session);
    else this.#session = session;
  }

  onConnect(): void {}

  onBytes(): void {}

  onWritable(): void {}

  onEnd(): void {
    this.#stream.destroy();
  }

  onClosed(code: string): void {
    this.#owner.onClosed(this.#stream.tls?.failure || code);
  }

  onFault(error: unknown): void {
    this.#owner.onFault(error);
  }

  #failure(tls: TlsHandle): string {
    const { verify, subjectAltNames } = this.#security.tls;
    if (!verify) return '';
    if (tls.verifyError !== '') return tls.verifyError;
    // It was him when the session began, under these very settings.
    if (tls.isResumed) return '';
    const certificate = tls.peerCertificate();
    if (certificate === null) return 'ERR_TLS_CERT_MISSING';
    return identityFailure(subjectAltNames.length === 0 ? [this.#name] : subjectAltNames, certificate);
  }
}
