import { EventEmitter, once } from 'node:events';
import type { AddressInfo, Socket } from 'node:net';
import { connect, createServer } from 'node:net';
import type { TestContext } from 'node:test';

export const FRAME = { DATA: 0, HEADERS: 1, RST_STREAM: 3, SETTINGS: 4, PING: 6, GOAWAY: 7 } as const;

const PREFACE_BYTES = 24;
const HEAD_BYTES = 9;

/** Counts the frames of one direction of an HTTP/2 connection by their type (RFC 9113 section 4.1). */
class FrameCount {
  readonly #told: (type: number) => void;
  #skip: number;
  readonly #head = Buffer.alloc(HEAD_BYTES);
  #have = 0;

  constructor(preface: boolean, told: (type: number) => void) {
    this.#skip = preface ? PREFACE_BYTES : 0;
    this.#told = told;
  }

  follow(bytes: Buffer): void {
    let at = 0;
    while (at < bytes.length) {
      if (this.#skip > 0) {
        const skipped = Math.min(this.#skip, bytes.length - at);
        this.#skip -= skipped;
        at += skipped;
        continue;
      }
      this.#head[this.#have] = bytes[at]!;
      this.#have += 1;
      at += 1;
      if (this.#have < HEAD_BYTES) continue;
      this.#have = 0;
      this.#skip = this.#head.readUIntBE(0, 3);
      this.#told(this.#head[3]!);
    }
  }
}

/** Stands before a server of HTTP/2 in clear text and sees what goes by; its connections can break. */
export interface Relay {
  readonly port: number;
  /** Taken so far. */
  readonly connections: number;
  /** From the client to the server. */
  readonly bytesIn: number;
  /** From the server to the client. */
  readonly bytesOut: number;
  /** Frames of a type that the client, or the server, has sent. */
  sent(by: 'client' | 'server', type: number): number;
  until(reached: () => boolean): Promise<void>;
  /** All connections are reset; new ones are taken. */
  cut(): void;
  /** As `cut`, and from now on nobody is there. */
  close(): void;
}

/** `to`: a port of 127.0.0.1 or the path of a socket. */
export async function startRelay(context: TestContext, to: () => number | string): Promise<Relay> {
  const sockets = new Set<Socket>();
  const events = new EventEmitter();
  events.setMaxListeners(0);
  const frames = { client: new Map<number, number>(), server: new Map<number, number>() };
  const counts = { connections: 0, bytesIn: 0, bytesOut: 0 };
  const server = createServer({ noDelay: true }, (client) => {
    counts.connections += 1;
    const target = to();
    const upstream = typeof target === 'number' ? connect(target, '127.0.0.1') : connect(target);
    upstream.setNoDelay(true);
    for (const [side, from, other] of [
      ['client', client, upstream],
      ['server', upstream, client],
    ] as const) {
      sockets.add(from);
      const count = new FrameCount(side === 'client', (type) => {
        frames[side].set(type, (frames[side].get(type) ?? 0) + 1);
      });
      from.on('data', (bytes: Buffer) => {
        counts[side === 'client' ? 'bytesIn' : 'bytesOut'] += bytes.length;
        count.follow(bytes);
        events.emit('seen');
      });
      from.on('error', () => reset(other));
      from.on('close', () => {
        sockets.delete(from);
        events.emit('seen');
      });
      from.pipe(other);
    }
    events.emit('seen');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const cut = (): void => {
    for (const socket of sockets) reset(socket);
  };
  const close = (): void => {
    server.close();
    cut();
  };
  context.after(close);
  return {
    port: (server.address() as AddressInfo).port,
    get connections() {
      return counts.connections;
    },
    get bytesIn() {
      return counts.bytesIn;
    },
    get bytesOut() {
      return counts.bytesOut;
    },
    sent: (by, type) => frames[by].get(type) ?? 0,
    until: async (reached) => {
      while (!reached()) await once(events, 'seen');
    },
    cut,
    close,
  };
}

/**
 * A socket of the file system has no reset; and one that is being shut down could not be reset any more, which Node
 * does not see: its handle would never be closed, and the process wait for that at its end for ever.
 */
function reset(socket: Socket): void {
  if (socket.remoteAddress === undefined || socket.writableEnded) socket.destroy();
  else socket.resetAndDestroy();
}
