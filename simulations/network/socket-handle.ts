import type { StreamHandle, WriteRequest } from '../../src/os/stream-handle.ts';
import { streamBinding } from '../../src/os/stream-handle.ts';
import type { MemoryWatch } from './memory-watch.ts';
import type { Side } from './side.ts';

const EPIPE = -32;
const EBADF = -9;
const ECANCELED = -125;
const ECONNRESET = -104;

/** The thread whose handle it is. */
export interface HandleHost {
  readonly memory: MemoryWatch;
  soon(callback: () => void): void;
}

interface Waiting {
  /** The memory itself, not a copy: whoever changes it before the write is done is seen at the other side. */
  readonly chunks: readonly Uint8Array[];
  readonly copies: readonly Uint8Array[];
  readonly done: (status: number) => void;
}

/** What libuv does for a stream's writes: at once as far as the kernel takes them, the rest when there is room. */
export class SocketHandle implements StreamHandle {
  readonly side: Side;
  readonly #host: HandleHost;
  #waiting: Waiting[] = [];
  #closed = false;
  #broken = false;
  #onDrained: (() => void) | null = null;

  constructor(host: HandleHost, side: Side) {
    this.side = side;
    this.#host = host;
  }

  get writeQueueSize(): number {
    let size = 0;
    for (const { chunks } of this.#waiting) for (const { length } of chunks) size += length;
    return size;
  }

  setNoDelay(): number {
    return 0;
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.side.close();
    this.#failAll(ECANCELED);
  }

  reset(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.side.reset();
    this.#failAll(ECANCELED);
  }

  writeBuffer(request: WriteRequest, bytes: Uint8Array): number {
    return this.#submit(request, [bytes]);
  }

  writev(request: WriteRequest, chunks: readonly Uint8Array[]): number {
    return this.#submit(request, chunks);
  }

  /** As the stream machinery writes: `done` is always called later. */
  writeLater(bytes: Uint8Array, done: (status: number) => void): void {
    this.#wait([bytes], done);
    this.#host.soon(() => this.pump());
  }

  /** A FIN once all is written; `done` after it. */
  shutdown(done: () => void): void {
    this.#onDrained = () => {
      this.side.end();
      this.#host.soon(done);
    };
    this.#checkDrained();
  }

  /** There may be room, or nobody to write to any more. */
  pump(): void {
    if (this.#closed) return;
    while (this.#waiting.length > 0) {
      const first = this.#waiting[0]!;
      const left = this.#push(first.chunks);
      if (left === null) {
        this.#failAll(this.#error());
        return;
      }
      this.#host.memory.release(first.chunks, first.copies);
      if (left.length > 0) {
        this.#waiting[0] = {
          chunks: left,
          copies: this.#host.memory.holdRest(left, first.copies),
          done: first.done,
        };
        return;
      }
      this.#waiting.shift();
      first.done(0);
      if (this.#closed) return;
    }
    this.#checkDrained();
  }

  #checkDrained(): void {
    if (this.#waiting.length > 0 || this.#onDrained === null) return;
    const done = this.#onDrained;
    this.#onDrained = null;
    done();
  }

  #submit(request: WriteRequest, chunks: readonly Uint8Array[]): number {
    if (this.#closed) return EBADF;
    const left = this.#waiting.length > 0 ? chunks : this.#push(chunks);
    if (left === null) return this.#error();
    streamBinding!.streamBaseState[streamBinding!.kLastWriteWasAsync] = left.length === 0 ? 0 : 1;
    if (left.length > 0) this.#wait(left, (status) => request.oncomplete!.call(request, status));
    return 0;
  }

  #wait(chunks: readonly Uint8Array[], done: (status: number) => void): void {
    this.#waiting.push({ chunks, copies: this.#host.memory.hold(chunks), done });
  }

  /** What did not fit; null: the connection is gone. */
  #push(chunks: readonly Uint8Array[]): readonly Uint8Array[] | null {
    for (const [index, chunk] of chunks.entries()) {
      if (chunk.length === 0) continue;
      const taken = this.side.write(chunk);
      if (taken === -1) return null;
      if (taken < chunk.length) return [chunk.subarray(taken), ...chunks.slice(index + 1)];
    }
    return [];
  }

  /** The first write after a reset says so, those after it that the pipe is broken. */
  #error(): number {
    if (this.#broken || this.side.failure !== 'ECONNRESET') return EPIPE;
    this.#broken = true;
    return ECONNRESET;
  }

  #failAll(status: number): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const { chunks, copies } of waiting) this.#host.memory.release(chunks, copies);
    for (const { done } of waiting) this.#host.soon(() => done(status));
  }
}
