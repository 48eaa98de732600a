import type { ShutdownOwner, SocketAddress, StreamHandle, WriteOwner } from './stream-handle.ts';
import { shutdownHandle, streamBinding, WRITING, writeHandle, writevHandle } from './stream-handle.ts';
import type { ConnectAttempt, ConnectOwner, System } from './system.ts';
import { END_OF_STREAM, errorCode } from './system-error.ts';
import { hasTcpHandles } from './tcp.ts';
import { secureHandle } from './tls/secure-handle.ts';
import type { TlsHandle, TlsOwner, TlsSettings } from './tls/tls-stream.ts';

export const READ_BYTES = 65_536;
/** From this on a read is rather kept than copied, and the next ones will be as large. */
const LARGE_READ_BYTES = 16_384;

/** What a stream tells its owner. Never called from within a call of the owner on the stream. */
export interface StreamOwner {
  /** `bytes[0, end)` are valid during this call only, unless the owner keeps them (`SocketStream.give`). */
  onBytes(bytes: Buffer, end: number): void;
  /** The peer has sent its last byte. */
  onEnd(): void;
  /** Everything written is with the kernel; memory of writes that returned false is free again. */
  onWritable(): void;
  onConnect(): void;
  /** Both directions are gone. `code` is the system's, or empty. */
  onClosed(code: string): void;
  /** One of the calls above threw. Must not throw itself: puts right what can be, and lets go of the rest. */
  onFault(error: unknown): void;
}

const STREAM: unique symbol = Symbol('stream');
type Carrier = StreamHandle & { [STREAM]?: SocketStream };

const { streamBaseState, kReadBytesOrError } = streamBinding;

/** All reads of small messages of this thread go here: a read is worked off before the next one begins. */
const SHARED = Buffer.allocUnsafeSlow(READ_BYTES);
const FREE: Buffer[] = [];
const MOST_FREE = 64;

/** Leaves memory that nobody reads into to the collector. */
export function dropFreeMemory(): void {
  FREE.length = 0;
}

function free(memory: Buffer): void {
  if (memory !== SHARED && FREE.length < MOST_FREE) FREE.push(memory);
}

/** The runtime fills it in: one that already has its fields costs less than a new one. */
const ADDRESS: SocketAddress = { address: '', family: '', port: 0 };
const NO_ADDRESS: SocketAddress = { address: '', family: '', port: 0 };

/** IPv4 as such where the socket is one for both. */
function plainAddress(address: string): string {
  if (address.startsWith('::ffff:')) return address.slice(7);
  const zone = address.indexOf('%');
  return zone === -1 ? address : address.slice(0, zone);
}

function onRead(this: Carrier): Uint8Array | undefined {
  const count = streamBaseState[kReadBytesOrError]!;
  const stream = this[STREAM]!;
  if (count > 0) return stream.read(count);
  if (count < 0) stream.readFailed(count);
  return undefined;
}

function onHandleClosed(this: Carrier): void {
  this[STREAM]!.closed();
}

function noOwner(): never {
  throw new Error('a stream was used before it had an owner');
}
const NO_OWNER: StreamOwner = {
  onBytes: noOwner,
  onEnd: noOwner,
  onWritable: noOwner,
  onConnect: noOwner,
  // It may be dropped before anybody has taken it.
  onClosed: () => {},
  onFault: noOwner,
};

/**
 * A TCP connection as the data plane sees it. `write` returns true where the kernel has everything and the memory
 * is free at once; false asks the caller to leave the memory alone (`keepsMemory`) and to stop reading its source until
 * `onWritable`. So nothing is ever queued here but what one read brought.
 *
 *     connecting ──> open ──end──> half closed ──peer's end──> closed
 *          └────────────┴──── destroy, reset, failure ───────────┘   `onClosed` follows in a later turn
 */
export class SocketStream implements WriteOwner, ShutdownOwner, ConnectOwner {
  owner: StreamOwner = NO_OWNER;
  /** Where the read after the next goes, or the next, where one is being worked off. */
  input: Buffer = SHARED;
  code = '';
  paused = false;
  isClosed = false;
  /** What is on the connection beside TCP; stays when the stream is closed. */
  tls: TlsHandle | null = null;
  /** Null while it connects and once it is closed. */
  #handle: StreamHandle | null = null;
  #attempt: ConnectAttempt | null = null;
  /** Where the runtime puts the next read; it keeps to it until that read has come. */
  #reading: Buffer = SHARED;
  #writing = 0;
  /** No more writes were asked for, and the kernel has been told so. */
  #ended = false;
  #shutDown = false;
  #peerEnded = false;
  /** Memory of the read at hand that outlasts it. */
  #given: Buffer | null = null;

