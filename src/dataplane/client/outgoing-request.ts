import type { SocketStream } from '../../os/socket-stream.ts';
import { LAST_CHUNK, MessageWriter } from '../../wire/http1/writer.ts';
import type { MessageHead } from '../../wire/message/message-head.ts';
import type { FreeList } from '../context.ts';
import { writeTrailer } from '../trailer.ts';
import type { RequestParts } from '../upstream/request-parts.ts';
import type { Upstream } from '../upstream/upstream.ts';

export const REQUEST_BLOCK_BYTES = 16 * 1024;
/** Lines and ends of two chunks around a piece of body. */
const CHUNKS_OVERHEAD = 32;
const NOTHING: readonly Buffer[] = [];

/**
 * A request on its way to a backend.
 *
 *     | block: head, and body as far as it fits |  held: what came before there was a connection  |  the rest
 *       sent in one write, and again where the     sent once a connection is there                   as it comes
 *       connection turns out to be dead
 */
export class OutgoingRequest implements RequestParts {
  /** The client has sent all of it. */
  ended = false;
  /** It has a body that a backend may take for another request, and then answer: its connection is used no more. */
  mayBeTwo = false;
  headLength = 0;
  isChunked = false;
  acceptsTrailers = false;
  last: Buffer | null = null;
  #block: MessageWriter | null = null;
  #held: Buffer[] = [];
  #streamed = false;
  #keeps = false;

  reset(): void {
    this.ended = false;
    this.isChunked = false;
    this.last = null;
    this.#streamed = false;
  }

  /** `block` has the head. `keeps`: body that comes later is put there too, as far as it fits, to be sent again. */
  begin(block: MessageWriter, chunked: boolean, keeps: boolean): void {
    this.#block = block;
    this.headLength = block.length;
    this.isChunked = chunked;
    this.#keeps = keeps;
  }

  get block(): MessageWriter {
    return this.#block!;
  }

  /** All of it has been handed to the connection. */
  get sent(): boolean {
    return this.ended && this.#held.length === 0 && this.last === null;
  }

  /** It can be sent again from the start. */
  get isWhole(): boolean {
    return this.ended && !this.#streamed;
  }

  /** Nothing of it is gone, even if it is not there whole yet. */
  get isRestartable(): boolean {
    return !this.#streamed && this.#block !== null;
  }

  /** A copy of all of it; null where it does not fit into the block, or is no longer there. */
  copy(): OutgoingRequest | null {
    const block = this.#block;
    if (block === null || !this.isWhole) return null;
    const copy = new OutgoingRequest();
    const bytes = new MessageWriter(block.length);
    bytes.bytes(block.block, 0, block.length);
    copy.begin(bytes, this.isChunked, false);
    copy.headLength = this.headLength;
    copy.ended = true;
    copy.mayBeTwo = this.mayBeTwo;
    copy.acceptsTrailers = this.acceptsTrailers;
    return copy;
  }

  /** A piece of body, where it has room beside the head. */
  put(bytes: Buffer, start: number, end: number): boolean {
    const block = this.#block!;
    const size = end - start;
    if (block.room < size + CHUNKS_OVERHEAD) return false;
    if (this.isChunked) block.latin1(`${size.toString(16)}\r\n`);
    block.bytes(bytes, start, end);
    if (this.isChunked) block.crlf();
    return true;
  }

  /** A piece of body to `to`, or kept until there is a connection. False: no more of it for now. */
  pass(to: Upstream | null, bytes: Buffer, start: number, end: number, source: SocketStream): boolean {
    const isKept = this.#keeps && !this.#streamed && this.#block !== null && this.put(bytes, start, end);
    if (!isKept) this.#streamed = true;
    if (to !== null) return to.sendBody(bytes, start, end, source);
    if (isKept) return true;
    this.#held.push(source.lasting(bytes, start, end));
    source.give(bytes);
    return false;
  }

  /** The body is complete; `dispatched` where the block may have been sent already. */
  finish(to: Upstream | null, dispatched: boolean, trailer: MessageHead | null): void {
    if (this.isChunked) {
      const last = trailer === null ? LAST_CHUNK : writeTrailer(trailer);
      const block = this.#block;
      const fits = block !== null && block.room >= last.length;
      if (fits && (!dispatched || (this.#keeps && !this.#streamed))) block.all(last);
      else {
        this.#streamed = true;
        if (to === null) this.last = last;
      }
    }
    if (dispatched) to?.sendEnd(trailer);
  }

  takeHeld(): readonly Buffer[] {
    if (this.#held.length === 0) return NOTHING;
    const held = this.#held;
    this.#held = [];
    return held;
  }

  /** Everything there is so far. False: no more of it for now. */
  send(to: Upstream): boolean {
    const done = to.sendRequest(this);
    this.last = null;
    return done;
  }

  dropHeld(): void {
    if (this.#held.length > 0) this.#held = [];
    this.last = null;
  }

  /** It will not be sent again. `writing`: a write still refers to the memory, which then goes to the collector. */
  release(blocks: FreeList<MessageWriter>, writing: boolean): void {
    const block = this.#block;
    if (block === null) return;
    this.#block = null;
    if (!writing && block.block.length === REQUEST_BLOCK_BYTES) blocks.give(block);
  }
}
