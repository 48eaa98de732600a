import http2 from 'node:http2';
import { Duplex } from 'node:stream';

export type List = readonly (readonly [name: string, value: string])[];

const HEADERS = 1;
const SETTINGS = 4;
const CONTINUATION = 9;
const END_STREAM = 1;
const END_HEADERS = 4;
const ACK = 1;
const HEADER_TABLE_SIZE = 1;
const FRAME_HEAD = 9;
const MOST_PAYLOAD = 16_384;
const PREFACE = 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n';

function frame(type: number, flags: number, stream: number, payload: Buffer): Buffer {
  const head = Buffer.alloc(FRAME_HEAD);
  head.writeUIntBE(payload.length, 0, 3);
  head[3] = type;
  head[4] = flags;
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, payload]);
}

function tableSize(bytes: number): Buffer {
  const payload = Buffer.alloc(6);
  payload.writeUInt16BE(HEADER_TABLE_SIZE, 0);
  payload.writeUInt32BE(bytes, 2);
  return frame(SETTINGS, 0, 0, payload);
}

/** The transport of a session of node:http2, of which we are the other end. */
class Wire extends Duplex {
  readonly #take: (bytes: Buffer) => void;

  constructor(take: (bytes: Buffer) => void) {
    super();
    this.#take = take;
  }

  override _read(): void {}

  override _write(bytes: Buffer, _encoding: string, done: () => void): void {
    this.#take(bytes);
    done();
  }

  override _final(done: () => void): void {
    done();
  }
}

/** What nghttp2 makes of requests, one after another on a connection, with what their table may hold. */
export class Nghttp2Encoder {
  readonly #wire = new Wire((bytes) => this.#read(bytes));
  readonly #client: http2.ClientHttp2Session;
  readonly #waiting: ((block: Buffer) => void)[] = [];
  #acknowledged: (() => void) | null = null;
  #unread = Buffer.alloc(0);
  #block = Buffer.alloc(0);
  #isPrefaceRead = false;

  constructor() {
    this.#client = http2.connect('http://a.example', { createConnection: () => this.#wire });
    this.#client.on('error', () => {});
    this.#wire.push(frame(SETTINGS, 0, 0, Buffer.alloc(0)));
  }

  /** Tells it SETTINGS_HEADER_TABLE_SIZE; done when it has acknowledged. Returns a block that it sent before. */
  async setTableSize(bytes: number): Promise<Buffer> {
    // The acknowledgement of the first, empty settings must not be taken for this one's.
    const block = await this.encode([]);
    const done = new Promise<void>((resolve) => {
      this.#acknowledged = resolve;
    });
    this.#wire.push(tableSize(bytes));
    await done;
    return block;
  }

  /** Header block of a GET of `/` with these fields after the pseudo-header fields. */
  encode(list: List, sensitive: readonly string[] = []): Promise<Buffer> {
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
      const raw = [
        ':method',
        'GET',
        ':authority',
        'a.example',
        ':scheme',
        'http',
        ':path',
        '/',
        ...list.flat(),
      ] as string[] & { [http2.sensitiveHeaders]?: readonly string[] };
      raw[http2.sensitiveHeaders] = sensitive;
      const stream = this.#client.request(raw as unknown as http2.OutgoingHttpHeaders, { endStream: true });
      stream.on('error', () => {});
    });
  }

  close(): void {
    this.#client.destroy();
    this.#wire.destroy();
  }

  #read(bytes: Buffer): void {
    this.#unread = Buffer.concat([this.#unread, bytes]);
    if (!this.#isPrefaceRead) {
      if (this.#unread.length < PREFACE.length) return;
      this.#unread = this.#unread.subarray(PREFACE.length);
      this.#isPrefaceRead = true;
    }
    while (this.#unread.length >= FRAME_HEAD) {
      const end = FRAME_HEAD + this.#unread.readUIntBE(0, 3);
      if (this.#unread.length < end) return;
      const type = this.#unread[3]!;
      const flags = this.#unread[4]!;
      const payload = this.#unread.subarray(FRAME_HEAD, end);
      this.#unread = this.#unread.subarray(end);
      if (type === SETTINGS && (flags & ACK) !== 0) {
        const acknowledged = this.#acknowledged;
        this.#acknowledged = null;
        acknowledged?.();
      } else if (type === SETTINGS) this.#wire.push(frame(SETTINGS, ACK, 0, Buffer.alloc(0)));
      if (type !== HEADERS && type !== CONTINUATION) continue;
      this.#block = Buffer.concat([this.#block, payload]);
      if ((flags & END_HEADERS) === 0) continue;
      const block = this.#block;
      this.#block = Buffer.alloc(0);
      this.#waiting.shift()!(block);
    }
  }
}

/** What nghttp2 reads in header blocks of requests, one after another on a connection; rejects where it refuses one. */
export class Nghttp2Decoder {
  readonly #wire: Wire;
  readonly #server = http2.createServer({
    settings: { maxHeaderListSize: 1 << 20 },
    maxHeaderListPairs: 1000,
  });
  #next = 1;
  #resolve: (list: List) => void = () => {};
  #reject: (error: Error) => void = () => {};

  constructor(headerTableSize = 4096) {
    this.#wire = new Wire(() => {});
    this.#server.updateSettings({ headerTableSize });
    this.#server.on('stream', (_stream, _headers, _flags, raw: string[]) => {
      const list: [string, string][] = [];
      for (let at = 0; at < raw.length; at += 2) list.push([raw[at]!, raw[at + 1]!]);
      this.#resolve(list);
    });
    this.#server.on('session', (session) => {
      session.on('error', (error) => this.#reject(error));
      session.on('close', () => this.#reject(new Error('closed')));
    });
    this.#server.emit('connection', this.#wire);
    this.#wire.push(Buffer.concat([Buffer.from(PREFACE), frame(SETTINGS, 0, 0, Buffer.alloc(0))]));
    this.#wire.push(frame(SETTINGS, ACK, 0, Buffer.alloc(0)));
  }

  decode(block: Buffer): Promise<List> {
    const stream = this.#next;
    this.#next += 2;
    return new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
      const first = block.subarray(0, MOST_PAYLOAD);
      const frames: Buffer[] = [];
      const isWhole = first.length === block.length;
      frames.push(frame(HEADERS, END_STREAM | (isWhole ? END_HEADERS : 0), stream, first));
      for (let at = first.length; at < block.length; at += MOST_PAYLOAD) {
        const end = Math.min(at + MOST_PAYLOAD, block.length);
        frames.push(
          frame(CONTINUATION, end === block.length ? END_HEADERS : 0, stream, block.subarray(at, end)),
        );
      }
      this.#wire.push(Buffer.concat(frames));
    });
  }

  close(): void {
    this.#wire.destroy();
  }
}
