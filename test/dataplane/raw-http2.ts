import type { Socket } from 'node:net';
import { connect } from 'node:net';
import { framesOf, PREFACE, SETTINGS_ACK, settings, windowUpdate } from '../wire/h2/frames.ts';
import type { Http2Message } from './strict-http2.ts';
import { StrictHttp2 } from './strict-http2.ts';

const DATA = 0;
const SETTINGS = 4;
const ACK = 1;

/** A client that sends the frames it is given, right or wrong, and reads what comes by RFC 9113 alone. */
export class RawHttp2Client {
  readonly socket: Socket;
  closed = false;
  /** What the proxy said that is not in order. */
  complaint: Error | null = null;
  readonly #read: StrictHttp2;
  #bytes = Buffer.alloc(0);
  #wake: () => void = () => {};

  constructor(port: number, isHead: (id: number) => boolean = () => false) {
    this.#read = new StrictHttp2('response', isHead);
    this.socket = connect({ port, host: '127.0.0.1', noDelay: true });
    this.socket.write(Buffer.concat([PREFACE, settings()]));
    this.socket.on('data', (bytes: Buffer) => this.#take(bytes));
    this.socket.on('error', () => {});
    this.socket.on('close', () => {
      this.closed = true;
      this.#wake();
    });
  }

  get goAwayCode(): number | null {
    return this.#read.goAwayCode;
  }

  message(id: number): Http2Message | null {
    return this.#read.messages.get(id) ?? null;
  }

  send(...frames: readonly Buffer[]): this {
    this.socket.write(Buffer.concat(frames));
    return this;
  }

  /** Resolves when the stream is over one way or the other, or the connection is. */
  async over(id: number): Promise<Http2Message | null> {
    for (;;) {
      if (this.complaint !== null) throw this.complaint;
      const message = this.message(id);
      if (message !== null && (message.isEnded || message.resetCode !== null)) return message;
      if (this.closed) return message;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  close(): void {
    this.socket.destroy();
  }

  #take(bytes: Buffer): void {
    this.#bytes = Buffer.concat([this.#bytes, bytes]);
    try {
      for (const frame of framesOf(this.#bytes)) {
        this.#bytes = this.#bytes.subarray(9 + frame.payload.length);
        if (frame.type === SETTINGS && (frame.flags & ACK) === 0) this.socket.write(SETTINGS_ACK);
        if (frame.type === DATA && frame.payload.length > 0)
          this.socket.write(windowUpdate(0, frame.payload.length));
        this.#read.take(frame);
      }
    } catch (error) {
      this.complaint = error as Error;
    }
    this.#wake();
  }
}
