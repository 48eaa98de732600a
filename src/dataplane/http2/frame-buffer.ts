import type { SocketStream } from '../../os/socket-stream.ts';
import type { FrameOutput } from '../../wire/h2/frame-output.ts';
import { MessageWriter } from '../../wire/http1/writer.ts';
import type { FreeList } from '../context.ts';
import type { TurnEnd, TurnEndOwner } from './turn-end.ts';

/** Four frames of the usual size, and some small ones. */
export const FRAME_BLOCK_BYTES = 68 * 1024;

/**
 * Frames of one connection, put together in one block and sent at the end of the turn of the event loop, or when the
 * block is full. While the kernel has not taken a block the next one is filled with what does not wait for anybody
 * (`isBlocked` holds back DATA).
 */
export class FrameBuffer implements FrameOutput, TurnEndOwner {
  readonly #stream: SocketStream;
  readonly #blocks: FreeList<MessageWriter>;
  readonly #turnEnd: TurnEnd;
  #block: MessageWriter | null = null;
  /** What the kernel has not taken yet. */
  #leaving: MessageWriter | null = null;
  #isDue = false;

  constructor(stream: SocketStream, blocks: FreeList<MessageWriter>, turnEnd: TurnEnd) {
    this.#stream = stream;
    this.#blocks = blocks;
    this.#turnEnd = turnEnd;
  }

  get isBlocked(): boolean {
    return this.#stream.writing;
  }

  get isEmpty(): boolean {
    return (this.#block === null || this.#block.length === 0) && !this.#stream.writing;
  }

  /** Bytes that wait until the kernel has taken those before them. */
  get waiting(): number {
    return this.#stream.writing && this.#block !== null ? this.#block.length : 0;
  }

  writer(room: number): MessageWriter {
    if (!this.#isDue) {
      this.#isDue = true;
      this.#turnEnd.add(this);
    }
    let block = this.#block;
    if (block !== null && block.room < room) {
      this.flush();
      block = this.#block;
    }
    if (block === null) block = room <= FRAME_BLOCK_BYTES ? this.#blocks.take() : new MessageWriter(room);
    else if (block.room < room) block = this.#grown(block, room);
    this.#block = block;
    return block;
  }

  onTurnEnd(): void {
    this.#isDue = false;
    this.flush();
  }

  /** Sends what there is, unless something is still on its way: then that goes first. */
  flush(): void {
    const block = this.#block;
    if (block === null || this.#stream.writing) return;
    this.#block = null;
    if (block.length === 0) {
      this.#giveBack(block);
      return;
    }
    if (this.#stream.write(block.written)) this.#giveBack(block);
    else this.#leaving = block;
  }

  /** The kernel has taken all. */
  written(): void {
    const block = this.#leaving;
    this.#leaving = null;
    if (block !== null) this.#giveBack(block);
    this.flush();
  }

  drop(): void {
    // What the kernel still reads from is left to the collector.
    this.#leaving = null;
    if (this.#block !== null) this.#giveBack(this.#block);
    this.#block = null;
  }

  #grown(block: MessageWriter, room: number): MessageWriter {
    const larger = new MessageWriter(2 * (block.length + room));
    larger.bytes(block.block, 0, block.length);
    this.#giveBack(block);
    return larger;
  }

  #giveBack(block: MessageWriter): void {
    block.length = 0;
    if (block.block.length === FRAME_BLOCK_BYTES) this.#blocks.give(block);
  }
}
