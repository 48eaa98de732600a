import type { Socket } from 'node:net';

const HEADER_BYTES = 9;
const [DATA, HEADERS, RST_STREAM, SETTINGS, PING, GOAWAY, WINDOW_UPDATE, CONTINUATION] = [
  0, 1, 3, 4, 6, 7, 8, 9,
] as const;
const END_STREAM = 1;
const ACK = 1;
const END_HEADERS = 4;
const PADDED = 8;
const INITIAL_WINDOW_SIZE = 4;
const FRAME_BYTES = 16_384;
/** What the other side may send at once on a connection; given again when half of it is used. */
const WINDOW = 2 ** 30;
export const PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');

export interface H2Events {
  headers(stream: number, ended: boolean): void;
  /** `bytes` is valid only during the call. */
  data(stream: number, bytes: Buffer, ended: boolean): void;
  reset(stream: number): void;
  /** The other side takes no further streams. */
  goaway(): void;
}

interface Waiting {
  readonly parts: Buffer[];
  /** Block of trailers that comes after the data, if any. */
  trailers: Buffer | null;
  ended: boolean;
}

/**
 * HTTP/2 (RFC 9113) as a benchmark's client or backend needs it: frames and flow control, header blocks sent as they
 * were prepared and received without being looked into (so nothing of HPACK's state is needed). What one read brings
 * about leaves in one write. It is no part of the product and shares no code with it.
 */
export class H2Connection {
  readonly #socket: Socket;
  readonly #events: H2Events;
  readonly #waiting = new Map<number, Waiting>();
  readonly #windows = new Map<number, number>();
  #rest: Buffer | null = null;
  #prefaceLeft: number;
  #out: Buffer[] = [];
  #isReading = false;
  #window = 65_535;
  #initialWindow = 65_535;
  #taken = 0;
  /** Stream whose header block goes on, and whether its HEADERS ended it. */
  #block: { readonly stream: number; readonly ended: boolean } | null = null;

