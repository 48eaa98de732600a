import { randomBytes } from 'node:crypto';

export interface Frame {
  /** FIN, RSV and opcode as they came. */
  readonly first: number;
  /** Without mask. */
  readonly payload: Buffer;
}

/** Bytes of a connection to whole frames (RFC 6455, 5.2), masked or not. */
export class FrameReader {
  #rest: Buffer | null = null;

  read(bytes: Buffer): Frame[] {
    const buffer = this.#rest === null ? bytes : Buffer.concat([this.#rest, bytes]);
    const frames: Frame[] = [];
    let at = 0;
    for (;;) {
      if (buffer.length - at < 2) break;
      const short = buffer[at + 1]! & 127;
      const masked = buffer[at + 1]! >= 128;
      const sizeEnd = at + (short === 127 ? 10 : short === 126 ? 4 : 2);
      const start = sizeEnd + (masked ? 4 : 0);
      if (start > buffer.length) break;
      const length =
        short === 127
          ? Number(buffer.readBigUInt64BE(at + 2))
          : short === 126
            ? buffer.readUInt16BE(at + 2)
            : short;
      if (start + length > buffer.length) break;
      const payload = Buffer.from(buffer.subarray(start, start + length));
      if (masked) mask(payload, buffer.subarray(sizeEnd, start));
      frames.push({ first: buffer[at]!, payload });
      at = start + length;
    }
    this.#rest = at === buffer.length ? null : Buffer.from(buffer.subarray(at));
    return frames;
  }
}

export function serverFrame(first: number, payload: Buffer): Buffer {
  return Buffer.concat([head(first, payload.length, 0), payload]);
}

/** As a client sends it: masked with a key of its own. */
export function clientFrame(first: number, payload: Buffer): Buffer {
  const key = randomBytes(4);
  const masked = Buffer.from(payload);
  mask(masked, key);
  return Buffer.concat([head(first, payload.length, 128), key, masked]);
}

function head(first: number, length: number, maskBit: number): Buffer {
  if (length < 126) return Buffer.from([first, maskBit | length]);
  if (length < 65_536) {
    const bytes = Buffer.from([first, maskBit | 126, 0, 0]);
    bytes.writeUInt16BE(length, 2);
    return bytes;
  }
  const bytes = Buffer.alloc(10);
  bytes[0] = first;
  bytes[1] = maskBit | 127;
  bytes.writeBigUInt64BE(BigInt(length), 2);
  return bytes;
}

function mask(bytes: Buffer, key: Buffer): void {
  for (let index = 0; index < bytes.length; index += 1) bytes[index]! ^= key[index & 3]!;
}
