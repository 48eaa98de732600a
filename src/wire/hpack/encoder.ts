import { COLON, LF, LOWER } from '../http1/characters.ts';
import type { MessageWriter } from '../http1/writer.ts';
import { FIELD_STRIDE, type MessageHead, NAME_END, VALUE_END, VALUE_START } from '../message/message-head.ts';
import { staticName } from './static-names.ts';

/** Below this a loop is cheaper than a call into the runtime. */
const SHORT = 48;
const INDEXED = 128;
const NEVER_INDEXED = 16;
/** `001` and a size of 0: there is no dynamic table. */
const NO_TABLE = 32;

const AUTHORITY = 1;
const METHOD = 2;
const METHOD_POST = 3;
const PATH = 4;
const SCHEME_HTTP = 6;
const SCHEME_HTTPS = 7;
const STATUS = 8;
const CONTENT_LENGTH = 28;
/** The statuses that have an entry, by index (RFC 7541 appendix A). */
const STATUS_INDEX = new Uint8Array(600);
for (const [place, status] of [200, 204, 206, 304, 400, 404, 500].entries())
  STATUS_INDEX[status] = STATUS + place;

/** Fields that whoever guesses at compressed sizes must not learn of (RFC 7541 section 7.1.3), by static index. */
const SENSITIVE = new Uint8Array(62);
for (const name of ['authorization', 'cookie', 'proxy-authorization', 'set-cookie'])
  SENSITIVE[staticName(Buffer.from(name), 0, name.length)] = 1;

/** More than everything that a field of HPACK takes besides its name and value. */
export const FIELD_EXTRA_BYTES = 12;

/**
 * Encoder of header blocks (RFC 7541), one a connection and direction. It writes what is in the static table as an
 * index and everything else as it is: without dynamic table and Huffman code. A peer's SETTINGS_HEADER_TABLE_SIZE
 * therefore needs no attention: the first block says that nothing of it will be used.
 *
 * Measured with an answer of 10 fields: Huffman code of its values takes 115 bytes instead of 151 and 0.4 µs more than
 * to copy them, as much again as the whole head takes without (bench/hpack.ts).
 *
 * Callers see to it that the writer has room: names and values, and FIELD_EXTRA_BYTES for each field.
 */
export class HpackEncoder {
  #hasBegun = false;

  /** Before the first field of each block. */
  begin(writer: MessageWriter): void {
    if (this.#hasBegun) return;
    this.#hasBegun = true;
    writer.block[writer.length] = NO_TABLE;
    writer.length += 1;
  }

  status(writer: MessageWriter, status: number): void {
    const { block } = writer;
    const index = STATUS_INDEX[status]!;
    if (index !== 0) {
      block[writer.length] = INDEXED | index;
      writer.length += 1;
      return;
    }
    const at = writer.length;
    const tens = Math.floor(status / 10);
    const hundreds = Math.floor(status / 100);
    block[at] = STATUS;
    block[at + 1] = 3;
    block[at + 2] = 48 + hundreds;
    block[at + 3] = 48 + tens - hundreds * 10;
    block[at + 4] = 48 + status - tens * 10;
    writer.length = at + 5;
  }

  /** The method in `bytes[start, end)`. */
  method(writer: MessageWriter, bytes: Buffer, start: number, end: number): void {
    const length = end - start;
    if (length === 3 && bytes[start] === 71 && bytes[start + 1] === 69 && bytes[start + 2] === 84)
      this.#index(writer, METHOD);
    else if (
      length === 4 &&
      bytes[start] === 80 &&
      bytes[start + 1] === 79 &&
      bytes[start + 2] === 83 &&
      bytes[start + 3] === 84
    )
      this.#index(writer, METHOD_POST);
    else this.#literal(writer, METHOD, bytes, start, end);
  }

  scheme(writer: MessageWriter, isHttps: boolean): void {
    this.#index(writer, isHttps ? SCHEME_HTTPS : SCHEME_HTTP);
  }

  authority(writer: MessageWriter, authority: string): void {
    writer.block[writer.length] = AUTHORITY;
    writer.length += 1;
    text(writer, authority);
  }

  /** Path and query as they lie in `bytes[start, end)`. */
  path(writer: MessageWriter, bytes: Buffer, start: number, end: number): void {
    if (end - start === 1 && bytes[start] === 47) this.#index(writer, PATH);
    else this.#literal(writer, PATH, bytes, start, end);
  }

  /** `query` with its `?`, or empty. */
  pathText(writer: MessageWriter, path: string, query: string): void {
    if (path === '/' && query === '') {
      this.#index(writer, PATH);
      return;
    }
    writer.block[writer.length] = PATH;
    writer.length = lengthAt(writer.block, writer.length + 1, path.length + query.length);
    writer.latin1(path);
    writer.latin1(query);
  }

  contentLength(writer: MessageWriter, length: number): void {
    const at = writer.length;
    const { block } = writer;
    block[at] = 15;
    block[at + 1] = CONTENT_LENGTH - 15;
    writer.length = at + 3;
    writer.decimal(length);
    block[at + 2] = writer.length - at - 3;
  }

  /** A field; `name` is in lower case, both are Latin-1. */
  field(writer: MessageWriter, name: string, value: string): void {
    // The name is looked at where it is going to be: an index then takes its place.
    const at = writer.length;
    const { block } = writer;
    block[at] = 0;
    writer.length = lengthAt(block, at + 1, name.length);
    const start = writer.length;
    writer.latin1(name);
    const index = staticName(block, start, writer.length);
    if (index !== 0) writer.length = literalIndex(block, at, index, SENSITIVE[index]!);
    text(writer, value);
  }

  /** Lines `Name: value\r\n` as they are in a head of HTTP/1, `bytes[start, end)`. */
  lines(writer: MessageWriter, bytes: Buffer, start: number, end: number): void {
    for (let at = start; at < end; ) {
      const nameEnd = bytes.indexOf(COLON, at);
      const lineEnd = bytes.indexOf(LF, nameEnd);
      writer.length = encodeField(
        writer.block,
        writer.length,
        bytes,
        at,
        nameEnd,
        nameEnd + 2,
        lineEnd - 1,
        0,
      );
      at = lineEnd + 1;
    }
  }

  /** Fields of `head` whose id is not in `dropped`, as MessageWriter.fields, with names in lower case. */
  fields(
    writer: MessageWriter,
    head: MessageHead,
    dropped: Uint8Array,
    isDropped: ((name: string) => boolean) | null,
  ): void {
    const { bytes, base, fields, ids, neverIndexed } = head;
    const count = head.fieldCount;
    const { block } = writer;
    let to = writer.length;
    for (let field = 0; field < count; field += 1) {
      if (dropped[ids[field]!] === 1) continue;
      if (isDropped?.(head.name(field).toLowerCase())) continue;
      const index = field * FIELD_STRIDE;
      to = encodeField(
        block,
        to,
        bytes,
        base + fields[index]!,
        base + fields[index + NAME_END]!,
        base + fields[index + VALUE_START]!,
        base + fields[index + VALUE_END]!,
        neverIndexed === null ? 0 : neverIndexed[field]!,
      );
    }
    writer.length = to;
  }

  #index(writer: MessageWriter, index: number): void {
    writer.block[writer.length] = INDEXED | index;
    writer.length += 1;
  }

