import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { setImmediate as turn } from 'node:timers/promises';

/** Frames as attackers write them: nothing of NovaEdge's own codec, and nothing keeps them from being wrong. */
export const TYPE = {
  DATA: 0,
  HEADERS: 1,
  PRIORITY: 2,
  RST_STREAM: 3,
  SETTINGS: 4,
  PING: 6,
  GOAWAY: 7,
  WINDOW_UPDATE: 8,
  CONTINUATION: 9,
} as const;
export const END_STREAM = 1;
export const ACK = 1;
export const END_HEADERS = 4;
export const WITH_PRIORITY = 0x20;

export function frame(
  type: number,
  flags: number,
  id: number,
  payload: Uint8Array = Buffer.alloc(0),
): Buffer {
  const bytes = Buffer.alloc(9 + payload.length);
  bytes.writeUIntBE(payload.length, 0, 3);
  bytes[3] = type;
  bytes[4] = flags;
  bytes.writeUInt32BE(id, 5);
  bytes.set(payload, 9);
  return bytes;
}

export function uint32(...values: number[]): Buffer {
  const bytes = Buffer.alloc(4 * values.length);
  for (const [index, value] of values.entries()) bytes.writeUInt32BE(value, 4 * index);
  return bytes;
}

/** SETTINGS with these pairs of identifier and value. */
export function settings(...pairs: readonly (readonly [number, number])[]): Buffer {
  const payload = Buffer.alloc(6 * pairs.length);
  for (const [index, [id, value]] of pairs.entries()) {
    payload.writeUInt16BE(id, 6 * index);
    payload.writeUInt32BE(value, 6 * index + 2);
  }
  return frame(TYPE.SETTINGS, 0, 0, payload);
}

export const INITIAL_WINDOW_SIZE = 4;
export const PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');

/** A string or number of HPACK with a prefix of so many bits. */
function integer(value: number, bits: number, first: number): Buffer {
  const most = (1 << bits) - 1;
  if (value < most) return Buffer.from([first | value]);
  const bytes = [first | most];
  let rest = value - most;
  while (rest >= 128) {
    bytes.push((rest & 127) | 128);
    rest >>>= 7;
  }
  return Buffer.from([...bytes, rest]);
}

export function text(value: string): Buffer {
  return Buffer.concat([integer(value.length, 7, 0), Buffer.from(value, 'latin1')]);
}

/** A literal field that becomes no entry. */
export function field(name: string, value: string): Buffer {
  return Buffer.concat([Buffer.from([0]), text(name), text(value)]);
}

/** The same, and it becomes an entry of the table. */
export function entry(name: string, value: string): Buffer {
  return Buffer.concat([Buffer.from([0x40]), text(name), text(value)]);
}

export function indexed(index: number): Buffer {
  return integer(index, 7, 0x80);
}

/** A field named by an entry, that becomes an entry itself. */
export function entryNamedBy(index: number, value: string): Buffer {
  return Buffer.concat([integer(index, 6, 0x40), text(value)]);
}

/** The first of the dynamic table. */
export const NEWEST = 62;

/** `:method`, `:scheme: http`, `:authority: a` and a path. */
export function request(path: string, method: 'GET' | 'POST' | 'HEAD' = 'GET'): Buffer {
  const verb =
    method === 'HEAD'
      ? Buffer.concat([Buffer.from([0x02]), text('HEAD')])
      : Buffer.from([method === 'GET' ? 0x82 : 0x83]);
  return Buffer.concat([verb, Buffer.from([0x86, 0x01, 1, 97, 0x04]), text(path)]);
}

export function headers(id: number, block: Uint8Array, flags = END_STREAM | END_HEADERS): Buffer {
  return frame(TYPE.HEADERS, flags, id, block);
}

/** What became of a connection. */
export interface Fate {
  /** Code of the GOAWAY that came, or null. */
  goAway: number | null;
  /** Milliseconds from the first byte of the attack to the connection's end, or null: it stayed. */
  endedMs: number | null;
  sent: number;
  /** Resets and heads that came. */
  resets: number;
  answers: number;
}

const CHUNK_BYTES = 65_536;

