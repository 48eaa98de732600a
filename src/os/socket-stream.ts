import type { AddressInfo, NetConnectOpts, Socket } from 'node:net';
import type { StreamHandle, WriteOwner } from './stream-handle.ts';
import { directWrites, WRITING, writeHandle, writevHandle } from './stream-handle.ts';
import type { System } from './system.ts';

export const READ_BYTES = 65_536;

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
type Carrier = Socket & { [STREAM]?: SocketStream; _handle?: StreamHandle | null };

/** All reads of small messages of this thread go here: a read is worked off before the next one begins. */
const SHARED = Buffer.allocUnsafeSlow(READ_BYTES);
const FREE: Buffer[] = [];
const MOST_FREE = 64;
let next: Buffer = SHARED;

/** Leaves memory that nobody reads into to the collector. */
export function dropFreeMemory(): void {
  FREE.length = 0;
}

function nextBuffer(): Buffer {
  return next;
}

function onRead(this: Carrier, end: number, bytes: Uint8Array): boolean {
  const stream = this[STREAM]!;
  try {
    stream.owner.onBytes(bytes as Buffer, end);
  } catch (error) {
    stream.owner.onFault(error);
  }
  // The runtime asks for the next read's memory now, and keeps to it until that read has come.
  next = stream.input;
  if (bytes !== SHARED && bytes !== next) stream.left(bytes as Buffer);
  return true;
}

function onEnd(this: Carrier): void {
  const { owner } = this[STREAM]!;
  try {
    owner.onEnd();
  } catch (error) {
    owner.onFault(error);
  }
}

function onError(this: Carrier, error: NodeJS.ErrnoException): void {
  this[STREAM]!.code = error.code ?? 'UNKNOWN';
}

function onClose(this: Carrier): void {
  this[STREAM]!.closed();
}

function onConnect(this: Carrier): void {
  const stream = this[STREAM]!;
  stream.connected();
  try {
    stream.owner.onConnect();
  } catch (error) {
    stream.owner.onFault(error);
  }
}

const ON_READ = { buffer: nextBuffer, callback: onRead } as unknown as {
  buffer: () => Uint8Array;
  callback: (bytesWritten: number, buffer: Uint8Array) => boolean;
};

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
 * is free at once; false asks the caller to leave the memory alone and to stop reading its source until
 * `onWritable`. So nothing is ever queued here but what one read brought.
 */
export class SocketStream implements WriteOwner {
  readonly socket: Socket;
  owner: StreamOwner = NO_OWNER;
  /** Where the next read goes. */
  input: Buffer = SHARED;
  code = '';
  paused = false;
  isClosed = false;
  #handle: StreamHandle | null = null;
  #writing = 0;
  #ended = false;
  /** Memory of the read at hand that outlasts it. */
  #given: Buffer | null = null;

  constructor(socket: Socket) {
    this.socket = socket;
    (socket as Carrier)[STREAM] = this;
    socket.on('end', onEnd);
    socket.on('error', onError);
    socket.on('close', onClose);
  }

  /** Takes over an accepted connection; reading starts with the next turn. */
  static accepted(system: System, handle: StreamHandle): SocketStream {
    next = SHARED;
    handle.setNoDelay(true);
    const socket = system.socket({ handle, allowHalfOpen: true, onread: ON_READ });
    const stream = new SocketStream(socket);
    stream.#handle = handle;
    return stream;
  }

  /** The same for a socket that already exists, read through its events. */
  static wrapped(socket: Socket): SocketStream {
    socket.setNoDelay(true);
    const stream = new SocketStream(socket);
    socket.on('data', (bytes: Buffer) => {
      try {
        stream.owner.onBytes(bytes, bytes.length);
      } catch (error) {
        stream.owner.onFault(error);
      }
    });
    return stream;
  }

  /** `owner.onConnect` or `owner.onClosed` follows. */
  static connecting(system: System, address: string, port: number, owner: StreamOwner): SocketStream {
    next = SHARED;
    const socket = system.socket({ allowHalfOpen: true, onread: ON_READ });
    const stream = new SocketStream(socket);
    stream.owner = owner;
    socket.once('connect', onConnect);
    socket.connect({ host: address, port, noDelay: true } as NetConnectOpts);
    return stream;
  }

  /** Writes go to the kernel at once; otherwise each one keeps its memory for a while. */
  get isDirect(): boolean {
    return this.#handle !== null;
  }

