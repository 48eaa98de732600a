import type { RequestLimits } from '../../model/http-settings.ts';
import { CR, HEX, HTAB, LF, SP, TOKEN } from './characters.ts';
import type { Fault } from './fault.ts';
import type { HeadSettings } from './head-parser.ts';
import { HEAD_FAILED, HEAD_MORE, HeadParser } from './head-parser.ts';

export const CHUNK_MORE = 0;
export const CHUNK_DATA = 1;
export const CHUNK_END = 2;
export const CHUNK_FAILED = 3;
export type ChunkResult = typeof CHUNK_MORE | typeof CHUNK_DATA | typeof CHUNK_END | typeof CHUNK_FAILED;

/** 2^48 bytes a chunk are more than enough, and exact in a double. */
const MOST_SIZE_DIGITS = 12;
/** In bytes over a whole body, so that no split into chunks gets around them. */
export type ChunkLimits = Pick<RequestLimits, 'trailerBytes' | 'chunkExtensionBytes' | 'headerCount'>;

/** Of backends' answers. */
export const RESPONSE_CHUNKS: ChunkLimits = {
  trailerBytes: 8192,
  /** Extensions mean nothing to us and are an old way to burn a reader's time. */
  chunkExtensionBytes: 4096,
  headerCount: 100,
};

/*
 *   1a ; name = "value" ; name CRLF  data  CRLF  …  0 CRLF  trailer  CRLF
 *     ^BWS, around `;` and `=` alone: RFC 9112 section 7.1.1 has it taken there and nowhere else
 */
const SIZE_FIRST = 0;
const SIZE = 1;
const EXTENSION_NAME_FIRST = 2;
const EXTENSION_NAME = 3;
const EXTENSION_NAME_SPACE = 4;
const EXTENSION_VALUE_FIRST = 5;
const EXTENSION_VALUE = 6;
const EXTENSION_QUOTED = 7;
const EXTENSION_ESCAPED = 8;
const EXTENSION_QUOTE_END = 9;
/** After a size or a value: another extension has to follow. */
const EXTENSION_SPACE = 10;
const SIZE_LF = 11;
const DATA = 12;
const DATA_CR = 13;
const DATA_LF = 14;
const TRAILER_FIRST = 15;
const TRAILER_LF = 16;
const TRAILER = 17;
const ENDED = 18;
const BAD = -1;

const SEMICOLON = 59;
const EQUALS = 61;
const QUOTE = 34;
const BACKSLASH = 92;

/** The state after `byte` of an extension; BAD where the grammar has no such byte there. */
function extensionState(state: number, byte: number): number {
  if (state === EXTENSION_QUOTED || state === EXTENSION_ESCAPED) {
    if ((byte < 32 && byte !== HTAB) || byte === 127) return BAD;
    if (state === EXTENSION_ESCAPED) return EXTENSION_QUOTED;
    return byte === BACKSLASH ? EXTENSION_ESCAPED : byte === QUOTE ? EXTENSION_QUOTE_END : EXTENSION_QUOTED;
  }
  const isSpace = byte === SP || byte === HTAB;
  switch (state) {
    case EXTENSION_NAME_FIRST:
      return isSpace ? state : TOKEN[byte] === 1 ? EXTENSION_NAME : BAD;
    case EXTENSION_VALUE_FIRST:
      if (isSpace) return state;
      return byte === QUOTE ? EXTENSION_QUOTED : TOKEN[byte] === 1 ? EXTENSION_VALUE : BAD;
    case EXTENSION_NAME:
    case EXTENSION_NAME_SPACE:
      if (byte === EQUALS) return EXTENSION_VALUE_FIRST;
      if (isSpace) return EXTENSION_NAME_SPACE;
      break;
    default:
      if (isSpace) return EXTENSION_SPACE;
  }
  if (byte === SEMICOLON) return EXTENSION_NAME_FIRST;
  if (state === EXTENSION_NAME_SPACE || state === EXTENSION_SPACE) return BAD;
  if (byte === CR) return SIZE_LF;
  return TOKEN[byte] === 1 && state !== EXTENSION_QUOTE_END ? state : BAD;
}

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
  #limits: ChunkLimits = RESPONSE_CHUNKS;
  #keepsTrailer = true;
  #trailerParser: HeadParser | null = null;
  #trailerBytes: Buffer | null = null;
  #trailerLength = 0;

  /** `keepsTrailer` false: it is read and left out, as where Connection names fields that must not go on. */
  reset(limits: ChunkLimits, keepsTrailer = true): void {
    this.#limits = limits;
    this.#keepsTrailer = keepsTrailer;
    this.fault = null;
    this.trailer = null;
    this.#state = SIZE_FIRST;
    this.#left = 0;
    this.#digits = 0;
    this.#extensionBytes = 0;
    this.#trailerParser = null;
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
          else if (byte === SEMICOLON) this.#state = EXTENSION_NAME_FIRST;
          else if (byte === SP || byte === HTAB) this.#state = EXTENSION_SPACE;
          else return this.#fail('invalid_chunk_size', at);
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
        case ENDED:
          this.position = at;
          return this.fault === null ? CHUNK_END : CHUNK_FAILED;
        default: {
          this.#extensionBytes += 1;
          if (this.#extensionBytes > this.#limits.chunkExtensionBytes)
            return this.#fail('chunk_extension_too_long', at);
          const state = extensionState(this.#state, bytes[at]!);
          if (state === BAD) return this.#fail('invalid_chunk_extension', at);
          this.#state = state;
          at += 1;
        }
      }
    }
    this.position = at;
    return CHUNK_MORE;
  }

  #parseTrailer(bytes: Uint8Array, at: number, end: number): ChunkResult {
    const { trailerBytes, headerCount } = this.#limits;
    const trailer = this.#trailerParser ?? trailerParser(trailerBytes, headerCount);
    this.#trailerParser = trailer;
    const before = this.#trailerLength;
    // Two bytes for the empty line, and one more that shows that there is too much.
    const take = Math.min(end - at, trailerBytes + 3 - before);
    const length = before + take;
    if (this.#trailerBytes === null || this.#trailerBytes.length < length) {
      const larger = Buffer.allocUnsafe(Math.max(256, length * 2));
      this.#trailerBytes?.copy(larger, 0, 0, before);
      this.#trailerBytes = larger;
    }
    this.#trailerBytes.set(bytes.subarray(at, at + take), before);
    this.#trailerLength = length;
    const result = trailer.parse(this.#trailerBytes, 0, length);
    if (result === HEAD_FAILED) {
      const fault = trailer.fault;
      const large = fault === 'fields_too_large' || fault === 'too_many_fields';
      return this.#fail(large ? 'trailer_too_large' : 'invalid_trailer', at);
    }
    if (result === HEAD_MORE) {
      this.position = at + take;
      return CHUNK_MORE;
    }
    this.position = at + trailer.length - before;
    this.#state = ENDED;
    if (this.#keepsTrailer) this.trailer = trailer;
    return CHUNK_END;
  }

  #fail(fault: Fault, at: number): ChunkResult {
    this.fault = fault;
    this.position = at;
    this.#state = ENDED;
    return CHUNK_FAILED;
  }
}

function trailerParser(headerBytes: number, headerCount: number): HeadParser {
  const settings: HeadSettings = {
    underscores: 'Drop',
    limits: { requestLineBytes: 0, headerBytes, headerCount },
  };
  return new HeadParser('trailer', settings);
}
