import type { MessageWriter } from '../http1/writer.ts';
import { ABUSE_LIMITS } from './abuse-limits.ts';
import { DEFAULT_WINDOW_BYTES, FLAG, FRAME, FRAME_HEADER_BYTES, MOST_31_BITS } from './frame.ts';
import type { FrameOutput } from './frame-output.ts';
import { frameHeader, putFrameHeader } from './frame-writer.ts';
import type { PeerSettings } from './settings.ts';
import type { Http2Stream } from './stream.ts';
import { WaitingStreams } from './waiting-streams.ts';
import { WorkBudget } from './work-budget.ts';

/** Of one stream, before the next has its turn. */
const TURN_BYTES = 65_536;
/** A peer may take larger ones, but other streams wait as long. */
const MOST_DATA_FRAME_BYTES = 65_536;

/**
 * The way out of one connection: heads and DATA, the peer's windows, and whose turn it is.
 *
 *     sendData ──> window of the stream ──> turn ──> window of the connection, transport ──> output
 *                   └ isStarved: WINDOW_UPDATE        └ WaitingStreams: `drain`
 */
export class Sending {
  /** The connection's: what the peer takes on all streams together. */
  window = DEFAULT_WINDOW_BYTES;
  /** The peer opens its windows by so little that it is not worth a frame. */
  isTeased = false;
  readonly #output: FrameOutput;
  readonly #peer: PeerSettings;
  /** Of frames that useful DATA gives back. */
  readonly #emptyFrames: WorkBudget;
  readonly #waiting = new WaitingStreams();
  #tinyFrames: WorkBudget | null = null;
  #isDraining = false;
  /** The stream whose turn it is. */
  #turn: Http2Stream | null = null;
  /** Bytes that it may still send before the next has its turn. */
  #turnLeft = 0;
  /** Where the head that is being written began. */
  #headStart = 0;
  #headWriter: MessageWriter | null = null;

  constructor(output: FrameOutput, peer: PeerSettings, emptyFrames: WorkBudget) {
    this.#output = output;
    this.#peer = peer;
    this.#emptyFrames = emptyFrames;
  }

  get hasWaiting(): boolean {
    return !this.#waiting.isEmpty;
  }

