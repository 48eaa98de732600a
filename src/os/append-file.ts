import { close, open, write } from 'node:fs';

/**
 * Appends text to a file (`-` is standard output) without ever blocking or waiting: what cannot be written soon
 * enough is dropped and counted.
 */
export class AppendFile {
  dropped = 0;
  readonly #mostBytes: number;
  #descriptor = -1;
  #pending: string[] = [];
  #pendingBytes = 0;
  #busy = false;
  #closing = false;

  constructor(path: string, mostBytes = 8 << 20) {
    this.#mostBytes = mostBytes;
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

  append(text: string): void {
    if (this.#pendingBytes + text.length > this.#mostBytes) {
      this.dropped += 1;
      return;
    }
    this.#pending.push(text);
    this.#pendingBytes += text.length;
    if (this.#pendingBytes > 65_536) this.flush();
  }

  flush(): void {
    if (this.#busy || this.#pending.length === 0 || this.#descriptor === -1) {
      if (!this.#busy && this.#closing) this.#finish();
      return;
    }
    const lines = this.#pending.length;
    const bytes = Buffer.from(this.#pending.join(''));
    this.#pending = [];
    this.#pendingBytes = 0;
    this.#busy = true;
    this.#write(bytes, 0, lines);
  }

  close(): void {
    this.#closing = true;
    this.flush();
  }

  #write(bytes: Buffer, from: number, lines: number): void {
    write(this.#descriptor, bytes, from, bytes.length - from, null, (error, written) => {
      if (error !== null && error.code === 'EAGAIN') {
        setTimeout(() => this.#write(bytes, from, lines), 10);
        return;
      }
      if (error !== null) this.dropped += lines;
      else if (from + written < bytes.length) {
        this.#write(bytes, from + written, lines);
        return;
      }
      this.#busy = false;
      this.flush();
    });
  }

  #finish(): void {
    if (this.#descriptor > 2) close(this.#descriptor, () => {});
    this.#descriptor = -1;
  }
}