  get writing(): boolean {
    return this.#writing > 0;
  }

  /** Bytes of writes that returned false and that the kernel has not taken yet. */
  get unsent(): number {
    const queued = (this.socket as Carrier)._handle?.writeQueueSize ?? 0;
    return queued + this.socket.writableLength;
  }

  get remoteAddress(): string {
    const address = this.socket.remoteAddress ?? '';
    return address.startsWith('::ffff:') ? address.slice(7) : address;
  }

  get localPort(): number {
    return (this.socket.address() as Partial<AddressInfo>).port ?? 0;
  }

  connected(): void {
    if (directWrites) this.#handle = (this.socket as Carrier)._handle ?? null;
  }

  write(bytes: Uint8Array): boolean {
    if (this.isClosed) return true;
    const handle = this.#handle;
    if (handle !== null) return this.#outcome(writeHandle(handle, bytes, this));
    this.#writing += 1;
    this.socket.write(bytes, this.#onSocketWritten);
    return false;
  }

  /** Several pieces in one system call. */
  writeAll(chunks: readonly Uint8Array[]): boolean {
    if (this.isClosed) return true;
    const handle = this.#handle;
    if (handle !== null) return this.#outcome(writevHandle(handle, chunks, this));
    this.socket.cork();
    for (const chunk of chunks) this.write(chunk);
    this.socket.uncork();
    return false;
  }

  /**
   * Reads from now on go into memory of this stream alone, so that a read can be written on without a copy. For
   * long bodies; short messages share one buffer.
   */
  own(): void {
    if (this.input === SHARED) this.input = FREE.pop() ?? Buffer.allocUnsafeSlow(READ_BYTES);
  }

  /** A part of the read being handled now that can outlast it, once `give` is called: a copy only of shared memory. */
  lasting(bytes: Buffer, start: number, end: number): Buffer {
    const part = bytes.subarray(start, end);
    return bytes === SHARED ? Buffer.from(part) : part;
  }

  /** A write still needs the bytes of this read: the next read goes elsewhere. */
  give(bytes: Buffer): void {
    if (bytes === SHARED) return;
    this.#given = bytes;
    if (bytes === this.input) this.input = FREE.pop() ?? Buffer.allocUnsafeSlow(READ_BYTES);
  }

  /** A read that went into memory of this stream has been worked off, and the next goes elsewhere. */
  left(bytes: Buffer): void {
    if (bytes !== this.#given && FREE.length < MOST_FREE) FREE.push(bytes);
    this.#given = null;
  }

  /** Whether these bytes are overwritten by the next read of any stream. */
  isShared(bytes: Buffer): boolean {
    return bytes === SHARED;
  }

  /** Reads go into the shared memory again; this stream's own is free when the runtime has left it. */
  share(): void {
    this.input = SHARED;
  }

  pause(): void {
    if (this.paused || this.isClosed) return;
    this.paused = true;
    this.socket.pause();
  }

  resume(): void {
    if (!this.paused || this.isClosed) return;
    this.paused = false;
    this.socket.resume();
  }

  /** No more writes; what was written still goes out. */
  end(): void {
    if (this.isClosed) return;
    this.#ended = true;
    this.socket.end();
  }

  destroy(): void {
    this.#handle = null;
    this.isClosed = true;
    this.socket.destroy();
  }

  /** Cuts the connection so that the peer cannot take what it has for the whole (RST). */
  reset(): void {
    this.#handle = null;
    this.isClosed = true;
    // While the end is being sent a reset is refused, and the descriptor would stay open.
    if (this.#ended) this.socket.destroy();
    else this.socket.resetAndDestroy();
  }

  closed(): void {
    this.#handle = null;
    this.isClosed = true;
    // Memory that a read in progress may still use is left to the collector.
    this.input = SHARED;
    try {
      this.owner.onClosed(this.code);
    } catch (error) {
      this.owner.onFault(error);
    }
  }

  onWritten(status: number): void {
    this.#writing -= 1;
    if (status < 0) this.#failed(status);
    else this.#writable();
  }

  readonly #onSocketWritten = (error?: Error | null): void => {
    this.#writing -= 1;
    if (error === null || error === undefined) this.#writable();
  };

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
    this.#handle = null;
    this.isClosed = true;
    this.code = status === -32 ? 'EPIPE' : status === -104 ? 'ECONNRESET' : 'EIO';
    this.socket.destroy();
  }
}
