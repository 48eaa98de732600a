/**
 * The runtime's own stream handle, which lies beneath `net.Socket`: reading, writing and closing of a connection
 * without a stream object, its events and its next ticks. What is measured with and without it stands in
 * docs/performance.md. Where the runtime does not offer the bindings, or NOVAEDGE_PLAIN_SOCKETS is 1, handles over
 * `net.Socket` do the same work (`plain-handle.ts`).
 *
 * A write through the stream machinery costs a request object, a state update and a next tick even where the
 * kernel takes all bytes at once. `handle.writeBuffer` leaves the request object untouched in that case (libuv's
 * try-write), so one object serves all writes of the thread, and the return value says at once who owns the memory.
 */
export interface StreamHandle {
  /** Called after each read, with the handle as `this`; what came is in the binding's state. */
  onread: (this: StreamHandle) => Uint8Array | undefined;
  /** Where reads go; once for each handle. From then on it is what `onread` returns, where that is not undefined. */
  useUserBuffer(bytes: Uint8Array): void;
  readStart(): number;
  readStop(): number;
  /** Bytes that the kernel has not taken yet. */
  readonly writeQueueSize: number;
  writeBuffer(request: WriteRequest, bytes: Uint8Array): number;
  writev(request: WriteRequest, chunks: readonly Uint8Array[], allBuffers: true): number;
  /** A FIN when all has been written. Not 0: there is nothing to wait for. */
  shutdown(request: ShutdownRequest): number;
  /** `closed` is called in a later turn; the descriptor is free at once. */
  close(closed: (this: StreamHandle) => void): void;
  /** The same by RST. Not 0: refused, and nothing has happened. */
  reset(closed: (this: StreamHandle) => void): number;
  getpeername(out: SocketAddress): number;
  getsockname(out: SocketAddress): number;
}

/** What the runtime fills in. */
export interface SocketAddress {
  address: string;
  family: string;
  port: number;
}

export interface WriteRequest {
  oncomplete: ((this: WriteRequest, status: number) => void) | null;
  owner: WriteOwner | null;
  /** Keeps the memory alive until the kernel has it. */
  bytes: Uint8Array | readonly Uint8Array[] | null;
}

export interface WriteOwner {
  onWritten(status: number): void;
}

export interface ShutdownRequest {
  oncomplete: ((this: ShutdownRequest, status: number) => void) | null;
  owner: ShutdownOwner | null;
}

export interface ShutdownOwner {
  onShutdown(): void;
}

export interface StreamBinding {
  readonly WriteWrap: new () => WriteRequest;
  readonly ShutdownWrap: new () => ShutdownRequest;
  /** Where the runtime says what became of the last read and the last write. */
  readonly streamBaseState: Int32Array;
  /** Bytes of the last read, or a negative system error. */
  readonly kReadBytesOrError: number;
  readonly kLastWriteWasAsync: number;
}

class PlainRequest {
  oncomplete = null;
  owner = null;
  bytes = null;
}

const PLAIN: StreamBinding = {
  WriteWrap: PlainRequest,
  ShutdownWrap: PlainRequest,
  streamBaseState: new Int32Array(2),
  kReadBytesOrError: 0,
  kLastWriteWasAsync: 1,
};

/** A binding of the runtime; null: it is not offered, or not wanted. */
export function runtimeBinding<Binding>(name: string): Partial<Binding> | null {
  if (process.env.NOVAEDGE_PLAIN_SOCKETS === '1') return null;
  try {
    return (process as unknown as { binding(name: string): Partial<Binding> }).binding(name);
  } catch {
    return null;
  }
}

function load(): StreamBinding | null {
  const binding = runtimeBinding<StreamBinding>('stream_wrap');
  const usable =
    typeof binding?.WriteWrap === 'function' &&
    typeof binding.ShutdownWrap === 'function' &&
    binding.streamBaseState instanceof Int32Array &&
    typeof binding.kReadBytesOrError === 'number' &&
    typeof binding.kLastWriteWasAsync === 'number';
  return usable ? (binding as StreamBinding) : null;
}

const loaded = load();
export const hasStreamBinding = loaded !== null;
export const streamBinding: StreamBinding = loaded ?? PLAIN;

const { WriteWrap, ShutdownWrap, streamBaseState, kLastWriteWasAsync } = streamBinding;

function complete(this: WriteRequest, status: number): void {
  this.bytes = null;
  this.owner!.onWritten(status);
}

let spare: WriteRequest | null = null;

function nextRequest(): WriteRequest {
  if (spare === null) spare = new WriteWrap();
  return spare;
}

export const WRITTEN = 0;
/** The kernel has not taken everything: the memory belongs to the write until `onWritten`. */
export const WRITING = 1;

/** WRITTEN, WRITING, or a negative system error. */
export function writeHandle(handle: StreamHandle, bytes: Uint8Array, owner: WriteOwner): number {
  const request = nextRequest();
  const error = handle.writeBuffer(request, bytes);
  if (error !== 0) return error;
  if (streamBaseState[kLastWriteWasAsync] === 0) return WRITTEN;
  return keep(request, bytes, owner);
}

export function writevHandle(handle: StreamHandle, chunks: readonly Uint8Array[], owner: WriteOwner): number {
  const request = nextRequest();
  const error = handle.writev(request, chunks, true);
  if (error !== 0) return error;
  if (streamBaseState[kLastWriteWasAsync] === 0) return WRITTEN;
  return keep(request, chunks, owner);
}

function keep(request: WriteRequest, bytes: Uint8Array | readonly Uint8Array[], owner: WriteOwner): number {
  spare = null;
  request.oncomplete = complete;
  request.owner = owner;
  request.bytes = bytes;
  return WRITING;
}

function shut(this: ShutdownRequest): void {
  this.owner!.onShutdown();
}

/** True where `owner.onShutdown` follows; else there is nothing to wait for. */
export function shutdownHandle(handle: StreamHandle, owner: ShutdownOwner): boolean {
  const request = new ShutdownWrap();
  request.oncomplete = shut;
  request.owner = owner;
  return handle.shutdown(request) === 0;
}
