import type { MemoryWatch } from './memory-watch.ts';
import type { Side } from './side.ts';

const EPIPE = -32;
const ECANCELED = -125;
const ECONNRESET = -104;

/** The thread whose writes they are. */
export interface QueueHost {
  readonly memory: MemoryWatch;
  soon(callback: () => void): void;
}

type Done = (status: number) => void;

interface Waiting {
  /** The memory itself, not a copy: whoever changes it before the write is done is seen at the other side. */
  readonly chunks: readonly Uint8Array[];
  readonly copies: readonly Uint8Array[];
  readonly done: Done;
}

/** What libuv does for a stream's writes: at once as far as the kernel takes them, the rest when there is room. */
export class WriteQueue {
  readonly #side: Side;
  readonly #host: QueueHost;
  #waiting: Waiting[] = [];
  #shutdown: Done | null = null;
  #broken = false;

  constructor(host: QueueHost, side: Side) {
    this.#side = side;
    this.#host = host;
  }

  /** Bytes that wait. */
  get size(): number {
    let size = 0;
    for (const { chunks } of this.#waiting) for (const { length } of chunks) size += length;
    return size;
  }

  /** Whether the end waits for writes. */
  get isEnding(): boolean {
    return this.#shutdown !== null;
  }

  /** Returns 0 where all has been taken, 1 where `done` follows, or a negative system error. */
  write(chunks: readonly Uint8Array[], done: Done): number {
    const left = this.#waiting.length > 0 ? chunks : this.#push(chunks);
    if (left === null) return this.#error();
    if (left.length === 0) return 0;
    this.#waiting.push({ chunks: left, copies: this.#host.memory.hold(left), done });
    return 1;
  }

  /** A FIN once all is written; `done` after it. */
  shutdown(done: Done): void {
    this.#shutdown = done;
    this.#checkDrained();
  }

  /** There may be room, or nobody to write to any more. */
  pump(): void {
    while (this.#waiting.length > 0) {
      const first = this.#waiting[0]!;
      const left = this.#push(first.chunks);
      if (left === null) {
        this.#fail(this.#error());
        return;
      }
      this.#host.memory.release(first.chunks, first.copies);
      if (left.length > 0) {
        const copies = this.#host.memory.holdRest(left, first.copies);
        this.#waiting[0] = { chunks: left, copies, done: first.done };
        return;
      }
      this.#waiting.shift();
      first.done(0);
    }
    this.#checkDrained();
  }

  /** The handle is closed. */
  cancel(): void {
    const shutdown = this.#shutdown;
    this.#shutdown = null;
    this.#fail(ECANCELED);
    if (shutdown !== null) this.#host.soon(() => shutdown(ECANCELED));
  }

  #checkDrained(): void {
    const done = this.#shutdown;
    if (this.#waiting.length > 0 || done === null) return;
    this.#shutdown = null;
    this.#side.end();
    this.#host.soon(() => done(0));
  }

  /** What did not fit; null: the connection is gone. */
  #push(chunks: readonly Uint8Array[]): readonly Uint8Array[] | null {
    for (const [index, chunk] of chunks.entries()) {
      if (chunk.length === 0) continue;
      const taken = this.#side.write(chunk);
      if (taken === -1) return null;
      if (taken < chunk.length) return [chunk.subarray(taken), ...chunks.slice(index + 1)];
    }
    return [];
  }

  /** The first write after a reset says so, those after it that the pipe is broken. */
  #error(): number {
    if (this.#broken || this.#side.failure !== 'ECONNRESET') return EPIPE;
    this.#broken = true;
    return ECONNRESET;
  }

  #fail(status: number): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const { chunks, copies } of waiting) this.#host.memory.release(chunks, copies);
    for (const { done } of waiting) this.#host.soon(() => done(status));
  }
}
