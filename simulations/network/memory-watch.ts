/**
 * Memory belongs to a write until that is done: whoever changes it meanwhile sends other bytes than were written.
 * Holds a copy of what waits to be written, and knows which memory a read must not go into.
 */
export class MemoryWatch {
  readonly #held = new Map<ArrayBufferLike, number>();
  readonly #found: (what: string) => void;

  constructor(found: (what: string) => void) {
    this.#found = found;
  }

  /** Returns the copy to compare with. */
  hold(chunks: readonly Uint8Array[]): readonly Uint8Array[] {
    for (const { buffer } of chunks) this.#held.set(buffer, (this.#held.get(buffer) ?? 0) + 1);
    return chunks.map((chunk) => Uint8Array.from(chunk));
  }

  /** As `hold` for the end of what was just released: those bytes are the same as then. */
  holdRest(rest: readonly Uint8Array[], copies: readonly Uint8Array[]): readonly Uint8Array[] {
    for (const { buffer } of rest) this.#held.set(buffer, (this.#held.get(buffer) ?? 0) + 1);
    const skipped = copies.length - rest.length;
    return rest.map(({ length }, index) => copies[skipped + index]!.subarray(-length));
  }

  release(chunks: readonly Uint8Array[], copies: readonly Uint8Array[]): void {
    for (const [index, chunk] of chunks.entries()) {
      const left = this.#held.get(chunk.buffer)! - 1;
      if (left === 0) this.#held.delete(chunk.buffer);
      else this.#held.set(chunk.buffer, left);
      if (Buffer.compare(chunk, copies[index]!) !== 0)
        this.#found('memory was changed while a write needed it');
    }
  }

  /** A read goes into this memory now. */
  reading({ buffer }: Uint8Array): void {
    if (this.#held.has(buffer)) this.#found('a read goes into memory that a write needs');
  }
}
