import { createHash } from 'node:crypto';

export const CONTINUATION = 0;
export const TEXT = 1;
export const BINARY = 2;
export const CLOSE = 8;
export const PING = 9;
export const PONG = 10;

/** One frame as it goes over the wire (RFC 6455 section 5.2), sane or not. */
export interface Frame {
  readonly fin: boolean;
  /** RSV1 is 4, RSV2 2, RSV3 1. */
  readonly rsv: number;
  readonly opcode: number;
  readonly mask: Buffer | null;
  /** Not masked. */
  readonly payload: Buffer;
}

export interface EncodeOptions {
  /** Bits that the length takes; by default as few as it needs. */
  readonly lengthBits?: 7 | 16 | 64;
  /** A length that is not the payload's. */
  readonly length?: bigint;
}

export function encodeFrame(frame: Frame, options: EncodeOptions = {}): Buffer {
  const { payload, mask } = frame;
  const length = options.length ?? BigInt(payload.length);
  const bits = options.lengthBits ?? (length < 126n ? 7 : length < 65_536n ? 16 : 64);
  const short = bits === 7 ? Number(length) : bits === 16 ? 126 : 127;
  const head = Buffer.alloc(2 + (bits === 7 ? 0 : bits / 8));
  head[0] = (frame.fin ? 0x80 : 0) | (frame.rsv << 4) | frame.opcode;
  head[1] = (mask === null ? 0 : 0x80) | short;
  if (bits === 16) head.writeUInt16BE(Number(length), 2);
  if (bits === 64) head.writeBigUInt64BE(length, 2);
  if (mask === null) return Buffer.concat([head, payload]);
  return Buffer.concat([head, mask, masked(payload, mask)]);
}

function masked(payload: Buffer, mask: Buffer): Buffer {
  const result = Buffer.allocUnsafe(payload.length);
  for (let at = 0; at < payload.length; at += 1) result[at] = payload[at]! ^ mask[at & 3]!;
  return result;
}

export interface FrameStart {
  readonly fin: boolean;
  readonly rsv: number;
  readonly opcode: number;
  readonly isMasked: boolean;
  readonly length: bigint;
}

/** Frames out of bytes that come in any pieces. */
export class FrameReader {
  #pieces: Buffer[] = [];
  #length = 0;
  #wanted = 2;
  #start: FrameStart | null = null;

  /** In the middle of a frame. */
  get isInside(): boolean {
    return this.#length > 0;
  }

  push(bytes: Buffer): void {
    this.#pieces.push(bytes);
    this.#length += bytes.length;
  }

  /** The next frame that is whole, or null. `check` sees each frame's header before its payload has come. */
  next(check: (start: FrameStart) => void = () => {}): Frame | null {
    while (this.#length >= this.#wanted) {
      const all = this.#pieces.length === 1 ? this.#pieces[0]! : Buffer.concat(this.#pieces);
      this.#pieces = [all];
      const short = all[1]! & 0x7f;
      const lengthBytes = short < 126 ? 0 : short === 126 ? 2 : 8;
      const isMasked = (all[1]! & 0x80) !== 0;
      const head = 2 + lengthBytes + (isMasked ? 4 : 0);
      if (all.length < head) {
        this.#wanted = head;
        continue;
      }
      if (this.#start === null) {
        const length =
          lengthBytes === 8 ? all.readBigUInt64BE(2) : lengthBytes === 2 ? all.readUInt16BE(2) : short;
        this.#start = {
          fin: (all[0]! & 0x80) !== 0,
          rsv: (all[0]! >> 4) & 7,
          opcode: all[0]! & 15,
          isMasked,
          length: BigInt(length),
        };
        check(this.#start);
      }
      const { fin, rsv, opcode, length } = this.#start;
      const end = head + Number(length);
      if (all.length < end) {
        this.#wanted = end;
        continue;
      }
      this.#start = null;
      this.#wanted = 2;
      this.#length = all.length - end;
      this.#pieces = this.#length === 0 ? [] : [all.subarray(end)];
      const mask = isMasked ? Buffer.from(all.subarray(head - 4, head)) : null;
      const payload = all.subarray(head, end);
      return {
        fin,
        rsv,
        opcode,
        mask,
        payload: mask === null ? Buffer.from(payload) : masked(payload, mask),
      };
    }
    return null;
  }
}

/** Bytes in few characters: as they are where they are short and plain, else length and digest. */
export function brief(bytes: Buffer): string {
  const text = bytes.toString('latin1');
  if (text.length <= 24 && /^[ -~]*$/.test(text)) return JSON.stringify(text);
  return `${bytes.length} bytes ${createHash('sha1').update(bytes).digest('hex').slice(0, 12)}`;
}
