import { close, open, write } from 'node:fs';

const BLOCK_BYTES = 65_536;

interface Block {
  readonly bytes: Buffer;
  length: number;
  lines: number;
}

/**
 * Appends lines to a file (`-` is standard output) without ever blocking or waiting: what cannot be written soon
 * enough is dropped and counted. Lines are put together in place: `reserve`, then bytes from `length` on in `bytes`,
 * then `commit`.
 */
export class AppendFile {
  dropped = 0;
  readonly #mostBlocks: number;
  readonly #full: Block[] = [];
  readonly #free: Block[] = [];
  #current: Block = emptyBlock();
  #descriptor = -1;
  #busy = false;
  #closing = false;

  constructor(path: string, mostBytes = 8 << 20) {
    this.#mostBlocks = Math.max(1, Math.ceil(mostBytes / BLOCK_BYTES));
    if (path === '-') {
      this.#descriptor = 1;
      return;
    }
    this.#busy = true;
    open(path, 'a', 0o640, (error, descriptor) => {
      this.#busy = false;
      if (error === null) {
        this.#descriptor = descriptor;
        this.flush();
      }
    });
  }

  get bytes(): Buffer {
    return this.#current.bytes;
  }

  get length(): number {
    return this.#current.length;
  }

  /** Sees to it that a line of `size` bytes fits; false: it does not, and has been counted as dropped. */
  reserve(size: number): boolean {
    if (this.#current.length + size <= BLOCK_BYTES) return true;
    if (size > BLOCK_BYTES || this.#full.length + 1 >= this.#mostBlocks) {
      this.dropped += 1;
      return false;
    }
    this.#full.push(this.#current);
    this.#current = this.#free.pop() ?? emptyBlock();
    this.#writeNext();
    return true;
  }

  /** The line goes up to `end`. */
  commit(end: number): void {
    this.#current.length = end;
    this.#current.lines += 1;
  }

  flush(): void {
    if (this.#current.length > 0 && !this.#busy && this.#full.length === 0) {
      this.#full.push(this.#current);
      this.#current = this.#free.pop() ?? emptyBlock();
    }
    this.#writeNext();
  }

  close(): void {
    this.#closing = true;
    this.flush();
  }

  #writeNext(): void {
    if (this.#busy || this.#descriptor === -1) return;
    const block = this.#full.shift();
    if (block === undefined) {
      if (this.#closing) this.#finish();
      return;
    }
    this.#busy = true;
    this.#write(block, 0);
  }

  #write(block: Block, from: number): void {
    write(this.#descriptor, block.bytes, from, block.length - from, null, (error, written) => {
      if (error !== null && error.code === 'EAGAIN') {
        setTimeout(() => this.#write(block, from), 10);
        return;
      }
      if (error !== null) this.dropped += block.lines;
      else if (from + written < block.length) {
        this.#write(block, from + written);
        return;
      }
      this.#busy = false;
      block.length = 0;
      block.lines = 0;
      if (this.#free.length < 2) this.#free.push(block);
      if (this.#closing) this.flush();
      else this.#writeNext();
    });
  }

  #finish(): void {
    if (this.#descriptor > 2) close(this.#descriptor, () => {});
    this.#descriptor = -1;
  }
}

function emptyBlock(): Block {
  return { bytes: Buffer.allocUnsafeSlow(BLOCK_BYTES), length: 0, lines: 0 };
}
