import type { ShutdownRequest, SocketAddress, StreamHandle, WriteRequest } from '../stream-handle.ts';
import { streamBinding } from '../stream-handle.ts';
import { END_OF_STREAM } from '../system-error.ts';
import type { NativeTls, NativeWriteRequest } from './tls-binding.ts';
import { wrapNative } from './tls-binding.ts';
import type { PeerCertificate, TlsHandle, TlsOwner, TlsSettings } from './tls-stream.ts';
import { BLOCK_BYTES, WaitingBytes } from './waiting-bytes.ts';

const { WriteWrap, ShutdownWrap, streamBaseState, kReadBytesOrError, kLastWriteWasAsync } = streamBinding;
const EBADF = -9;
const ECONNRESET = -104;
const EPROTO = -71;
/** What may wait, encrypted by nobody yet, before the writer is told to stop. */
const MOST_QUEUED_BYTES = 65_536;

const HANDLE: unique symbol = Symbol('handle');
type Carrier = NativeTls & { [HANDLE]?: NativeTlsHandle };
type OwnRequest = NativeWriteRequest & { [HANDLE]?: NativeTlsHandle };

function onNativeRead(this: Carrier): undefined {
  this[HANDLE]!.read(streamBaseState[kReadBytesOrError]!);
}

function onNativeError(this: Carrier, error: Error & { code?: string }): void {
  this[HANDLE]!.failed(error.code ?? 'ERR_SSL_UNKNOWN');
}

function onHandshakeDone(this: Carrier): void {
  this[HANDLE]!.secured();
}

function onNewSession(this: Carrier, _id: Buffer, session: Buffer): void {
  this[HANDLE]!.session(session);
}

function onNativeWritten(this: OwnRequest, status: number): void {
  this[HANDLE]!.written(status);
}

function ignore(): void {}

/** Whether the runtime still has it: one that is let go of belongs to no operation. */
function isInUse(request: OwnRequest): boolean {
  return request.getAsyncId() >= 0;
}

const NOTHING = new Uint8Array(0);

/**
 * TLS by the runtime's own TLSWrap over its TCP handle.
 *
 *     write ──> encrypted, with the kernel ── a later turn ──> complete
 *     write meanwhile ──> queue ───────────────────────────────┘ then all of the queue in one write
 *
 * What was encrypted is free at once, so a write that the kernel takes is done for whoever wrote it, though the runtime
 * says so only in a later turn. What is written until then waits here, copied.
 */
export class NativeTlsHandle implements TlsHandle {
  onread: (this: StreamHandle) => Uint8Array | undefined = () => undefined;
  failure = '';
  readonly copies = true;
  readonly #raw: StreamHandle;
  readonly #native: NativeTls;
  readonly #owner: TlsOwner;
  readonly #settings: TlsSettings;
  /** All reads of the runtime go here; what is meant for elsewhere is copied, as it is never told of another place. */
  readonly #shared: Buffer;
  #memory: Uint8Array;
  #isReading = false;
  /** What came after `readStop` of a read that was being decrypted. */
  #kept: Buffer[] | null = null;
  /** End or error that is told after that; 0: none. */
  #keptStatus = 0;
  #isWriting = false;
  /** Used for one write after another. */
  #request: OwnRequest | null = null;
  #queue: WaitingBytes | null = null;
  /** Writes that were said to be under way, completed together. */
  #waiting: WriteRequest[] | null = null;
  #ending: ShutdownRequest | null = null;
  #hasEnded = false;
  #isSecured = false;
  #closed: ((this: StreamHandle) => void) | null = null;
  #isGone = false;
  #isDropped = false;

  constructor(raw: StreamHandle, settings: TlsSettings, owner: TlsOwner, shared: Buffer) {
    this.#raw = raw;
    this.#owner = owner;
    this.#settings = settings;
    this.#shared = shared;
    this.#memory = shared;
    const native: Carrier = wrapNative(raw, settings.context, settings.isServer);
    this.#native = native;
    native[HANDLE] = this;
    native.onread = onNativeRead;
    native.onerror = onNativeError;
    native.onhandshakedone = onHandshakeDone;
    native.useUserBuffer(shared);
    if (settings.alpn !== null) native.setALPNProtocols(settings.alpn);
    if (settings.isServer) {
      if (settings.clientCertificate !== 'none')
        native.setVerifyMode(true, settings.clientCertificate === 'required');
      if (settings.ocspResponse !== null) native.setOCSPResponse(settings.ocspResponse);
    } else {
      native.onnewsession = onNewSession;
      native.enableSessionCallbacks();
      if (settings.serverName !== '') native.setServername(settings.serverName);
      if (settings.session !== null) native.setSession(settings.session);
    }
  }

