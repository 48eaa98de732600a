import type { HeadParser, HeadResult, HeadSettings } from '../wire/http1/head-parser.ts';
import { HEAD_DONE, HEAD_MORE } from '../wire/http1/head-parser.ts';
import type { FreeList } from './context.ts';

/** Reads one head after another from a connection; what comes in pieces is put together. */
export class HeadReader {
  /** The head that is being read, or has been and not been dropped yet. */
  head: HeadParser | null = null;
  /** After HEAD_DONE: where the bytes after the head begin in what was given last. */
  next = 0;
  readonly #parsers: FreeList<HeadParser>;
  #partial: Buffer | null = null;
  #length = 0;

  constructor(parsers: FreeList<HeadParser>) {
    this.#parsers = parsers;
  }

  /** Bytes of a head that came in pieces and are kept here, at the start of what `head` reads from; or 0. */
  get kept(): number {
    return this.#length;
  }

  /** `settings` hold for a head whose first byte this is. */
  read(bytes: Buffer, from: number, end: number, settings: HeadSettings): HeadResult {
    let head = this.head;
    if (head === null) {
      head = this.#parsers.take();
      head.reset(settings);
      this.head = head;
    }
    const before = this.#length;
    const result =
      before === 0
        ? head.parse(bytes, from, end)
        : head.parse(this.#append(bytes, from, end), 0, this.#length);
    if (result === HEAD_DONE) this.next = from + head.length - before;
    else if (result === HEAD_MORE && before === 0) this.#append(bytes, from, end);
    return result;
  }

  drop(): void {
    if (this.head !== null) this.#parsers.give(this.head);
    this.head = null;
    this.#partial = null;
    this.#length = 0;
  }

  #append(bytes: Buffer, from: number, end: number): Buffer {
    const wanted = this.#length + end - from;
    if (this.#partial === null || this.#partial.length < wanted) {
      const larger = Buffer.allocUnsafe(Math.max(1024, wanted * 2));
      this.#partial?.copy(larger, 0, 0, this.#length);
      this.#partial = larger;
    }
    bytes.copy(this.#partial, this.#length, from, end);
    this.#length = wanted;
    return this.#partial;
  }
}
