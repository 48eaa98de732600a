import type { SocketStream } from '../../os/socket-stream.ts';
import type { MessageWriter } from '../../wire/http1/writer.ts';
import { CRLF, chunkLine, LAST_CHUNK } from '../../wire/http1/writer.ts';
import type { MessageHead } from '../../wire/message/message-head.ts';
import type { FreeList } from '../context.ts';
import { writeTrailer } from './response-head.ts';

export const REQUEST_BLOCK_BYTES = 16 * 1024;
/** Lines and ends of two chunks around a piece of body. */
const CHUNKS_OVERHEAD = 32;

/**
 * A request on its way to a backend.
 *
 *     | block: head, and body as far as it fits |  held: what came before there was a connection  |  the rest
 *       sent in one write, and again where the     sent once a connection is there                   as it comes
 *       connection turns out to be dead
 */
export class OutgoingRequest {
  /** The client has sent all of it. */
  ended = false;
  /** It has a body that a backend may take for another request, and then answer: its connection is used no more. */
  mayBeTwo = false;
  #block: MessageWriter | null = null;
  #chunked = false;
  #held: Buffer[] = [];
  #streamed = false;
  #keeps = false;

  reset(): void {
    this.ended = false;
    this.#chunked = false;
    this.#streamed = false;
  }

  /** `keeps`: what comes after the first write is put into the block too, as far as it fits, to be sent again. */
  begin(block: MessageWriter, chunked: boolean, keeps: boolean): void {
    this.#block = block;
    this.#chunked = chunked;
    this.#keeps = keeps;
  }

  /** All of it has been handed to the connection. */
  get sent(): boolean {
    return this.ended && this.#held.length === 0;
  }

  /** It can be sent again from the start. */
  get isWhole(): boolean {
    return this.ended && !this.#streamed;
  }

  /** A copy of all of it; null where it does not fit into the block, or is no longer there. */
  copy(): Buffer | null {
    const block = this.#block;
    return block === null || !this.isWhole ? null : Buffer.from(block.block.subarray(0, block.length));
  }

  /** A piece of body, where it has room beside the head. */
  put(bytes: Buffer, start: number, end: number): boolean {
    const block = this.#block!;
    const size = end - start;
    if (block.room < size + CHUNKS_OVERHEAD) return false;
    if (this.#chunked) block.latin1(`${size.toString(16)}\r\n`);
    block.bytes(bytes, start, end);
    if (this.#chunked) block.crlf();
    return true;
  }

  /** A piece of body to `to`, or kept until there is a connection. False: no more of it for now. */
  pass(to: SocketStream | null, bytes: Buffer, start: number, end: number, source: SocketStream): boolean {
    if (this.#keeps && !this.#streamed && this.#block !== null) {
      const before = this.#block.length;
      if (this.put(bytes, start, end)) return this.#sendFrom(before, to);
    }
    this.#streamed = true;
    const piece = source.lasting(bytes, start, end);
    const chunk = this.#chunked ? [chunkLine(end - start), piece, CRLF] : null;
    if (to === null || this.#held.length > 0) {
      source.give(bytes);
      if (chunk === null) this.#held.push(piece);
      else this.#held.push(...chunk);
      return false;
    }
    if (chunk === null ? to.write(piece) : to.writeAll(chunk)) return true;
    source.give(bytes);
    return false;
  }

  /** The body is complete; `dispatched` where the block may have been sent already. */
  finish(to: SocketStream | null, dispatched: boolean, trailer: MessageHead | null): void {
    if (!this.#chunked) return;
    const last = trailer === null ? LAST_CHUNK : writeTrailer(trailer);
    const block = this.#block;
    const fits = block !== null && block.room >= last.length;
    if (fits && (!dispatched || (this.#keeps && !this.#streamed))) {
      const before = block.length;
      block.all(last);
      if (dispatched) this.#sendFrom(before, to);
      return;
    }
    this.#streamed = true;
    if (dispatched && to !== null && this.#held.length === 0) to.write(last);
    else this.#held.push(last);
  }

  /** Of the block what is after `before`, where the rest has been sent; it all goes at once where nothing has. */
  #sendFrom(before: number, to: SocketStream | null): boolean {
    const block = this.#block!;
    return to === null || to.write(block.block.subarray(before, block.length));
  }

  /** Everything there is so far. False: no more of it for now. */
  send(to: SocketStream): boolean {
    const block = this.#block!;
    const done = to.write(block.written);
    if (this.#held.length === 0) return done;
    const held = this.#held;
    this.#held = [];
    return to.writeAll(held);
  }

  dropHeld(): void {
    if (this.#held.length > 0) this.#held = [];
  }

  /** It will not be sent again. `writing`: a write still refers to the memory, which then goes to the collector. */
  release(blocks: FreeList<MessageWriter>, writing: boolean): void {
    const block = this.#block;
    if (block === null) return;
    this.#block = null;
    if (!writing && block.block.length === REQUEST_BLOCK_BYTES) blocks.give(block);
  }
}

/** Bytes of an upgraded connection: `from` is not read until `to` has taken them. */
export function passOn(
  bytes: Buffer,
  start: number,
  end: number,
  from: SocketStream,
  to: SocketStream,
): void {
  if (!to.write(from.lasting(bytes, start, end))) {
    from.give(bytes);
    from.pause();
  }
  from.own();
}
