/*
 * RFC 6455 section 5.2. Of a frame no more is read than says where the next one begins:
 *
 *      0                   1                   2                   3
 *      0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 *     +-+-+-+-+-------+-+-------------+-------------------------------+
 *     |F|RSV  | opcode|M| length 7    | length 16, where that is 126  |
 *     |I|     |       | |             | length 64, where it is 127    |
 *     |N|     |       | |             | mask, where M is set          |
 *     +-+-----+-------+-+-------------+-------------------------------+
 *                                      payload: skipped by count
 */
export const OPCODE_CONTINUATION = 0;
export const OPCODE_CLOSE = 8;

const FIN = 0x80;
const MASKED = 0x80;
const CONTROL = 0x08;

/**
 * Follows one direction of a WebSocket connection: where its frames end, whether a message is in pieces, whether it
 * has said goodbye. Judges nothing that an endpoint has to judge (masks, reserved bits, order of fragments, text).
 */
export class FrameBoundary {
  /** A message has begun and its last fragment has not: only control frames may come in between. */
  isFragmented = false;
  /** A Close frame has gone through, whole. */
  hasClosed = false;
  /** A length that no frame may have (section 5.2: its first bit is 0): nobody knows where a frame ends any more. */
  isLost = false;
  /** Bytes of the header that are still to come; 0: its payload, or the next frame. */
  #header = 0;
  /** Bytes of the payload that are still to come, where the header is whole. */
  #payload = 0;
  #first = 0;
  /** Of the length that is being read; its bytes before the mask. */
  #lengthBytes = 0;
  #started = false;

  /** No frame is under way: one of our own may go here. */
  get isAt(): boolean {
    return !this.#started && !this.isLost;
  }

  /** Takes what comes next, `bytes[start, end)`; it may end anywhere. */
  follow(bytes: Uint8Array, start: number, end: number): void {
    let at = start;
    while (at !== -1 && at < end) at = this.followFrame(bytes, at, end);
  }

  /** As `follow`, but stops with the first frame that ends. Returns its end, or -1 where none does. */
  followFrame(bytes: Uint8Array, start: number, end: number): number {
    let at = start;
    while (at < end) {
      if (this.#started && this.#header === 0) {
        // Most of what is followed ends here: a payload of which more comes.
        const left = end - at;
        if (this.#payload > left) {
          this.#payload -= left;
          return -1;
        }
        at += this.#payload;
        this.#finish();
      } else at = this.#readHeader(bytes, at, end);
      if (this.isAt) return at;
    }
    return -1;
  }

  #readHeader(bytes: Uint8Array, from: number, end: number): number {
    let at = from;
    if (this.isLost) return end;
    if (!this.#started) {
      this.#started = true;
      this.#first = bytes[at++]!;
      this.#header = 1;
      this.#lengthBytes = -1;
      if (at === end) return at;
    }
    if (this.#lengthBytes === -1) {
      const second = bytes[at++]!;
      const short = second & 0x7f;
      const lengthBytes = short < 126 ? 0 : short === 126 ? 2 : 8;
      this.#lengthBytes = lengthBytes;
      this.#payload = lengthBytes === 0 ? short : 0;
      this.#header = lengthBytes + ((second & MASKED) === 0 ? 0 : 4);
    }
    while (this.#lengthBytes > 0 && at < end) {
      const byte = bytes[at++]!;
      if (this.#lengthBytes === 8 && byte >= 0x80) {
        this.isLost = true;
        return end;
      }
      // Exact to 2^53, and beyond that never counted down to where it matters.
      this.#payload = this.#payload * 256 + byte;
      this.#lengthBytes -= 1;
      this.#header -= 1;
    }
    const mask = Math.min(this.#header, end - at);
    this.#header -= mask;
    at += mask;
    if (this.#header === 0 && this.#payload === 0) this.#finish();
    return at;
  }

  #finish(): void {
    this.#started = false;
    this.#payload = 0;
    const opcode = this.#first & 0x0f;
    if (opcode === OPCODE_CLOSE) this.hasClosed = true;
    if ((opcode & CONTROL) === 0) this.isFragmented = (this.#first & FIN) === 0;
  }
}
