import type { DecodedHeader, ProxiedConnection } from './header.ts';
import { failed, MORE } from './header.ts';
import { decodeV1, encodeV1, V1_PREFIX } from './version-1.ts';
import { decodeV2, encodeV2, MOST_V2_BYTES, V2_SIGNATURE } from './version-2.ts';

/** Header of either version at the start of `bytes[start, end)`; no more of it is read than the header has. */
export function decodeProxyHeader(bytes: Buffer, start: number, end: number): DecodedHeader {
  if (start === end) return MORE;
  const isV1 = bytes[start] === V1_PREFIX[0];
  const prefix = isV1 ? V1_PREFIX : V2_SIGNATURE;
  const known = Math.min(end - start, prefix.length);
  for (let at = 0; at < known; at += 1) if (bytes[start + at] !== prefix[at]) return failed('no_header');
  if (known < prefix.length) return MORE;
  return isV1 ? decodeV1(bytes, start, end) : decodeV2(bytes, start, end);
}

/** Null: a connection of our own, on nobody's behalf. */
export function encodeProxyHeader(version: 'V1' | 'V2', connection: ProxiedConnection | null): Buffer {
  return version === 'V1' ? encodeV1(connection) : encodeV2(connection);
}

/** Reads the header of one connection, in any number of pieces. Sans-IO. */
export class ProxyHeaderReader {
  /** After DONE: where the bytes after the header begin in what was given last. */
  next = 0;
  #partial: Buffer | null = null;
  #length = 0;

  /** No byte has come. */
  get untouched(): boolean {
    return this.#length === 0;
  }

  read(bytes: Buffer, from: number, end: number): DecodedHeader {
    const before = this.#length;
    const decoded =
      before === 0
        ? decodeProxyHeader(bytes, from, end)
        : decodeProxyHeader(this.#append(bytes, from, end), 0, this.#length);
    if (decoded.outcome === 'done') this.next = from + decoded.length - before;
    else if (decoded.outcome === 'more' && before === 0) this.#append(bytes, from, end);
    return decoded;
  }

  /** No header is longer than the memory for it. */
  #append(bytes: Buffer, from: number, end: number): Buffer {
    this.#partial ??= Buffer.allocUnsafe(MOST_V2_BYTES);
    this.#length += bytes.copy(this.#partial, this.#length, from, end);
    return this.#partial;
  }
}
