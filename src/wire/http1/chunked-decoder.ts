import { CR, HEX, LF, TOKEN } from './characters.ts';
import type { Fault } from './fault.ts';
import { HEAD_FAILED, HEAD_MORE, HeadParser } from './head-parser.ts';

export const CHUNK_MORE = 0;
export const CHUNK_DATA = 1;
export const CHUNK_END = 2;
export const CHUNK_FAILED = 3;
export type ChunkResult = typeof CHUNK_MORE | typeof CHUNK_DATA | typeof CHUNK_END | typeof CHUNK_FAILED;

/** 2^48 bytes a chunk are more than enough, and exact in a double. */
const MOST_SIZE_DIGITS = 12;
/** Extensions of a whole body, in bytes. They mean nothing to us and are an old way to burn a reader's time. */
const MOST_EXTENSION_BYTES = 4096;
const TRAILER_LIMITS = { startLine: 0, fieldBytes: 8192, fieldCount: 32 };

const SIZE_FIRST = 0;
const SIZE = 1;
const EXTENSION = 2;
const EXTENSION_QUOTED = 3;
const EXTENSION_ESCAPED = 4;
const SIZE_LF = 5;
const DATA = 6;
const DATA_CR = 7;
const DATA_LF = 8;
const TRAILER_FIRST = 9;
const TRAILER_LF = 10;
const TRAILER = 11;
const ENDED = 12;

/**
 * Decodes the chunked coding (RFC 9112 section 7.1) in any number of pieces. `next` is called until it says MORE,
 * END or FAILED; after DATA the bytes are `bytes[dataStart, dataEnd)`. `position` is where it stopped.
 */
export class ChunkedDecoder {
  position = 0;
  dataStart = 0;
  dataEnd = 0;
  fault: Fault | null = null;
  /** The trailer section, after END; null where there is none. */
  trailer: HeadParser | null = null;
  #state = SIZE_FIRST;
  #left = 0;
  #digits = 0;
  #extensionBytes = 0;
  #trailerBytes: Buffer | null = null;
  #trailerLength = 0;

  reset(): void {
    this.fault = null;
    this.trailer = null;
    this.#state = SIZE_FIRST;
    this.#left = 0;
    this.#digits = 0;
    this.#extensionBytes = 0;
    this.#trailerBytes = null;
    this.#trailerLength = 0;
  }

  next(bytes: Uint8Array, from: number, end: number): ChunkResult {
    let at = from;
    while (at < end) {
      switch (this.#state) {
        case SIZE_FIRST:
        case SIZE: {
          const byte = bytes[at]!;
          const digit = HEX[byte]!;
          if (digit < 16) {
            this.#digits += 1;
            // Leading zeros count as digits, so a size has one bounded length.
            if (this.#digits > MOST_SIZE_DIGITS) return this.#fail('invalid_chunk_size', at);
            this.#left = this.#left * 16 + digit;
            this.#state = SIZE;
            at += 1;
            break;
          }
          if (this.#state === SIZE_FIRST) return this.#fail('invalid_chunk_size', at);
          if (byte === CR) this.#state = SIZE_LF;
          else if (byte === 59) this.#state = EXTENSION;
          else return this.#fail('invalid_chunk_size', at);
          at += 1;
          break;
        }
        case EXTENSION:
        case EXTENSION_QUOTED:
        case EXTENSION_ESCAPED: {
          const byte = bytes[at]!;
          this.#extensionBytes += 1;
          if (this.#extensionBytes > MOST_EXTENSION_BYTES) return this.#fail('chunk_extension_too_long', at);
          if (this.#state === EXTENSION) {
            if (byte === CR) this.#state = SIZE_LF;
            else if (byte === 34) this.#state = EXTENSION_QUOTED;
            else if (TOKEN[byte] !== 1 && byte !== 59 && byte !== 61)
              return this.#fail('invalid_chunk_extension', at);
          } else if ((byte < 32 && byte !== 9) || byte === 127) {
            return this.#fail('invalid_chunk_extension', at);
          } else if (this.#state === EXTENSION_ESCAPED) this.#state = EXTENSION_QUOTED;
          else if (byte === 92) this.#state = EXTENSION_ESCAPED;
          else if (byte === 34) this.#state = EXTENSION;
          at += 1;
          break;
        }
        case SIZE_LF:
          if (bytes[at] !== LF) return this.#fail('invalid_chunk_size', at);
          at += 1;
          this.#state = this.#left === 0 ? TRAILER_FIRST : DATA;
          break;
        case DATA: {
          const take = Math.min(this.#left, end - at);
          this.dataStart = at;
          at += take;
          this.dataEnd = at;
          this.#left -= take;
          if (this.#left === 0) this.#state = DATA_CR;
          this.position = at;
          return CHUNK_DATA;
        }
        case DATA_CR:
          if (bytes[at] !== CR) return this.#fail('invalid_chunk_end', at);
          at += 1;
          this.#state = DATA_LF;
          break;
        case DATA_LF:
          if (bytes[at] !== LF) return this.#fail('invalid_chunk_end', at);
          at += 1;
          this.#digits = 0;
          this.#state = SIZE_FIRST;
          break;
        case TRAILER_FIRST:
          if (bytes[at] === CR) {
            at += 1;
            this.#state = TRAILER_LF;
          } else this.#state = TRAILER;
          break;
        case TRAILER_LF:
          if (bytes[at] !== LF) return this.#fail('invalid_chunk_end', at);
          this.position = at + 1;
          this.#state = ENDED;
          return CHUNK_END;
        case TRAILER:
          return this.#parseTrailer(bytes, at, end);
        default:
          this.position = at;
          return this.fault === null ? CHUNK_END : CHUNK_FAILED;
      }
    }
    this.position = at;
    return CHUNK_MORE;
  }

  #parseTrailer(bytes: Uint8Array, at: number, end: number): ChunkResult {
    const most = TRAILER_LIMITS.fieldBytes + 4;
    this.trailer ??= new HeadParser('trailer', TRAILER_LIMITS);
    this.#trailerBytes ??= Buffer.allocUnsafe(most);
    const before = this.#trailerLength;
    const take = Math.min(end - at, most - before);
    this.#trailerBytes.set(bytes.subarray(at, at + take), before);
    this.#trailerLength = before + take;
    const result = this.trailer.parse(this.#trailerBytes, 0, this.#trailerLength);
    if (result === HEAD_FAILED) {
      const fault = this.trailer.fault;
      const large = fault === 'fields_too_large' || fault === 'too_many_fields';
      return this.#fail(large ? 'trailer_too_large' : 'invalid_trailer', at);
    }
    if (result === HEAD_MORE) {
      if (this.#trailerLength === most) return this.#fail('trailer_too_large', at);
      this.position = at + take;
      return CHUNK_MORE;
    }
    this.position = at + this.trailer.length - before;
    this.#state = ENDED;
    return CHUNK_END;
  }

  #fail(fault: Fault, at: number): ChunkResult {
    this.fault = fault;
    this.position = at;
    this.#state = ENDED;
    return CHUNK_FAILED;
  }
}