  begin(received: Uint8Array | null): void {
    if (!this.#settings.isServer) this.#native.start();
    else if (received !== null) this.#native.receive(received);
  }

  get alpn(): string {
    return this.#native.getALPNNegotiatedProtocol() || '';
  }

  get protocol(): string {
    return this.#native.getProtocol();
  }

  get cipher(): string {
    return this.#native.getCipher().standardName;
  }

  get isResumed(): boolean {
    return this.#native.isSessionReused();
  }

  get verifyError(): string {
    return this.#native.verifyError()?.code ?? '';
  }

  peerCertificate(): PeerCertificate | null {
    const certificate = this.#native.getPeerCertificate(true) as PeerCertificate | undefined;
    return certificate?.raw === undefined ? null : certificate;
  }

  useUserBuffer(bytes: Uint8Array): void {
    this.#memory = bytes;
  }

  get writeQueueSize(): number {
    return this.#raw.writeQueueSize + (this.#queue?.length ?? 0);
  }

  readStart(): number {
    this.#isReading = true;
    if (this.#kept !== null || this.#keptStatus !== 0) setImmediate(() => this.#giveKept());
    return this.#native.readStart();
  }

  readStop(): number {
    this.#isReading = false;
    return this.#native.readStop();
  }

  writeBuffer(request: WriteRequest, bytes: Uint8Array): number {
    if (this.#isGone || this.#hasEnded) return EBADF;
    if (bytes.length === 0) {
      streamBaseState[kLastWriteWasAsync] = 0;
      return 0;
    }
    if (this.#isBusy()) {
      this.#enqueue(bytes);
      return this.#enqueued(request);
    }
    const isClear = this.#native.writeQueueSize === 0;
    const own = this.#nextRequest();
    return this.#begun(own, this.#native.writeBuffer(own, bytes), bytes.length, isClear, request);
  }

  writev(request: WriteRequest, chunks: readonly Uint8Array[]): number {
    if (this.#isGone || this.#hasEnded) return EBADF;
    let length = 0;
    for (const chunk of chunks) length += chunk.length;
    if (length === 0) return this.writeBuffer(request, NOTHING);
    if (this.#isBusy()) {
      for (const chunk of chunks) this.#enqueue(chunk);
      return this.#enqueued(request);
    }
    const isClear = this.#native.writeQueueSize === 0;
    const own = this.#nextRequest();
    return this.#begun(own, this.#native.writev(own, chunks, true), length, isClear, request);
  }

  shutdown(request: ShutdownRequest): number {
    if (this.#hasEnded) return 1;
    this.#hasEnded = true;
    this.#ending = request;
    this.#proceedToEnd();
    return 0;
  }

  close(closed: (this: StreamHandle) => void): void {
    if (this.#isGone) return;
    this.#isGone = true;
    this.#closed = closed;
    this.#native.readStop();
    this.#kept = null;
    // What was said to be written goes out, where the kernel takes it, and with it that this was the end.
    if (this.failure === '' && this.#isSecured && this.#raw.writeQueueSize === 0) this.#proceedToEnd();
    else this.#drop();
  }

  reset(closed: (this: StreamHandle) => void): number {
    const error = this.#raw.reset(() => this.#release());
    if (error !== 0) return error;
    this.#isGone = true;
    this.#isDropped = true;
    this.#closed = closed;
    this.#kept = null;
    return 0;
  }

  getpeername(out: SocketAddress): number {
    return this.#raw.getpeername(out);
  }

  getsockname(out: SocketAddress): number {
    return this.#raw.getsockname(out);
  }

  /** So many bytes are in the shared memory, or it is an end or an error. */
  read(count: number): void {
    if (this.#isGone) return;
    if (count > 0) {
      if (this.#isReading && this.#kept === null) this.#give(count);
      else this.#keep(count);
    } else if (count < 0) {
      const status = count === END_OF_STREAM && this.#wasCut() ? ECONNRESET : count;
      if (this.#kept === null && this.#isReading) this.#say(status);
      else this.#keptStatus = status;
    }
  }

  failed(code: string): void {
    if (this.failure === '') this.failure = code;
    if (!this.#isGone) this.#say(EPROTO);
  }

  secured(): void {
    // Also after a change of keys, which is nobody's business.
    if (this.#isSecured || this.#isGone) return;
    this.#isSecured = true;
    this.#owner.onSecured(this);
  }

  session(session: Buffer): void {
    if (!this.#isGone) this.#owner.onSession(session);
  }

  /** The runtime is done with the write under way. */
  written(status: number): void {
    this.#isWriting = false;
    if (status < 0) {
      this.#forget();
      if (this.#isGone) this.#drop();
      else this.#complete(status);
      return;
    }
    if (this.#queue !== null) this.#flush();
    if (this.#raw.writeQueueSize === 0 && this.#queue === null) this.#complete(0);
    if (this.#ending !== null || (this.#isGone && !this.#isDropped)) this.#proceedToEnd();
  }

  /** Whether the end that has just been read is that of the connection, which is then read no more, and not TLS's. */
  #wasCut(): boolean {
    if (!this.#isReading || this.#raw.readStart() !== 0) return false;
    this.#raw.readStop();
    return true;
  }

  #give(count: number): void {
    if (this.#memory !== this.#shared) this.#memory.set(this.#shared.subarray(0, count));
    this.#say(count);
  }

  #say(count: number): void {
    streamBaseState[kReadBytesOrError] = count;
    this.#memory = this.onread() ?? this.#memory;
  }

  #keep(count: number): void {
    this.#kept ??= [];
    this.#kept.push(Buffer.from(this.#shared.subarray(0, count)));
  }

  #giveKept(): void {
    while (this.#kept !== null && this.#isReading && !this.#isGone) {
      const bytes = this.#kept.shift()!;
      if (this.#kept.length === 0) this.#kept = null;
      this.#memory.set(bytes);
      this.#say(bytes.length);
    }
    if (this.#kept !== null || this.#keptStatus === 0 || !this.#isReading || this.#isGone) return;
    const status = this.#keptStatus;
    this.#keptStatus = 0;
    this.#say(status);
  }

  /** Whether a write is under way; if so, `written` follows, where it had been of no interest till now, too. */
  #isBusy(): boolean {
    if (!this.#isWriting) return false;
    const request = this.#request!;
    if (request.oncomplete === null && !isInUse(request)) this.#isWriting = false;
    else request.oncomplete = onNativeWritten;
    return this.#isWriting;
  }

  #nextRequest(): OwnRequest {
    this.#isWriting = true;
    let request = this.#request;
    // Within its own completion it still is.
    if (request === null || isInUse(request)) {
      request = new WriteWrap() as unknown as OwnRequest;
      request[HANDLE] = this;
      this.#request = request;
    }
    request.oncomplete = onNativeWritten;
    return request;
  }

  /** `isClear`: nothing else was on its way to the kernel, so that it has got or refused this write already. */
  #begun(own: OwnRequest, error: number, length: number, isClear: boolean, request: WriteRequest): number {
    if (error !== 0) {
      this.#isWriting = false;
      return error;
    }
    const isDone = this.#raw.writeQueueSize === 0 && length <= BLOCK_BYTES;
    if (isDone || !this.#isWriting) streamBaseState[kLastWriteWasAsync] = 0;
    else this.#wait(request);
    // Nobody need hear of the end of what can only go well, until somebody waits for it.
    if (isDone && isClear) own.oncomplete = null;
    return 0;
  }

  #wait(request: WriteRequest): void {
    streamBaseState[kLastWriteWasAsync] = 1;
    this.#waiting ??= [];
    this.#waiting.push(request);
  }

  #enqueue(bytes: Uint8Array): void {
    this.#queue ??= new WaitingBytes();
    this.#queue.add(bytes);
  }

  #enqueued(request: WriteRequest): number {
    const takesMore =
      this.#queue!.length < MOST_QUEUED_BYTES && this.#waiting === null && this.#raw.writeQueueSize === 0;
    if (takesMore) streamBaseState[kLastWriteWasAsync] = 0;
    else this.#wait(request);
    return 0;
  }

  #flush(): void {
    const queue = this.#queue!;
    const own = this.#nextRequest();
    const error = queue.take((bytes) => this.#native.writeBuffer(own, bytes));
    if (queue.length === 0) this.#queue = null;
    if (error === 0) return;
    this.#isWriting = false;
    this.#forget();
    if (!this.#isGone) this.#complete(error);
  }

  /** What waits will not be sent. */
  #forget(): void {
    this.#queue?.drop();
    this.#queue = null;
  }

  #complete(status: number): void {
    const waiting = this.#waiting;
    if (waiting === null) {
      if (status < 0 && !this.#isGone) this.#say(status);
      return;
    }
    this.#waiting = null;
    for (const request of waiting) request.oncomplete!.call(request, status);
  }

  /** Says that no more comes, as soon as all that does has gone out; then closes, where that was asked for. */
  #proceedToEnd(): void {
    if (this.#isBusy()) {
      if (this.#isGone && this.#raw.writeQueueSize > 0) this.#drop();
      return;
    }
    const request = this.#ending;
    if (request === null) {
      if (!this.#hasEnded) this.#endNative(new ShutdownWrap());
      this.#drop();
      return;
    }
    this.#ending = null;
    if (this.#endNative(request) !== 0) setImmediate(() => request.oncomplete!.call(request, 0));
    if (this.#isGone) this.#drop();
  }

  #endNative(request: ShutdownRequest): number {
    this.#hasEnded = true;
    request.oncomplete ??= ignore;
    return this.#native.shutdown(request);
  }

  #drop(): void {
    if (this.#isDropped) return;
    this.#isDropped = true;
    this.#raw.close(() => this.#release());
  }

  /** Not before: OpenSSL may be at work further up the stack when somebody closes. */
  #release(): void {
    const closed = this.#closed;
    this.#closed = null;
    this.#waiting = null;
    this.#forget();
    this.#native.destroySSL();
    closed?.call(this);
  }
}