  /** A value with the name of a static entry below 15. */
  #literal(writer: MessageWriter, name: number, bytes: Buffer, start: number, end: number): void {
    const { block } = writer;
    block[writer.length] = name;
    writer.length = copied(block, lengthAt(block, writer.length + 1, end - start), bytes, start, end);
  }
}

/** Returns the end of what was written at `to`. `never`: 1 where the field must not be indexed. */
function encodeField(
  block: Buffer,
  to: number,
  bytes: Buffer,
  nameStart: number,
  nameEnd: number,
  valueStart: number,
  valueEnd: number,
  never: number,
): number {
  const index = staticName(bytes, nameStart, nameEnd);
  let at = to;
  if (index !== 0) at = literalIndex(block, at, index, never | SENSITIVE[index]!);
  else {
    block[at] = never === 1 ? NEVER_INDEXED : 0;
    at = lengthAt(block, at + 1, nameEnd - nameStart);
    for (let from = nameStart; from < nameEnd; from += 1) block[at++] = LOWER[bytes[from]!]!;
  }
  const length = valueEnd - valueStart;
  return copied(block, lengthAt(block, at, length), bytes, valueStart, valueEnd);
}

/** First bytes of a literal with the name of a static entry. */
function literalIndex(block: Buffer, at: number, index: number, never: number): number {
  const pattern = never === 1 ? NEVER_INDEXED : 0;
  if (index < 15) {
    block[at] = pattern | index;
    return at + 1;
  }
  block[at] = pattern | 15;
  block[at + 1] = index - 15;
  return at + 2;
}

/** Length of a string that is not Huffman-coded (RFC 7541 sections 5.1 and 5.2). */
function lengthAt(block: Buffer, at: number, length: number): number {
  if (length < 127) {
    block[at] = length;
    return at + 1;
  }
  block[at] = 127;
  let to = at + 1;
  let rest = length - 127;
  for (; rest >= 128; rest >>>= 7) block[to++] = 128 | (rest & 127);
  block[to] = rest;
  return to + 1;
}

function copied(block: Buffer, at: number, bytes: Buffer, start: number, end: number): number {
  if (end - start > SHORT) {
    bytes.copy(block, at, start, end);
    return at + end - start;
  }
  let to = at;
  for (let from = start; from < end; from += 1) block[to++] = bytes[from]!;
  return to;
}

function text(writer: MessageWriter, value: string): void {
  writer.length = lengthAt(writer.block, writer.length, value.length);
  writer.latin1(value);
}
