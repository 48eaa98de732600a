import type { MessageHead } from '../message/message-head.ts';
import { FIELD_STRIDE, NAME_END, VALUE_END, VALUE_START } from '../message/message-head.ts';

const CR = 13;
const LF = 10;
/** Below this a loop is cheaper than a call into the runtime. */
const SHORT = 48;

const VIEWS = 8;
const NO_VIEWS: readonly Buffer[] = Array.from({ length: VIEWS }, () => Buffer.alloc(0));

/** Puts a message together in one block of memory; `length` bytes are used. Callers see to it that they fit. */
export class MessageWriter {
  readonly block: Buffer;
  length = 0;
  /** Messages of one kind are often of one length, and a view of memory costs more than to look for one. */
  readonly #views: Buffer[] = NO_VIEWS.slice();

  constructor(size: number) {
    this.block = Buffer.allocUnsafeSlow(size);
  }

  get room(): number {
    return this.block.length - this.length;
  }

  /** What has been put together. The bytes are the block's own. */
  get written(): Buffer {
    const { length } = this;
    const known = this.#views[length % VIEWS]!;
    if (known.length === length) return known;
    const view = this.block.subarray(0, length);
    this.#views[length % VIEWS] = view;
    return view;
  }

  bytes(source: Buffer, start: number, end: number): void {
    const block = this.block;
    let to = this.length;
    const size = end - start;
    if (size <= SHORT) for (let at = start; at < end; at += 1) block[to++] = source[at]!;
    else {
      source.copy(block, to, start, end);
      to += size;
    }
    this.length = to;
  }

  all(source: Buffer): void {
    this.bytes(source, 0, source.length);
  }

  latin1(text: string): void {
    const block = this.block;
    let to = this.length;
    if (text.length <= SHORT) for (let at = 0; at < text.length; at += 1) block[to++] = text.charCodeAt(at);
    else {
      block.write(text, to, 'latin1');
      to += text.length;
    }
    this.length = to;
  }

  /** The end of a head. Throws a RangeError where it did not fit: half a head must not leave. */
  endHead(): void {
    this.crlf();
    if (this.length > this.block.length)
      throw new RangeError(`a head of ${this.length} bytes in a block of ${this.block.length}`);
  }

  decimal(value: number): void {
    let digits = 1;
    for (let limit = 10; value >= limit; limit *= 10) digits += 1;
    let rest = value;
    for (let at = this.length + digits - 1; at >= this.length; at -= 1) {
      const next = Math.floor(rest / 10);
      this.block[at] = 48 + rest - next * 10;
      rest = next;
    }
    this.length += digits;
  }

  crlf(): void {
    this.block[this.length] = CR;
    this.block[this.length + 1] = LF;
    this.length += 2;
  }

  /**
   * Writes the fields of `head` whose id is not in `dropped`, one spelling: `name: value`. Neighbouring lines that
   * already have it (the parser has seen every byte of them) go in one copy.
   */
  fields(head: MessageHead, dropped: Uint8Array, isDropped: ((name: string) => boolean) | null): void {
    const fields = head.fields;
    const ids = head.ids;
    const count = head.fieldCount;
    const bytes = head.bytes;
    const base = head.base;
    let runStart = -1;
    let runEnd = -1;
    for (let field = 0; field < count; field += 1) {
      if (dropped[ids[field]!] === 1) continue;
      if (isDropped?.(head.name(field).toLowerCase())) continue;
      const index = field * FIELD_STRIDE;
      const nameStart = fields[index]!;
      const nameEnd = fields[index + NAME_END]!;
      const valueStart = fields[index + VALUE_START]!;
      const valueEnd = fields[index + VALUE_END]!;
      const clean =
        valueStart === nameEnd + 2 && bytes[base + nameEnd + 1] === 32 && bytes[base + valueEnd] === CR;
      if (clean && runEnd === nameStart) {
        runEnd = valueEnd + 2;
        continue;
      }
      if (runStart !== -1) this.bytes(bytes, base + runStart, base + runEnd);
      if (clean) {
        runStart = nameStart;
        runEnd = valueEnd + 2;
        continue;
      }
      runStart = -1;
      runEnd = -1;
      this.bytes(bytes, base + nameStart, base + nameEnd);
      this.block[this.length++] = 58;
      this.block[this.length++] = 32;
      this.bytes(bytes, base + valueStart, base + valueEnd);
      this.crlf();
    }
    if (runStart !== -1) this.bytes(bytes, base + runStart, base + runEnd);
  }
}

/** `hex\r\n`, the line before a chunk. */
export function chunkLine(size: number): Buffer {
  return Buffer.from(`${size.toString(16)}\r\n`, 'latin1');
}

export const CRLF = Buffer.from('\r\n');
export const LAST_CHUNK = Buffer.from('0\r\n\r\n');
