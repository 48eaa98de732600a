import type { Http2Role } from './settings.ts';

const REMEMBERED = 64;

/**
 * Ids of a connection's streams (RFC 9113 section 5.1.1): a client's are odd and grow; a server opens none, since
 * nobody here takes pushes. Of those that are not open any more it is remembered which we have reset: what the peer had
 * sent before it heard of that is passed over, while a frame on a stream that ended in order is an error. Where one
 * that was forgotten could be meant, the benefit of the doubt is the peer's.
 */
export class StreamIds {
  /** The greatest in use so far; -1 where a client has opened none. */
  last: number;
  #reset: Int32Array | null = null;
  #resetCount = 0;
  #greatestForgotten = 0;
  /** Ids between that were left out last, and can be used no more. */
  #skippedFrom = 0;
  #skippedTo = 0;

  /** `role` is ours. */
  constructor(role: Http2Role) {
    this.last = role === 'server' ? 0 : -1;
  }

  isIdle(id: number): boolean {
    return (id & 1) === 0 || id > this.last;
  }

  /** Never opened, and never to be, as a greater one was. */
  wasSkipped(id: number): boolean {
    return id >= this.#skippedFrom && id < this.#skippedTo;
  }

  /** The peer opens `id`, which is greater than `last`. */
  use(id: number): void {
    if (id > this.last + 2) {
      this.#skippedFrom = this.last + 1;
      this.#skippedTo = id;
    }
    this.last = id;
  }

  /** We have reset it. */
  addReset(id: number): void {
    this.#reset ??= new Int32Array(REMEMBERED);
    const slot = this.#resetCount % REMEMBERED;
    const forgotten = this.#reset[slot]!;
    if (forgotten > this.#greatestForgotten) this.#greatestForgotten = forgotten;
    this.#reset[slot] = id;
    this.#resetCount += 1;
  }

  mayHaveBeenReset(id: number): boolean {
    return this.#reset !== null && (id <= this.#greatestForgotten || this.#reset.includes(id));
  }
}