  constructor(socket: Socket, side: 'client' | 'server', events: H2Events) {
    this.#socket = socket;
    this.#events = events;
    this.#prefaceLeft = side === 'server' ? PREFACE.length : 0;
    socket.setNoDelay(true);
    socket.on('data', (bytes: Buffer) => this.#read(bytes));
    if (side === 'client') this.#out.push(PREFACE);
    const settings = Buffer.alloc(6);
    settings.writeUInt16BE(INITIAL_WINDOW_SIZE, 0);
    settings.writeUInt32BE(WINDOW, 2);
    this.#frame(SETTINGS, 0, 0, settings);
    this.#giveWindow(WINDOW - 65_535);
    this.flush();
  }

  headers(stream: number, block: Buffer, ended: boolean): void {
    const waiting = this.#waiting.get(stream);
    if (waiting !== undefined) {
      waiting.trailers = block;
      return;
    }
    this.#frame(HEADERS, END_HEADERS | (ended ? END_STREAM : 0), stream, block);
    if (ended) this.#windows.delete(stream);
  }

  /** Sends now what the windows allow, the rest when they do. `bytes` is kept. */
  data(stream: number, bytes: Buffer, ended: boolean): void {
    const waiting = this.#waiting.get(stream) ?? { parts: [], trailers: null, ended: false };
    waiting.parts.push(bytes);
    waiting.ended ||= ended;
    this.#waiting.set(stream, waiting);
    this.#send(stream, waiting);
  }

  flush(): void {
    if (this.#isReading || this.#out.length === 0) return;
    const out = this.#out;
    this.#out = [];
    if (!this.#socket.destroyed) this.#socket.write(out.length === 1 ? out[0]! : Buffer.concat(out));
  }

  #read(bytes: Buffer): void {
    this.#isReading = true;
    let buffer = this.#rest === null ? bytes : Buffer.concat([this.#rest, bytes]);
    const skipped = Math.min(this.#prefaceLeft, buffer.length);
    this.#prefaceLeft -= skipped;
    buffer = buffer.subarray(skipped);
    let at = 0;
    while (buffer.length - at >= HEADER_BYTES) {
      const length = buffer.readUIntBE(at, 3);
      const end = at + HEADER_BYTES + length;
      if (end > buffer.length) break;
      const stream = buffer.readUInt32BE(at + 5) & 0x7fffffff;
      this.#take(buffer[at + 3]!, buffer[at + 4]!, stream, buffer.subarray(at + HEADER_BYTES, end));
      at = end;
    }
    this.#rest = at === buffer.length ? null : Buffer.from(buffer.subarray(at));
    this.#isReading = false;
    this.flush();
  }

  #take(type: number, flags: number, stream: number, payload: Buffer): void {
    switch (type) {
      case DATA: {
        this.#taken += payload.length;
        if (this.#taken > WINDOW / 2) this.#giveWindow(this.#taken);
        const body = (flags & PADDED) === 0 ? payload : payload.subarray(1, payload.length - payload[0]!);
        this.#events.data(stream, body, (flags & END_STREAM) !== 0);
        return;
      }
      case HEADERS:
        this.#block = { stream, ended: (flags & END_STREAM) !== 0 };
        if ((flags & END_HEADERS) !== 0) this.#endBlock();
        return;
      case CONTINUATION:
        if ((flags & END_HEADERS) !== 0) this.#endBlock();
        return;
      case RST_STREAM:
        this.#waiting.delete(stream);
        this.#windows.delete(stream);
        this.#events.reset(stream);
        return;
      case SETTINGS:
        if ((flags & ACK) === 0) this.#applySettings(payload);
        return;
      case PING:
        if ((flags & ACK) === 0) this.#frame(PING, ACK, 0, Buffer.from(payload));
        return;
      case GOAWAY:
        this.#events.goaway();
        return;
      case WINDOW_UPDATE: {
        const more = payload.readUInt32BE(0) & 0x7fffffff;
        if (stream === 0) {
          this.#window += more;
          for (const [id, waiting] of this.#waiting) this.#send(id, waiting);
        } else {
          this.#windows.set(stream, this.#windowOf(stream) + more);
          const waiting = this.#waiting.get(stream);
          if (waiting !== undefined) this.#send(stream, waiting);
        }
      }
    }
  }

  #endBlock(): void {
    const { stream, ended } = this.#block!;
    this.#block = null;
    this.#events.headers(stream, ended);
  }

  #applySettings(payload: Buffer): void {
    for (let at = 0; at + 6 <= payload.length; at += 6) {
      if (payload.readUInt16BE(at) !== INITIAL_WINDOW_SIZE) continue;
      const size = payload.readUInt32BE(at + 2);
      // RFC 9113, 6.9.2: it changes the windows of the streams that are open.
      for (const [stream, window] of this.#windows)
        this.#windows.set(stream, window + size - this.#initialWindow);
      this.#initialWindow = size;
    }
    this.#frame(SETTINGS, ACK, 0, Buffer.alloc(0));
    for (const [id, waiting] of this.#waiting) this.#send(id, waiting);
  }

  #windowOf(stream: number): number {
    return this.#windows.get(stream) ?? this.#initialWindow;
  }

  #send(stream: number, waiting: Waiting): void {
    while (waiting.parts.length > 0) {
      const part = waiting.parts[0]!;
      const window = this.#windowOf(stream);
      const size = Math.min(part.length, FRAME_BYTES, this.#window, window);
      if (size <= 0 && part.length > 0) return;
      const isLast = size === part.length;
      if (isLast) waiting.parts.shift();
      else waiting.parts[0] = part.subarray(size);
      const ends = isLast && waiting.parts.length === 0 && waiting.ended && waiting.trailers === null;
      this.#window -= size;
      this.#windows.set(stream, window - size);
      this.#frame(DATA, ends ? END_STREAM : 0, stream, part.subarray(0, size));
    }
    this.#waiting.delete(stream);
    if (waiting.trailers !== null) this.headers(stream, waiting.trailers, true);
    else if (waiting.ended) this.#windows.delete(stream);
  }

  #giveWindow(size: number): void {
    const payload = Buffer.alloc(4);
    payload.writeUInt32BE(size, 0);
    this.#frame(WINDOW_UPDATE, 0, 0, payload);
    this.#taken = 0;
  }

  #frame(type: number, flags: number, stream: number, payload: Buffer): void {
    const frame = Buffer.allocUnsafe(HEADER_BYTES + payload.length);
    frame.writeUIntBE(payload.length, 0, 3);
    frame[3] = type;
    frame[4] = flags;
    frame.writeUInt32BE(stream, 5);
    payload.copy(frame, HEADER_BYTES);
    this.#out.push(frame);
  }
}
