import type { Socket } from 'node:net';
import type { ConnectionOptions } from 'node:tls';
import { TLSSocket } from 'node:tls';
import { PlainHandle } from '../plain-handle.ts';
import type { ShutdownRequest, SocketAddress, StreamHandle, WriteRequest } from '../stream-handle.ts';
import type { PeerCertificate, TlsHandle, TlsOwner, TlsSettings } from './tls-stream.ts';

/** What `tls.TLSSocket` does not declare. */
type Undeclared = TLSSocket & {
  setServername(name: string): void;
  readonly ssl: {
    verifyError(): { code?: string } | undefined;
    setOCSPResponse(response: Buffer): void;
  } | null;
};

/**
 * TLS by `tls.TLSSocket`, for where the runtime does not offer its own handles. It does not tell an end of the
 * connection from one of TLS.
 */
export class PlainTlsHandle implements TlsHandle {
  failure = '';
  readonly copies = false;
  readonly #settings: TlsSettings;
  readonly #owner: TlsOwner;
  readonly #raw: Socket;
  #socket: Undeclared | null = null;
  #plain: PlainHandle | null = null;
  #onread: (this: StreamHandle) => Uint8Array | undefined = () => undefined;
  #memory: Uint8Array = Buffer.alloc(0);
  #isReading = false;

  constructor(raw: PlainHandle, settings: TlsSettings, owner: TlsOwner) {
    this.#raw = raw.release();
    this.#settings = settings;
    this.#owner = owner;
  }

  get onread(): (this: StreamHandle) => Uint8Array | undefined {
    return this.#onread;
  }

  set onread(onread: (this: StreamHandle) => Uint8Array | undefined) {
    this.#onread = onread;
  }

  begin(received: Uint8Array | null): void {
    const { isServer, context, alpn, clientCertificate, serverName, session, ocspResponse } = this.#settings;
    if (received !== null) this.#raw.unshift(Buffer.from(received));
    const options: ConnectionOptions & { isServer: boolean; requestCert: boolean } = {
      isServer,
      secureContext: context,
      requestCert: clientCertificate !== 'none',
      rejectUnauthorized: isServer && clientCertificate === 'required',
      ...(alpn === null ? {} : { ALPNProtocols: alpn }),
      ...(session === null ? {} : { session }),
    };
    const socket = new TLSSocket(this.#raw, options) as Undeclared;
    this.#socket = socket;
    if (!isServer && serverName !== '') socket.setServername(serverName);
    if (isServer && ocspResponse !== null) socket.ssl?.setOCSPResponse(ocspResponse);
    socket.on('error', (error: NodeJS.ErrnoException) => {
      if (this.failure === '') this.failure = error.code ?? 'ERR_SSL_UNKNOWN';
    });
    socket.on('session', (offered: Buffer) => this.#owner.onSession(offered));
    socket.once('secure', () => this.#owner.onSecured(this));
    const plain = new PlainHandle(socket);
    this.#plain = plain;
    plain.onread = () => this.#onread.call(this);
    plain.useUserBuffer(this.#memory);
    if (this.#isReading) plain.readStart();
  }

  get alpn(): string {
    return this.#socket?.alpnProtocol || '';
  }

  get protocol(): string {
    return this.#socket?.getProtocol() ?? '';
  }

  get cipher(): string {
    return this.#socket?.getCipher()?.standardName ?? '';
  }

  get isResumed(): boolean {
    return this.#socket?.isSessionReused() === true;
  }

  get verifyError(): string {
    return this.#socket?.ssl?.verifyError()?.code ?? '';
  }

  peerCertificate(): PeerCertificate | null {
    const certificate = this.#socket?.getPeerCertificate(true) as PeerCertificate | null | undefined;
    return certificate?.raw === undefined ? null : certificate;
  }

  useUserBuffer(bytes: Uint8Array): void {
    this.#memory = bytes;
    this.#plain?.useUserBuffer(bytes);
  }

  readStart(): number {
    this.#isReading = true;
    return this.#plain?.readStart() ?? 0;
  }

  readStop(): number {
    this.#isReading = false;
    return this.#plain?.readStop() ?? 0;
  }

  get writeQueueSize(): number {
    return this.#plain?.writeQueueSize ?? 0;
  }

  writeBuffer(request: WriteRequest, bytes: Uint8Array): number {
    return this.#plain!.writeBuffer(request, bytes);
  }

  writev(request: WriteRequest, chunks: readonly Uint8Array[]): number {
    return this.#plain!.writev(request, chunks);
  }

  shutdown(request: ShutdownRequest): number {
    return this.#plain!.shutdown(request);
  }

  close(closed: (this: StreamHandle) => void): void {
    this.#plain!.close(() => closed.call(this));
    this.#raw.destroy();
  }

  reset(closed: (this: StreamHandle) => void): number {
    this.#raw.resetAndDestroy();
    this.close(closed);
    return 0;
  }

  getpeername(out: SocketAddress): number {
    return this.#plain!.getpeername(out);
  }

  getsockname(out: SocketAddress): number {
    return this.#plain!.getsockname(out);
  }
}
