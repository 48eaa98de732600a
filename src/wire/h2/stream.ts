import type { Fault } from '../http1/fault.ts';
import type { MessageWriter } from '../http1/writer.ts';
import type { HeaderBlock } from './header-block.ts';
import type { Http2Fault } from './http2-fault.ts';

/** What a stream tells whoever serves it, or has sent its request. None of it throws. */
export interface Http2StreamOwner {
  /** Client: the answer's head, the stream's `head` from now on. `ended`: nothing follows, and `onEnd` does not come. */
  onHead(head: HeaderBlock, ended: boolean): void;
  /** Client: an interim answer (1xx). `head` is valid during this call. */
  onInterim(head: HeaderBlock): void;
  /** Of the body; valid during this call. Say `consumed` when they have been passed on. */
  onData(bytes: Buffer, start: number, end: number): void;
  /** The peer's side has ended. The trailers are valid until `release`. */
  onEnd(trailers: HeaderBlock | null): void;
  /**
   * Both sides have ended out of order, with the code that the peer has sent or was sent. `fault` is null where the
   * peer reset the stream or the connection came to its end; else it says what was wrong.
   */
  onReset(code: number, fault: Fault | Http2Fault | null): void;
  /** After `sendData` took less than it was given: it may take more now. */
  onWritable(): void;
}

/** Of a stream that nobody has taken yet. */
export const NO_STREAM_OWNER: Http2StreamOwner = {
  onHead: () => {},
  onInterim: () => {},
  onData: () => {},
  onEnd: () => {},
  onReset: () => {},
  onWritable: () => {},
};

/** What a stream asks of its connection. */
export interface StreamCarrier {
  beginHead(stream: Http2Stream, room: number): MessageWriter;
  endHead(stream: Http2Stream, endStream: boolean): void;
  sendData(stream: Http2Stream, bytes: Buffer, start: number, end: number, endStream: boolean): number;
  resetStream(stream: Http2Stream, code: number): void;
  consumed(stream: Http2Stream, bytes: number): void;
  released(stream: Http2Stream): void;
}

export const LOCAL_ENDED = 1;
export const REMOTE_ENDED = 2;
export const RESET = 4;
const BOTH_ENDED = LOCAL_ENDED | REMOTE_ENDED;

const NO_LENGTH = -1;

/**
 * One request and its answer (RFC 9113 section 5).
 *
 *            head ┌── local end ──> half closed ──┐ remote end
 *     idle ──────>│                               ├──> closed ── release ──> used again
 *                 └── remote end ─> half closed ──┘ local end
 *                 └── reset by either side ───────────┘
 *
 * A stream counts against the peer's concurrency until it is closed and its owner has called `release`: one that the
 * peer has reset while a backend still works on it makes no room.
 */
export class Http2Stream {
  /** Set by whoever takes the request (`onRequest`) or opens the stream. */
  owner: Http2StreamOwner;
  carrier: StreamCarrier;
  id = 0;
  /** LOCAL_ENDED, REMOTE_ENDED, RESET. */
  state = 0;
  /** Server: the request's; client: the answer's, null until it has come. */
  head: HeaderBlock | null = null;
  trailers: HeaderBlock | null = null;
  /** What the peer takes; below zero after it has made its windows smaller. */
  sendWindow = 0;
  /** What the peer may send. */
  receiveWindow = 0;
  /** Received and handed out, not consumed. */
  unconsumed = 0;
  /** Consumed, and not yet given back to the peer. */
  uncredited = 0;
  /** Bytes that content-length still announces, or -1. */
  expectedBytes = NO_LENGTH;
  /** Client: the request was HEAD, and its answer has no body whatever its head says. */
  isBodiless = false;
  /** A head of ours has been sent. */
  isBegun = false;
  isReleased = false;
  interimHeads = 0;
  /** `sendData` took less than it was given, for want of window of this stream alone. */
  isStarved = false;
  /** The next that waits for its turn. */
  nextWaiting: Http2Stream | null = null;
  isWaiting = false;

  constructor(carrier: StreamCarrier, owner: Http2StreamOwner) {
    this.carrier = carrier;
    this.owner = owner;
  }

  /** As new, for another request. */
  reuse(carrier: StreamCarrier, owner: Http2StreamOwner): void {
    this.carrier = carrier;
    this.owner = owner;
    this.state = 0;
    this.unconsumed = 0;
    this.uncredited = 0;
    this.expectedBytes = NO_LENGTH;
    this.isBodiless = false;
    this.isBegun = false;
    this.isReleased = false;
    this.interimHeads = 0;
  }

  get isClosed(): boolean {
    return this.state >= BOTH_ENDED;
  }

  /** True once no more can be sent. */
  get isLocallyEnded(): boolean {
    return (this.state & (LOCAL_ENDED | RESET)) !== 0;
  }

  /** True once nothing more comes. */
  get isRemotelyEnded(): boolean {
    return (this.state & (REMOTE_ENDED | RESET)) !== 0;
  }

  /**
   * Begins a head or trailers. The caller encodes at most `room` bytes into the writer by the connection's encoder and
   * calls `endHead`, with no other call on the connection in between. Throws where no more can be sent.
   */
  beginHead(room: number): MessageWriter {
    return this.carrier.beginHead(this, room);
  }

  endHead(endStream: boolean): void {
    this.carrier.endHead(this, endStream);
  }

  /**
   * Sends what the windows, the transport and the turns of other streams allow, and returns how many bytes those were;
   * the caller keeps the rest until `onWritable`. The bytes are copied. With nothing but `endStream` it always goes;
   * the end goes with the last byte.
   */
  sendData(bytes: Buffer, start: number, end: number, endStream: boolean): number {
    return this.carrier.sendData(this, bytes, start, end, endStream);
  }

  /** Ends both sides at once; `onReset` does not come. Nothing happens where the stream is closed. */
  reset(code: number): void {
    this.carrier.resetStream(this, code);
  }

  /** So many bytes of `onData` have been passed on: the peer may send as many again. */
  consumed(bytes: number): void {
    this.carrier.consumed(this, bytes);
  }

  /**
   * The owner has done all that the stream asked of it, at the backend too, and forgets it: the object is used again.
   * One that has not ended is reset: with NO_ERROR where the answer is complete (RFC 9113 section 8.1).
   */
  release(): void {
    this.carrier.released(this);
  }
}
