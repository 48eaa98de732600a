/**
 * Follows a body of gRPC messages without keeping any of it (gRPC over HTTP/2, Length-Prefixed-Message):
 *
 *     0        1                               5
 *     | flags  | length, 4 bytes big-endian    | message of that length | flags …
 *       0: plain, 1: compressed; with 0x80 of gRPC-Web: trailers
 */
const PREFIX_BYTES = 5;
const COMPRESSED = 0x01;
export const TRAILERS = 0x80;

export class MessageBoundary {
  /** Begun so far. */
  messages = 0;
  /** Flags that no message has: what follows cannot be told apart. */
  isFaulty = false;
  #prefix = 0;
  #length = 0;
  #left = 0;

  reset(): void {
    this.messages = 0;
    this.isFaulty = false;
    this.#prefix = 0;
    this.#left = 0;
  }

  /** Neither within a prefix nor within a message. */
  get isBetween(): boolean {
    return this.#prefix === 0 && this.#left === 0;
  }

  follow(bytes: Uint8Array, start: number, end: number): void {
    let at = start;
    while (at < end && !this.isFaulty) {
      if (this.#left > 0) {
        const skipped = Math.min(this.#left, end - at);
        this.#left -= skipped;
        at += skipped;
        continue;
      }
      const byte = bytes[at]!;
      at += 1;
      if (this.#prefix === 0) {
        if ((byte & ~COMPRESSED) !== 0) {
          this.isFaulty = true;
          return;
        }
        this.#length = 0;
      } else this.#length = this.#length * 256 + byte;
      this.#prefix += 1;
      if (this.#prefix < PREFIX_BYTES) continue;
      this.#prefix = 0;
      this.#left = this.#length;
      this.messages += 1;
    }
  }
}
