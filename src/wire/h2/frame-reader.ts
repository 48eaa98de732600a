import { FRAME_HEADER_BYTES, read31 } from './frame.ts';

/** What is to be done with a frame's payload. */
export const WHOLE = 0;
export const PARTS = 1;
export const STOP = 2;
export type PayloadWay = typeof WHOLE | typeof PARTS | typeof STOP;

export interface FrameHandler {
  /** The header of a frame; the reader has it in its fields. Nothing more is called for PARTS of length 0. */
  onFrame(length: number, type: number, flags: number, streamId: number): PayloadWay;
  /** WHOLE: the payload in one piece, valid during this call. */
  onPayload(bytes: Buffer, start: number, end: number): void;
  /** PARTS: some of the payload, as it comes; `left` bytes of it follow. */
  onPart(bytes: Buffer, start: number, end: number, left: number): void;
}

const NOTHING = Buffer.alloc(0);

/** Cuts a stream of bytes into frames, however it was split. Payloads that came whole are not copied. */
export class FrameReader {
  type = 0;
  flags = 0;
  streamId = 0;
  length = 0;
  isStopped = false;
  readonly #handler: FrameHandler;
  #way: PayloadWay = WHOLE;
  /** Of the payload that have not come; -1 while the header has not. */
  #left = -1;
  /** What has come of a header or of a payload that is wanted whole. */
  #held: Buffer = NOTHING;
  #heldBytes = 0;

  constructor(handler: FrameHandler) {
    this.#handler = handler;
  }

  /** Some of a header has come, or of a payload that is wanted whole, and not all. */
  get isPartial(): boolean {
    return this.#heldBytes > 0 || (this.#left > 0 && this.#way === WHOLE);
  }

  /** No more calls, also where bytes are left. */
  stop(): void {
    this.isStopped = true;
    this.#held = NOTHING;
  }

  receive(bytes: Buffer, start: number, end: number): void {
    let at = start;
    while (at < end && !this.isStopped) {
      if (this.#left === -1) {
        at = this.#header(bytes, at, end);
        continue;
      }
      const size = end - at < this.#left ? end - at : this.#left;
      const left = this.#left - size;
      if (this.#way === PARTS) {
        this.#left = left === 0 ? -1 : left;
        this.#handler.onPart(bytes, at, at + size, left);
      } else if (this.#heldBytes === 0 && left === 0) {
        this.#left = -1;
        this.#handler.onPayload(bytes, at, at + size);
      } else this.#gather(bytes, at, size, left);
      at += size;
    }
  }

  #header(bytes: Buffer, start: number, end: number): number {
    let from = bytes;
    let at = start;
    let next = start + FRAME_HEADER_BYTES;
    if (this.#heldBytes > 0 || next > end) {
      if (this.#held.length < FRAME_HEADER_BYTES) this.#held = Buffer.allocUnsafe(FRAME_HEADER_BYTES);
      const missing = FRAME_HEADER_BYTES - this.#heldBytes;
      next = end - start < missing ? end : start + missing;
      for (let index = start; index < next; index += 1) this.#held[this.#heldBytes++] = bytes[index]!;
      if (this.#heldBytes < FRAME_HEADER_BYTES) return end;
      from = this.#held;
      at = 0;
      this.#heldBytes = 0;
    }
    const length = (from[at]! << 16) | (from[at + 1]! << 8) | from[at + 2]!;
    this.length = length;
    this.type = from[at + 3]!;
    this.flags = from[at + 4]!;
    this.streamId = read31(from, at + 5);
    this.#way = this.#handler.onFrame(length, this.type, this.flags, this.streamId);
    if (this.#way === STOP) this.stop();
    else if (length > 0) this.#left = length;
    else if (this.#way === WHOLE) this.#handler.onPayload(bytes, next, next);
    return next;
  }

  #gather(bytes: Buffer, start: number, size: number, left: number): void {
    if (this.#heldBytes === 0) this.#held = Buffer.allocUnsafe(this.length);
    bytes.copy(this.#held, this.#heldBytes, start, start + size);
    this.#heldBytes += size;
    this.#left = left;
    if (left > 0) return;
    const held = this.#held;
    const length = this.#heldBytes;
    this.#held = NOTHING;
    this.#heldBytes = 0;
    this.#left = -1;
    this.#handler.onPayload(held, 0, length);
  }
}