  /** Takes over an accepted connection; reading starts with the next turn. */
  static accepted(handle: StreamHandle): SocketStream {
    const stream = new SocketStream();
    stream.#open(handle);
    return stream;
  }

  /** `owner.onConnect` or `owner.onClosed` follows. */
  static connecting(system: System, address: string, port: number, owner: StreamOwner): SocketStream {
    const stream = new SocketStream();
    stream.owner = owner;
    stream.#attempt = system.connect(address, port, stream);
    return stream;
  }

  /** Writes go to the kernel at once; otherwise each one keeps its memory for a while. */
  get isDirect(): boolean {
    return hasTcpHandles;
  }

  /** A write that returned false has the memory it was given; else only the source of more should pause. */
  get keepsMemory(): boolean {
    return this.tls === null || !this.tls.copies;
  }

  get writing(): boolean {
    return this.#writing > 0;
  }

  /** Bytes of writes that returned false and that the kernel has not taken yet. */
  get unsent(): number {
    return this.#handle?.writeQueueSize ?? 0;
  }

  /** Without the zone of a link-local address (`%eth0`): it says something on this host alone. Empty once closed. */
  get remoteAddress(): string {
    return plainAddress(this.#peer().address);
  }

  /** 0 once closed, as `localPort`. */
  get remotePort(): number {
    return this.#peer().port;
  }

  get localAddress(): string {
    return plainAddress(this.#local().address);
  }

  get localPort(): number {
    return this.#local().port;
  }

  write(bytes: Uint8Array): boolean {
    const handle = this.#handle;
    if (handle === null) return this.#unopened();
    return this.#outcome(writeHandle(handle, bytes, this));
  }

  /** Several pieces in one system call. */
  writeAll(chunks: readonly Uint8Array[]): boolean {
    const handle = this.#handle;
    if (handle === null) return this.#unopened();
    return this.#outcome(writevHandle(handle, chunks, this));
  }

  /**
   * Reads from now on go into memory of this stream alone, so that a read can be written on without a copy. For
   * long bodies; short messages share one buffer.
   */
  own(): void {
    if (this.input === SHARED) this.input = FREE.pop() ?? Buffer.allocUnsafeSlow(READ_BYTES);
  }

  /** `own` after a large read, else `share`: for connections that are idle for long, and then are to hold nothing. */
  ownIfLarge(size: number): void {
    if (size >= LARGE_READ_BYTES) this.own();
    else this.share();
  }

  /** A part of the read being handled now that can outlast it, once `give` is called: a copy only of shared memory. */
  lasting(bytes: Buffer, start: number, end: number): Buffer {
    if (bytes !== SHARED) return bytes.subarray(start, end);
    const copy = Buffer.allocUnsafe(end - start);
    bytes.copy(copy, 0, start, end);
    return copy;
  }

  /** A write still needs the bytes of this read: the next read goes elsewhere. */
  give(bytes: Buffer): void {
    if (bytes === SHARED) return;
    this.#given = bytes;
    if (bytes === this.input) this.input = FREE.pop() ?? Buffer.allocUnsafeSlow(READ_BYTES);
  }

  /** A read that went into memory of this stream has been worked off, and the next goes elsewhere. */
  left(bytes: Buffer): void {
    if (bytes !== this.#given) free(bytes);
    this.#given = null;
  }

  /** Whether these bytes are overwritten by the next read of any stream. */
  isShared(bytes: Buffer): boolean {
    return bytes === SHARED;
  }

  /** Reads go into the shared memory again; this stream's own is free when the runtime has left it. */
  share(): void {
    if (this.input !== this.#reading) free(this.input);
    this.input = SHARED;
  }

  /**
   * From now on this is the cleartext of TLS. `received`: what a server has read of it already. `owner.onSecured`
   * follows, perhaps within this call, or the stream's `onClosed`. Not after a write that returned false.
   */
  secure(settings: TlsSettings, owner: TlsOwner, received: Uint8Array | null): void {
    const raw = this.#handle;
    if (raw === null) return;
    this.share();
    this.#reading = SHARED;
    const tls = secureHandle(raw, settings, owner, SHARED);
    this.tls = tls;
    this.#handle = tls;
    (tls as Carrier)[STREAM] = this;
    tls.onread = onRead;
    tls.useUserBuffer(SHARED);
    if (!this.paused) tls.readStart();
    tls.begin(received);
  }

  pause(): void {
    if (this.paused || this.isClosed) return;
    this.paused = true;
    if (!this.#peerEnded) this.#handle?.readStop();
  }

  resume(): void {
    if (!this.paused || this.isClosed) return;
    this.paused = false;
    // After the peer's end the runtime would say so again.
    if (!this.#peerEnded) this.#handle?.readStart();
  }

  /** No more writes; what was written still goes out. */
  end(): void {
    if (this.isClosed || this.#ended) return;
    this.#ended = true;
    if (this.#handle !== null) this.#shutdown(this.#handle);
  }

  destroy(): void {
    if (this.isClosed) return;
    this.isClosed = true;
    const handle = this.#handle;
    this.#handle = null;
    if (handle === null) this.#giveUp();
    else handle.close(onHandleClosed);
  }

  /** Cuts the connection so that the peer cannot take what it has for the whole (RST). */
  reset(): void {
    if (this.isClosed) return;
    const handle = this.#handle;
    // While the end is being sent a reset is refused.
    if (handle === null || this.#ended || handle.reset(onHandleClosed) !== 0) {
      this.destroy();
      return;
    }
    this.isClosed = true;
    this.#handle = null;
  }

  onConnected(handle: StreamHandle): void {
    if (this.isClosed) return;
    this.#attempt = null;
    this.#open(handle);
    if (this.#ended) this.#shutdown(handle);
    try {
      this.owner.onConnect();
    } catch (error) {
      this.owner.onFault(error);
    }
  }

  onConnectFailed(code: string): void {
    if (this.isClosed) return;
    this.code = code;
    this.destroy();
  }

  /** The runtime has put so many bytes where they were to go. Returns where the next ones are to go, if elsewhere. */
  read(count: number): Buffer | undefined {
    const bytes = this.#reading;
    try {
      this.owner.onBytes(bytes, count);
    } catch (error) {
      this.owner.onFault(error);
    }
    const next = this.input;
    if (next === bytes) return undefined;
    this.#reading = next;
    if (bytes !== SHARED) this.left(bytes);
    return next;
  }

  /** The peer's end, or the system's error. */
  readFailed(status: number): void {
    if (this.isClosed || this.#peerEnded) return;
    if (status !== END_OF_STREAM) {
      this.#failed(status);
      return;
    }
    this.#peerEnded = true;
    try {
      this.owner.onEnd();
    } catch (error) {
      this.owner.onFault(error);
    }
    this.#checkEnded();
  }

  onShutdown(): void {
    this.#shutDown = true;
    this.#checkEnded();
  }

  onWritten(status: number): void {
    this.#writing -= 1;
    if (status < 0) this.#failed(status);
    else this.#writable();
  }

  /** The runtime has let go of the connection: nothing is read or written any more. */
  closed(): void {
    // What was given is not read into, so it is neither of these.
    free(this.#reading);
    if (this.input !== this.#reading) free(this.input);
    this.#reading = SHARED;
    this.input = SHARED;
    try {
      this.owner.onClosed(this.code);
    } catch (error) {
      this.owner.onFault(error);
    }
  }

  #open(handle: StreamHandle): void {
    this.#handle = handle;
    (handle as Carrier)[STREAM] = this;
    handle.onread = onRead;
    this.#reading = this.input;
    handle.useUserBuffer(this.#reading);
    if (!this.paused) handle.readStart();
  }

  /** A write to nobody is done at once; one to somebody who is not there yet is a mistake. */
  #unopened(): boolean {
    if (!this.isClosed) throw new Error('a stream was written to before it was connected');
    return true;
  }

  #giveUp(): void {
    const attempt = this.#attempt!;
    this.#attempt = null;
    attempt.close(() => this.closed());
  }

  #shutdown(handle: StreamHandle): void {
    if (!shutdownHandle(handle, this)) this.onShutdown();
  }

  #checkEnded(): void {
    if (this.#shutDown && this.#peerEnded) this.destroy();
  }

  #peer(): SocketAddress {
    const handle = this.#handle;
    return handle !== null && handle.getpeername(ADDRESS) === 0 ? ADDRESS : NO_ADDRESS;
  }

  #local(): SocketAddress {
    const handle = this.#handle;
    return handle !== null && handle.getsockname(ADDRESS) === 0 ? ADDRESS : NO_ADDRESS;
  }

  #writable(): void {
    if (this.#writing > 0 || this.isClosed) return;
    try {
      this.owner.onWritable();
    } catch (error) {
      this.owner.onFault(error);
    }
  }

  #outcome(status: number): boolean {
    if (status === WRITING) {
      this.#writing += 1;
      return false;
    }
    if (status < 0) this.#failed(status);
    return true;
  }

  #failed(status: number): void {
    if (this.isClosed) return;
    this.code = errorCode(status);
    this.destroy();
  }
}