/** Pieces as they are written, each of one system call. */
export function chunks(pieces: readonly Buffer[]): Buffer[] {
  const joined: Buffer[] = [];
  let held: Buffer[] = [];
  let size = 0;
  for (const piece of pieces) {
    held.push(piece);
    size += piece.length;
    if (size < CHUNK_BYTES) continue;
    joined.push(Buffer.concat(held));
    held = [];
    size = 0;
  }
  if (size > 0) joined.push(Buffer.concat(held));
  return joined;
}

/** An attacker's connection: it says what it likes, and notes what it hears. */
export class Wire {
  readonly fate: Fate = { goAway: null, endedMs: null, sent: 0, resets: 0, answers: 0 };
  readonly #socket: Socket;
  #startedAt = 0;
  #held: Buffer = Buffer.alloc(0);
  readonly ended: Promise<void>;

  private constructor(socket: Socket) {
    this.#socket = socket;
    this.ended = new Promise((resolve) => {
      socket.on('close', () => {
        this.fate.endedMs ??= Math.round(performance.now() - this.#startedAt);
        resolve();
      });
    });
    socket.on('error', () => {});
    socket.on('end', () => {
      this.fate.endedMs ??= Math.round(performance.now() - this.#startedAt);
    });
  }

  /** `reads`: false: it takes nothing of what it is sent. */
  static async open(port: number, reads = true): Promise<Wire> {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true });
    const wire = new Wire(socket);
    await once(socket, 'connect');
    if (reads) socket.on('data', (bytes: Buffer) => wire.#read(bytes));
    else socket.pause();
    wire.#startedAt = performance.now();
    return wire;
  }

  /** With preface, our settings, and theirs acknowledged. */
  static async greeted(port: number, ours: Buffer = settings(), reads = true): Promise<Wire> {
    const wire = await Wire.open(port, reads);
    wire.say(PREFACE, ours, frame(TYPE.SETTINGS, ACK, 0));
    return wire;
  }

  get isOver(): boolean {
    return this.fate.endedMs !== null || this.#socket.destroyed;
  }

  say(...bytes: Buffer[]): boolean {
    if (this.isOver) return true;
    const all = bytes.length === 1 ? bytes[0]! : Buffer.concat(bytes);
    this.fate.sent += all.length;
    return this.#socket.write(all);
  }

  /** Sends these over and over, as fast as they are taken, until the end or so many milliseconds. */
  async flood(pieces: readonly Buffer[], milliseconds: number, repeats = true): Promise<void> {
    const until = performance.now() + milliseconds;
    this.#startedAt = performance.now();
    do {
      for (const piece of pieces) {
        if (this.isOver || performance.now() > until) return;
        if (!this.say(piece)) await this.#drained(until);
        else await turn();
      }
    } while (repeats);
    await this.#lasts(until);
  }

  /** Waits for its end, at most so long. */
  async over(milliseconds: number): Promise<void> {
    await this.#lasts(performance.now() + milliseconds);
  }

  close(): void {
    this.#socket.destroy();
  }

  async #lasts(until: number): Promise<void> {
    const left = until - performance.now();
    if (this.isOver || left <= 0) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, left);
    await Promise.race([this.ended, promise]);
    clearTimeout(timer);
  }

  async #drained(until: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, Math.max(0, until - performance.now()));
    this.#socket.once('drain', resolve);
    await Promise.race([this.ended, promise]);
    clearTimeout(timer);
    this.#socket.off('drain', resolve);
  }

  #read(bytes: Buffer): void {
    const all = this.#held.length === 0 ? bytes : Buffer.concat([this.#held, bytes]);
    let at = 0;
    while (all.length - at >= 9) {
      const length = all.readUIntBE(at, 3);
      if (all.length - at < 9 + length) break;
      const type = all[at + 3];
      if (type === TYPE.GOAWAY) this.fate.goAway = all.readUInt32BE(at + 13);
      else if (type === TYPE.RST_STREAM) this.fate.resets += 1;
      else if (type === TYPE.HEADERS) this.fate.answers += 1;
      at += 9 + length;
    }
    this.#held = all.subarray(at);
  }
}
