import { ABUSE_LIMITS } from './abuse-limits.ts';
import type { Http2Fault } from './http2-fault.ts';

const NOTHING = Buffer.alloc(0);
const FIRST_BYTES = 2048;
/** Beyond this a block takes as much memory as it may have, which is used again by others of the thread. */
const LARGE_BYTES = 16_384;
const MOST_FREE = 4;
const FREE: Buffer[] = [];

/** Gathers a header block that came in HEADERS and CONTINUATION frames (RFC 9113 section 4.3). */
export class HeadFragments {
  readonly #mostBytes: number;
  bytes: Buffer = NOTHING;
  length = 0;
  /** Of the stream whose block is being gathered; 0: none is. */
  streamId = 0;
  /** Of its first frame. */
  flags = 0;
  #frames = 0;

  /** `mostBytes`: of the block as it travels. */
  constructor(mostBytes: number) {
    this.#mostBytes = mostBytes;
  }

  begin(streamId: number, flags: number): void {
    this.streamId = streamId;
    this.flags = flags;
    this.length = 0;
    this.#frames = 0;
  }

  add(bytes: Buffer, start: number, end: number): Http2Fault | null {
    this.#frames += 1;
    if (this.#frames > ABUSE_LIMITS.framesPerHead) return 'continuation_flood';
    const length = this.length + end - start;
    if (length > this.#mostBytes) return 'header_block_too_large';
    if (this.bytes.length < length) {
      const larger = this.#memory(length);
      this.bytes.copy(larger, 0, 0, this.length);
      this.bytes = larger;
    }
    bytes.copy(this.bytes, this.length, start, end);
    this.length = length;
    return null;
  }

  /** The block has been read: no memory is kept. */
  clear(): void {
    this.streamId = 0;
    if (this.bytes.length === this.#mostBytes && FREE.length < MOST_FREE) FREE.push(this.bytes);
    this.bytes = NOTHING;
    this.length = 0;
  }

  #memory(length: number): Buffer {
    if (length <= LARGE_BYTES)
      return Buffer.allocUnsafe(Math.max(length, this.bytes.length * 2, FIRST_BYTES));
    const free = FREE.pop();
    return free?.length === this.#mostBytes ? free : Buffer.allocUnsafeSlow(this.#mostBytes);
  }
}
