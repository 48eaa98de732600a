import type { AddressInfo, Server, Socket } from 'node:net';
import { createServer } from 'node:net';
import {
  field,
  framesOf,
  headers,
  PREFACE,
  SETTINGS_ACK,
  settings,
  windowUpdate,
} from '../wire/h2/frames.ts';
import type { Http2Message } from './strict-http2.ts';
import { StrictHttp2 } from './strict-http2.ts';

const DATA = 0;
const SETTINGS = 4;
const PING = 6;
const ACK = 1;
const OK = 0x88;
const ENABLE_CONNECT_PROTOCOL = 8;

interface Line {
  readonly socket: Socket;
  readonly read: StrictHttp2;
  readonly answered: Set<number>;
}

/** Reads HTTP/2 by RFC 9113 alone, remembers every request, and answers each that is whole; tunnels are refused. */
export class RecordingHttp2Backend {
  readonly #server: Server;
  #lines: Line[] = [];
  /** What came that is not in order. */
  #complaint: Error | null = null;

  private constructor() {
    this.#server = createServer({ noDelay: true }, (socket) => this.#serve(socket));
  }

  static async start(): Promise<RecordingHttp2Backend> {
    const backend = new RecordingHttp2Backend();
    await new Promise<void>((resolve) => backend.#server.listen(0, '127.0.0.1', resolve));
    return backend;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** All requests by connection, as far as they have come. Throws where anything was not in order. */
  get received(): readonly (readonly Http2Message[])[] {
    if (this.#complaint !== null) throw this.#complaint;
    return this.#lines.map(({ read }) => [...read.messages.values()]).filter(({ length }) => length > 0);
  }

  async forget(): Promise<void> {
    const lines = this.#lines.filter(({ socket }) => !socket.destroyed);
    const closed = lines.map(({ socket }) => new Promise((resolve) => socket.once('close', resolve)));
    for (const { socket } of lines) socket.destroy();
    await Promise.all(closed);
    this.#lines = [];
    this.#complaint = null;
  }

  close(): void {
    for (const { socket } of this.#lines) socket.destroy();
    this.#server.close();
  }

  #serve(socket: Socket): void {
    const line = { socket, read: new StrictHttp2('request'), answered: new Set<number>() };
    this.#lines.push(line);
    let bytes = Buffer.alloc(0);
    let isGreeted = false;
    socket.on('error', () => {});
    socket.write(settings(ENABLE_CONNECT_PROTOCOL, 1));
    socket.on('data', (more: Buffer) => {
      bytes = Buffer.concat([bytes, more]);
      if (!isGreeted) {
        if (bytes.length < PREFACE.length) return;
        isGreeted = true;
        if (!bytes.subarray(0, PREFACE.length).equals(PREFACE)) this.#complaint = new Error('no preface');
        bytes = bytes.subarray(PREFACE.length);
      }
      for (const frame of framesOf(bytes)) {
        bytes = bytes.subarray(9 + frame.payload.length);
        const { type, flags, payload } = frame;
        if (type === SETTINGS && (flags & ACK) === 0) socket.write(SETTINGS_ACK);
        if (type === PING && (flags & ACK) === 0)
          socket.write(Buffer.concat([Buffer.of(0, 0, 8, PING, ACK, 0, 0, 0, 0), payload]));
        if (type === DATA && payload.length > 0) socket.write(windowUpdate(0, payload.length));
        try {
          line.read.take(frame);
        } catch (error) {
          this.#complaint ??= error as Error;
        }
      }
      this.#answer(line);
    });
  }

  #answer({ socket, read, answered }: Line): void {
    for (const [id, { isEnded, pseudo }] of read.messages) {
      const method = pseudo.get(':method');
      if (answered.has(id) || !(isEnded || method === 'CONNECT')) continue;
      answered.add(id);
      if (method === 'CONNECT') {
        socket.write(headers(id, 5, field(':status', '403')));
        continue;
      }
      const isHead = method === 'HEAD';
      socket.write(headers(id, isHead ? 5 : 4, Buffer.of(OK), field('content-length', '2')));
      if (!isHead) socket.write(Buffer.concat([Buffer.of(0, 0, 2, DATA, 1, 0, 0, 0, id), Buffer.from('ok')]));
    }
  }
}
