/**
 * The one place that reaches below `net.Socket`, for the two things that happen on every request: writing, and
 * taking an accepted connection. Measured with one core, 64 keep-alive connections and a tiny body: see
 * docs/performance.md.
 *
 * A write through the stream machinery costs a request object, a state update and a next tick even where the
 * kernel takes all bytes at once. `handle.writeBuffer` leaves the request object untouched in that case (libuv's
 * try-write), so one object serves all writes of the thread, and the return value says at once who owns the memory.
 * Where the runtime does not offer the binding, `socket.write` does the same work.
 */
export interface WriteRequest {
  oncomplete: ((this: WriteRequest, status: number) => void) | null;
  owner: WriteOwner | null;
  /** Keeps the memory alive until the kernel has it. */
  bytes: Uint8Array | readonly Uint8Array[] | null;
}

export interface WriteOwner {
  onWritten(status: number): void;
}

export interface StreamHandle {
  /** Bytes that the kernel has not taken yet. */
  readonly writeQueueSize: number;
  writeBuffer(request: WriteRequest, bytes: Uint8Array): number;
  writev(request: WriteRequest, chunks: readonly Uint8Array[], allBuffers: true): number;
  setNoDelay(on: boolean): number;
  close(callback?: () => void): void;
}

export interface StreamBinding {
  readonly WriteWrap: new () => WriteRequest;
  readonly streamBaseState: Int32Array;
  readonly kLastWriteWasAsync: number;
}

function load(): StreamBinding | null {
  if (process.env.NOVAEDGE_PLAIN_SOCKETS === '1') return null;
  try {
    const binding = (process as unknown as { binding(name: string): Partial<StreamBinding> }).binding(
      'stream_wrap',
    );
    const usable =
      typeof binding.WriteWrap === 'function' &&
      binding.streamBaseState instanceof Int32Array &&
      typeof binding.kLastWriteWasAsync === 'number';
    return usable ? (binding as StreamBinding) : null;
  } catch {
    return null;
  }
}

/** Where the runtime says what became of the last write; null: it does not offer it. */
export const streamBinding = load();
const binding = streamBinding;
export const directWrites = binding !== null;

function complete(this: WriteRequest, status: number): void {
  this.bytes = null;
  this.owner!.onWritten(status);
}

let spare: WriteRequest | null = null;

function nextRequest(): WriteRequest {
  if (spare === null) spare = new binding!.WriteWrap();
  return spare;
}

export const WRITTEN = 0;
/** The kernel has not taken everything: the memory belongs to the write until `onWritten`. */
export const WRITING = 1;

/** WRITTEN, WRITING, or a negative system error. Only where `directWrites`. */
export function writeHandle(handle: StreamHandle, bytes: Uint8Array, owner: WriteOwner): number {
  const request = nextRequest();
  const error = handle.writeBuffer(request, bytes);
  if (error !== 0) return error;
  if (binding!.streamBaseState[binding!.kLastWriteWasAsync] === 0) return WRITTEN;
  return keep(request, bytes, owner);
}

export function writevHandle(handle: StreamHandle, chunks: readonly Uint8Array[], owner: WriteOwner): number {
  const request = nextRequest();
  const error = handle.writev(request, chunks, true);
  if (error !== 0) return error;
  if (binding!.streamBaseState[binding!.kLastWriteWasAsync] === 0) return WRITTEN;
  return keep(request, chunks, owner);
}

function keep(request: WriteRequest, bytes: Uint8Array | readonly Uint8Array[], owner: WriteOwner): number {
  spare = null;
  request.oncomplete = complete;
  request.owner = owner;
  request.bytes = bytes;
  return WRITING;
}
