const NOTHING = Buffer.alloc(0);
const FIRST_BYTES = 1024;

/**
 * Small pieces of a body that go on together: what a client cuts into frames of a few bytes would otherwise cost a
 * write and a chunk for each, here and at the backend.
 */
export class GatheredBytes {
  length = 0;
  #bytes: Buffer = NOTHING;

  add(bytes: Buffer, start: number, end: number): void {
    const length = this.length + end - start;
    if (this.#bytes.length < length) {
      const larger = Buffer.allocUnsafe(Math.max(length, this.#bytes.length * 2, FIRST_BYTES));
      this.#bytes.copy(larger, 0, 0, this.length);
      this.#bytes = larger;
    }
    bytes.copy(this.#bytes, this.length, start, end);
    this.length = length;
  }

  /** All of them; the memory is the caller's from now on. */
  take(): Buffer {
    const bytes = this.#bytes.subarray(0, this.length);
    this.drop();
    return bytes;
  }

  drop(): void {
    this.#bytes = NOTHING;
    this.length = 0;
  }
}
