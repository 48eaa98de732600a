/** As much as the runtime takes at once; what waits is rarely more. */
export const BLOCK_BYTES = 131_072;
const FREE: Buffer[] = [];
const MOST_FREE = 32;

/**
 * What was written while another write was under way: copied, so that the writer's memory is his again at once, into
 * blocks that are used again, as copies of their own would all be the collector's work.
 */
export class WaitingBytes {
  length = 0;
  readonly #blocks: Buffer[] = [];
  /** Bytes in the last block. */
  #filled = BLOCK_BYTES;

  add(bytes: Uint8Array): void {
    for (let from = 0; from < bytes.length; ) {
      if (this.#filled === BLOCK_BYTES) {
        this.#blocks.push(FREE.pop() ?? Buffer.allocUnsafeSlow(BLOCK_BYTES));
        this.#filled = 0;
      }
      const end = Math.min(bytes.length, from + BLOCK_BYTES - this.#filled);
      this.#blocks.at(-1)!.set(bytes.subarray(from, end), this.#filled);
      this.#filled += end - from;
      from = end;
    }
    this.length += bytes.length;
  }

  /** Gives the first of it, at most `BLOCK_BYTES`, to `use`, which is done with it when it returns. */
  take<Result>(use: (bytes: Uint8Array) => Result): Result {
    const block = this.#blocks.shift()!;
    const size = Math.min(this.length, BLOCK_BYTES);
    this.length -= size;
    if (this.length === 0) this.#filled = BLOCK_BYTES;
    try {
      return use(block.subarray(0, size));
    } finally {
      if (FREE.length < MOST_FREE) FREE.push(block);
    }
  }

  /** Nobody wants it any more. */
  drop(): void {
    while (this.length > 0) this.take(() => {});
  }
}
