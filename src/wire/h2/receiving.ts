import type { Http2Local } from './connection-owner.ts';
import { DEFAULT_WINDOW_BYTES } from './frame.ts';
import type { FrameOutput } from './frame-output.ts';
import { WINDOW_UPDATE_FRAME_BYTES, windowUpdate } from './frame-writer.ts';
import type { HeldBytes } from './held-bytes.ts';
import type { Http2Fault } from './http2-fault.ts';
import type { Http2Stream } from './stream.ts';

/** What DATA leads to beside its bytes. */
export interface DataEvents {
  onConnectionFault(fault: Http2Fault): void;
  onStreamFault(stream: Http2Stream, fault: Http2Fault): void;
  onRemoteEnd(stream: Http2Stream): void;
}

const NO_LENGTH = -1;

/**
 * DATA on its way in, and what the peer may send of it (RFC 9113 sections 5.2 and 6.9). A window is given back in one
 * WINDOW_UPDATE when half of it has been consumed. The connection's does not wait for that while the thread holds little
 * (HeldBytes): a body that nobody takes stops no other one.
 *
 *     peer ── windows of stream and connection ──> onData … owner … consumed ──> WINDOW_UPDATE
 *               passed over, padding ──────────────────────────────────┘
 */
export class Receiving {
  readonly #output: FrameOutput;
  readonly #events: DataEvents;
  readonly #connectionWindow: number;
  readonly #streamWindow: number;
  readonly #held: HeldBytes | null;
  #window: number;
  #uncredited = 0;
  /** Whose DATA frame is being read; null: passed over. */
  #stream: Http2Stream | null = null;

  constructor(output: FrameOutput, events: DataEvents, local: Http2Local) {
    this.#output = output;
    this.#events = events;
    // Nothing can make it smaller (RFC 9113 section 6.9.2).
    this.#connectionWindow = Math.max(local.connectionWindowBytes, DEFAULT_WINDOW_BYTES);
    this.#streamWindow = local.streamWindowBytes;
    this.#held = local.held ?? null;
    this.#window = this.#connectionWindow;
  }

  /** By how much the first WINDOW_UPDATE of the connection widens what the RFC gives it. */
  get firstCredit(): number {
    return this.#connectionWindow - DEFAULT_WINDOW_BYTES;
  }

  /** `length` with padding; `stream` is null where the DATA is passed over. */
  begin(stream: Http2Stream | null, length: number): void {
    this.#stream = null;
    if (length > this.#window) {
      this.#events.onConnectionFault('window_exceeded');
      return;
    }
    this.#window -= length;
    if (stream === null) return;
    if (stream.isRemotelyEnded) this.#events.onStreamFault(stream, 'closed_stream');
    else if (stream.head === null) this.#events.onStreamFault(stream, 'data_before_head');
    else if (length > stream.receiveWindow) this.#events.onStreamFault(stream, 'window_exceeded');
    else {
      stream.receiveWindow -= length;
      this.#stream = stream;
    }
  }

  /** How much of the frame is content, before any of it: so that nothing is handed out of a frame that is too long. */
  content(size: number): void {
    const stream = this.#stream;
    if (stream === null || stream.expectedBytes === NO_LENGTH) return;
    stream.expectedBytes -= size;
    if (stream.expectedBytes < 0) this.#events.onStreamFault(stream, 'content_length_mismatch');
  }

  bytes(bytes: Buffer, start: number, end: number): void {
    const stream = this.#stream;
    const size = end - start;
    if (stream === null || stream.isClosed) {
      this.credit(size);
      return;
    }
    stream.unconsumed += size;
    if (this.#held?.take(size) === true) {
      stream.prepaid += size;
      this.credit(size);
    }
    stream.owner.onData(bytes, start, end);
  }

  padding(size: number): void {
    const stream = this.#stream;
    if (stream === null || stream.isClosed) {
      this.credit(size);
      return;
    }
    stream.unconsumed += size;
    this.consumed(stream, size);
  }

  /** The frame had END_STREAM. */
  end(): void {
    const stream = this.#stream;
    this.#stream = null;
    if (stream === null || stream.isClosed) return;
    if (stream.expectedBytes > 0) this.#events.onStreamFault(stream, 'content_length_mismatch');
    else this.#events.onRemoteEnd(stream);
  }

  consumed(stream: Http2Stream, size: number): void {
    stream.unconsumed -= size;
    const prepaid = stream.prepaid < size ? stream.prepaid : size;
    if (prepaid > 0) {
      stream.prepaid -= prepaid;
      this.#held!.give(prepaid);
    }
    if (size > prepaid) this.credit(size - prepaid);
    if (stream.isRemotelyEnded) return;
    stream.uncredited += size;
    if (stream.uncredited * 2 < this.#streamWindow) return;
    windowUpdate(this.#output.writer(WINDOW_UPDATE_FRAME_BYTES), stream.id, stream.uncredited);
    stream.receiveWindow += stream.uncredited;
    stream.uncredited = 0;
  }

  credit(size: number): void {
    this.#uncredited += size;
    if (this.#uncredited * 2 < this.#connectionWindow) return;
    windowUpdate(this.#output.writer(WINDOW_UPDATE_FRAME_BYTES), 0, this.#uncredited);
    this.#window += this.#uncredited;
    this.#uncredited = 0;
  }

  /** The stream is used again by somebody else. `isClosed`: the connection, and nothing is given back to the peer. */
  forget(stream: Http2Stream, isClosed: boolean): void {
    if (this.#stream === stream) this.#stream = null;
    const { unconsumed, prepaid } = stream;
    stream.prepaid = 0;
    if (prepaid > 0) this.#held!.give(prepaid);
    if (unconsumed > prepaid && !isClosed) this.credit(unconsumed - prepaid);
  }
}