  beginHead(room: number): MessageWriter {
    const frames = Math.floor(room / this.#peer.maxFrameBytes) + 1;
    const writer = this.#output.writer(room + frames * FRAME_HEADER_BYTES);
    this.#headWriter = writer;
    this.#headStart = writer.length;
    writer.length += FRAME_HEADER_BYTES;
    return writer;
  }

  endHead(streamId: number, endStream: boolean): void {
    const writer = this.#headWriter!;
    this.#headWriter = null;
    const start = this.#headStart;
    const length = writer.length - start - FRAME_HEADER_BYTES;
    const flags = endStream ? FLAG.END_STREAM : 0;
    if (writer.length > writer.block.length)
      throw new RangeError(`a head of ${length} bytes in a block of ${writer.block.length}`);
    if (length <= this.#peer.maxFrameBytes)
      putFrameHeader(writer.block, start, length, FRAME.HEADERS, flags | FLAG.END_HEADERS, streamId);
    else this.#split(writer, start, length, flags, streamId);
  }

  sendData(
    stream: Http2Stream,
    bytes: Buffer,
    start: number,
    end: number,
    endStream: boolean,
    now: number,
  ): number {
    if (start === end) {
      if (endStream)
        frameHeader(this.#output.writer(FRAME_HEADER_BYTES), 0, FRAME.DATA, FLAG.END_STREAM, stream.id);
      return 0;
    }
    const mustShare = !this.#waiting.isEmpty;
    if (mustShare && this.#turn !== stream) {
      this.#waiting.add(stream);
      return 0;
    }
    const most = mustShare && end - start > this.#turnLeft ? start + this.#turnLeft : end;
    const { maxFrameBytes } = this.#peer;
    const mostFrame = maxFrameBytes < MOST_DATA_FRAME_BYTES ? maxFrameBytes : MOST_DATA_FRAME_BYTES;
    let at = start;
    while (at < most) {
      if (stream.sendWindow <= 0) {
        stream.isStarved = true;
        break;
      }
      if (this.window <= 0 || this.#output.isBlocked) {
        this.#wait(stream);
        break;
      }
      let size = most - at < mostFrame ? most - at : mostFrame;
      if (size > stream.sendWindow) size = stream.sendWindow;
      if (size > this.window) size = this.window;
      if (size < ABUSE_LIMITS.tinyBytes && at + size < most) {
        if (!this.#mayBeTiny(now)) break;
      } else this.#emptyFrames.earn(ABUSE_LIMITS.earnedByData);
      const isLast = endStream && at + size === end;
      const writer = this.#output.writer(FRAME_HEADER_BYTES + size);
      frameHeader(writer, size, FRAME.DATA, isLast ? FLAG.END_STREAM : 0, stream.id);
      writer.bytes(bytes, at, at + size);
      this.window -= size;
      stream.sendWindow -= size;
      at += size;
    }
    this.#turnLeft = this.#turnLeft > at - start ? this.#turnLeft - at + start : 0;
    if (at === most && most < end) this.#wait(stream);
    return at - start;
  }

  /** False: it would be larger than a window can be. */
  widen(bytes: number): boolean {
    this.window += bytes;
    return this.window <= MOST_31_BITS;
  }

  /** The same of a stream's, which a changed setting may also make smaller (RFC 9113 section 6.9.2). */
  widenStream(stream: Http2Stream, bytes: number): boolean {
    stream.sendWindow += bytes;
    if (stream.sendWindow > MOST_31_BITS) return false;
    if (stream.isStarved && stream.sendWindow > 0) {
      stream.isStarved = false;
      this.#waiting.add(stream);
    }
    return true;
  }

  /** Lets those that wait send, in turn, as far as windows and transport go. */
  drain(): void {
    if (this.#isDraining) return;
    this.#isDraining = true;
    try {
      while (!this.#waiting.isEmpty && this.window > 0 && !this.#output.isBlocked && !this.isTeased) {
        const stream = this.#waiting.take();
        this.#turn = stream;
        this.#turnLeft = TURN_BYTES;
        if (!stream.isLocallyEnded) stream.owner.onWritable();
      }
    } finally {
      this.#turn = null;
      this.#isDraining = false;
    }
  }

  forget(stream: Http2Stream): void {
    stream.isStarved = false;
    if (stream.isWaiting) this.#waiting.remove(stream);
    if (this.#turn === stream) this.#turn = null;
  }

  /** Its turn is over. */
  #wait(stream: Http2Stream): void {
    this.#waiting.add(stream);
    if (this.#turn === stream) this.#turn = null;
  }

  #mayBeTiny(now: number): boolean {
    this.#tinyFrames ??= new WorkBudget(ABUSE_LIMITS.tinyFrames, now);
    if (this.#tinyFrames.spend(1, now)) return true;
    this.isTeased = true;
    return false;
  }

  /** Makes room for the headers of the CONTINUATIONs, from the last on. */
  #split(writer: MessageWriter, start: number, length: number, flags: number, streamId: number): void {
    const most = this.#peer.maxFrameBytes;
    const { block } = writer;
    const last = Math.ceil(length / most) - 1;
    for (let frame = last; frame > 0; frame -= 1) {
      const from = start + FRAME_HEADER_BYTES + frame * most;
      const size = frame === last ? length - frame * most : most;
      const to = from + frame * FRAME_HEADER_BYTES;
      block.copyWithin(to, from, from + size);
      const end = frame === last ? FLAG.END_HEADERS : 0;
      putFrameHeader(block, to - FRAME_HEADER_BYTES, size, FRAME.CONTINUATION, end, streamId);
    }
    putFrameHeader(block, start, most, FRAME.HEADERS, flags, streamId);
    writer.length += last * FRAME_HEADER_BYTES;
  }
}
