import type { Http2Stream } from './stream.ts';

/** Streams that wait for their turn to send, first come first served; linked by themselves, so that none allocates. */
export class WaitingStreams {
  #first: Http2Stream | null = null;
  #last: Http2Stream | null = null;

  get isEmpty(): boolean {
    return this.#first === null;
  }

  /** At the end, unless it is there. */
  add(stream: Http2Stream): void {
    if (stream.isWaiting) return;
    stream.isWaiting = true;
    if (this.#last === null) this.#first = stream;
    else this.#last.nextWaiting = stream;
    this.#last = stream;
  }

  /** There must be one. */
  take(): Http2Stream {
    const stream = this.#first!;
    this.#first = stream.nextWaiting;
    if (this.#first === null) this.#last = null;
    stream.nextWaiting = null;
    stream.isWaiting = false;
    return stream;
  }

  /** Takes as many steps as streams wait: for those that end out of order. */
  remove(stream: Http2Stream): void {
    let before: Http2Stream | null = null;
    let at = this.#first;
    while (at !== null && at !== stream) {
      before = at;
      at = at.nextWaiting;
    }
    if (at === null) return;
    if (before === null) this.#first = stream.nextWaiting;
    else before.nextWaiting = stream.nextWaiting;
    if (this.#last === stream) this.#last = before;
    stream.nextWaiting = null;
    stream.isWaiting = false;
  }
}
