import type { HeadSettings } from '../http1/head-parser.ts';
import type { HeaderBlock } from './header-block.ts';
import type { Http2Fault } from './http2-fault.ts';
import type { Http2Stream } from './stream.ts';

/** What this side wants of a connection. Sizes in bytes. */
export interface Http2Local {
  /** Server: requests under way at once. */
  readonly maxConcurrentStreams: number;
  /** Of a stream's body that has not been consumed. */
  readonly streamWindowBytes: number;
  /** The same of all streams together; 65,535 at least. */
  readonly connectionWindowBytes: number;
  /** Server: extended CONNECT is taken (RFC 8441). */
  readonly connectProtocol: boolean;
  /** What heads of the peer may be. */
  readonly heads: HeadSettings;
}

/** What a connection tells whoever has it. None of it throws. */
export interface Http2Owner {
  /**
   * Server: a request has come. Sets `stream.owner`, and calls `stream.release` in the end. `head.fault` is not null
   * where the head is too large or against a setting of the listener: to be answered, with the status of the fault.
   */
  onRequest(stream: Http2Stream, head: HeaderBlock, ended: boolean): void;
  /** The peer's settings have come, the first time or changed: `canOpen` may have become true. */
  onSettings(): void;
  /**
   * The peer takes no more requests (client: `canOpen` is false from now on), or makes no more. Streams it has not
   * worked on have had `onReset(REFUSED_STREAM)` before.
   */
  onGoAway(code: number): void;
  /** The peer has answered `ping`. */
  onPong(): void;
  /**
   * A stream was reset because of what the peer sent. To be counted. `head`: of a request that nobody hears of
   * otherwise; null where the stream's owner has heard of it.
   */
  onStreamFault(fault: Http2Fault, head: HeaderBlock | null): void;
  /** The connection has ended by an error, every stream has been told, GOAWAY is in the output: flush and close. */
  onConnectionFault(fault: Http2Fault): void;
}
