import type { HeadSettings } from '../http1/head-parser.ts';
import { HeaderBlock } from './header-block.ts';
import { Http2Stream, type Http2StreamOwner, type StreamCarrier } from './stream.ts';

/*
 * Streams and heads of all connections of a thread are used again, so that none is made for a request. What a flood of
 * requests has left is bounded.
 */
const MOST_STREAMS = 1024;
const MOST_BLOCKS = 256;
/** Of those, such as have taken more memory than most heads need. */
const MOST_LARGE_BLOCKS = 16;

const STREAMS: Http2Stream[] = [];
const BLOCKS: HeaderBlock[] = [];
let largeBlocks = 0;

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
  if (block.isLarge) largeBlocks -= 1;
  block.reset(settings);
  return block;
}

export function giveBlock(block: HeaderBlock): void {
  if (BLOCKS.length >= MOST_BLOCKS) return;
  if (block.isLarge) {
    if (largeBlocks < MOST_LARGE_BLOCKS) largeBlocks += 1;
    else block.trim();
  }
  BLOCKS.push(block);
}
