import type { MessageWriter } from '../http1/writer.ts';

/** Where frames go. All of one turn leave in one write, when their owner says so. */
export interface FrameOutput {
  /** With room for `room` bytes at least. What is in it may be sent first, so it may block by this. */
  writer(room: number): MessageWriter;
  /** The transport takes no more for now: no DATA is put in until `Http2Connection.writable`. */
  readonly isBlocked: boolean;
}
