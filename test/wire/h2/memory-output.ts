import type { FrameOutput } from '../../../src/wire/h2/frame-output.ts';
import { MessageWriter } from '../../../src/wire/http1/writer.ts';

const BLOCK_BYTES = 64 * 1024;

/** Keeps what is sent until it is taken. */
export class MemoryOutput implements FrameOutput {
  isBlocked = false;
  /** Of all that was ever sent. */
  total = 0;
  #writer = new MessageWriter(BLOCK_BYTES);
  #full: Buffer[] = [];
  /** Blocks when so many bytes wait; Infinity: never. */
  readonly #most: number;

  constructor(most = Number.POSITIVE_INFINITY) {
    this.#most = most;
  }

  writer(room: number): MessageWriter {
    if (this.#writer.room < room) {
      this.#full.push(Buffer.from(this.#writer.written));
      this.#writer = new MessageWriter(Math.max(room, BLOCK_BYTES));
    }
    if (this.waiting >= this.#most) this.isBlocked = true;
    return this.#writer;
  }

  get waiting(): number {
    return this.#full.reduce((sum, { length }) => sum + length, this.#writer.length);
  }

  peek(): Buffer {
    return Buffer.concat([...this.#full, this.#writer.written]);
  }

  take(): Buffer {
    const bytes = this.peek();
    this.#full = [];
    this.#writer.length = 0;
    this.total += bytes.length;
    this.isBlocked = false;
    return bytes;
  }
}
