import type { Http2Stream } from '../../wire/h2/stream.ts';
import type { HpackEncoder } from '../../wire/hpack/encoder.ts';
import {
  CHUNK_DATA,
  CHUNK_END,
  CHUNK_FAILED,
  ChunkedDecoder,
  RESPONSE_CHUNKS,
} from '../../wire/http1/chunked-decoder.ts';
import type { MessageHead } from '../../wire/message/message-head.ts';
import { sendTrailer, sendTrailerLines, trailerLines } from '../http2/answer-head.ts';

const NOTHING = Buffer.alloc(0);
/** Trailers that this proxy wrote itself. */
const OURS = { ...RESPONSE_CHUNKS, trailerBytes: Number.MAX_SAFE_INTEGER, headerCount: 1000 };
const chunks = new ChunkedDecoder();

/**
 * A request's body on its way into an HTTP/2 stream. What its windows do not take is copied and kept; since whoever
 * sends stops then, that is what one read brought.
 */
export class RequestBody {
  readonly #stream: Http2Stream;
  readonly #encoder: HpackEncoder;
  /** Bytes that the content-length of the request still announces, or -1: whoever sends says where it ends. */
  #announced: number;
  #kept: Buffer[] = [];
  #keptFrom = 0;
  #isEnding = false;
  #isEnded = false;
  /** Lines of fields. */
  #trailer: Buffer | null = null;

  constructor(stream: Http2Stream, encoder: HpackEncoder, announced: number) {
    this.#stream = stream;
    this.#encoder = encoder;
    this.#announced = announced;
  }

  /** All that it has been given is with the stream. */
  get isThrough(): boolean {
    return this.#kept.length === 0;
  }

  get isEnded(): boolean {
    return this.#isEnded;
  }

  /** False: it is kept, in part or whole. The bytes may go all the same. `isLast`: nothing follows. */
  put(bytes: Buffer, start: number, end: number, isLast: boolean): boolean {
    if (this.#isEnded || this.#isEnding) return true;
    if (this.#announced !== -1) this.#announced -= end - start;
    const ends = isLast || this.#announced === 0;
    if (this.#kept.length > 0) {
      this.#keep(bytes, start, end, ends);
      return false;
    }
    const taken = this.#stream.sendData(bytes, start, end, ends);
    if (taken === end - start) {
      this.#isEnded = ends;
      return true;
    }
    this.#keep(bytes, start + taken, end, ends);
    return false;
  }

  /** In chunks, as this proxy has written them: as many as are whole. */
  putChunks(bytes: Buffer, start: number, end: number): void {
    chunks.reset(OURS);
    let at = start;
    let from = -1;
    let to = -1;
    while (at < end) {
      const result = chunks.next(bytes, at, end);
      at = chunks.position;
      if (result === CHUNK_DATA) {
        if (from !== -1) this.put(bytes, from, to, false);
        from = chunks.dataStart;
        to = chunks.dataEnd;
      } else if (result === CHUNK_END) {
        const { trailer } = chunks;
        if (from !== -1) this.put(bytes, from, to, trailer === null);
        this.end(trailer);
        return;
      } else if (result === CHUNK_FAILED) throw new Error(`a body of ours is not in chunks: ${chunks.fault}`);
      else break;
    }
    if (from !== -1) this.put(bytes, from, to, false);
  }

  /** It is complete. */
  end(trailer: MessageHead | null): void {
    if (this.#isEnded || this.#isEnding) return;
    this.#isEnding = true;
    if (this.#kept.length > 0) {
      if (trailer !== null) this.#trailer = trailerLines(trailer);
      return;
    }
    this.#isEnded = true;
    if (trailer === null) this.#stream.sendData(NOTHING, 0, 0, true);
    else sendTrailer(this.#stream, this.#encoder, trailer);
  }

  /** The stream takes bytes again. True: all of what was kept has gone. */
  pump(): boolean {
    const kept = this.#kept;
    while (kept.length > 0) {
      const piece = kept[0]!;
      const isLast = this.#isEnding && this.#trailer === null && kept.length === 1;
      const from = this.#keptFrom;
      const taken = this.#stream.sendData(piece, from, piece.length, isLast);
      if (taken < piece.length - from) {
        this.#keptFrom = from + taken;
        return false;
      }
      this.#keptFrom = 0;
      kept.shift();
      if (isLast) this.#isEnded = true;
    }
    if (this.#isEnding && !this.#isEnded) this.#finish();
    return true;
  }

  drop(): void {
    this.#kept = [];
    this.#isEnded = true;
  }

  #keep(bytes: Buffer, start: number, end: number, ends: boolean): void {
    if (start < end) this.#kept.push(Buffer.from(bytes.subarray(start, end)));
    if (ends) this.#isEnding = true;
  }

  /** After what was kept. */
  #finish(): void {
    this.#isEnded = true;
    const trailer = this.#trailer;
    this.#trailer = null;
    if (trailer === null) this.#stream.sendData(NOTHING, 0, 0, true);
    else sendTrailerLines(this.#stream, this.#encoder, trailer);
  }
}
