import type { HeadSettings } from '../http1/head-parser.ts';
import { HeaderBlock } from './header-block.ts';
import { Http2Stream, type Http2StreamOwner, type StreamCarrier } from './stream.ts';

/*
 * Streams and heads of all connections of a thread are used again, so that none is made for a request. What a flood of
 * requests has left is bounded.
 */
const MOST_STREAMS = 1024;
const MOST_BLOCKS = 256;

const STREAMS: Http2Stream[] = [];
const BLOCKS: HeaderBlock[] = [];

export function takeStream(carrier: StreamCarrier, owner: Http2StreamOwner): Http2Stream {
  const stream = STREAMS.pop();
  if (stream === undefined) return new Http2Stream(carrier, owner);
  stream.reuse(carrier, owner);
  return stream;
}

/** Nobody refers to it any more. */
export function giveStream(stream: Http2Stream): void {
  if (stream.head !== null) giveBlock(stream.head);
  if (stream.trailers !== null) giveBlock(stream.trailers);
  stream.head = null;
  stream.trailers = null;
  if (STREAMS.length < MOST_STREAMS) STREAMS.push(stream);
}

export function takeBlock(settings: HeadSettings): HeaderBlock {
  const block = BLOCKS.pop() ?? new HeaderBlock();
  block.reset(settings);
  return block;
}

export function giveBlock(block: HeaderBlock): void {
  if (BLOCKS.length < MOST_BLOCKS) BLOCKS.push(block);
}

/** Leaves memory that nobody uses to the collector. */
export function dropFreeStreams(): void {
  STREAMS.length = 0;
  BLOCKS.length = 0;
}
