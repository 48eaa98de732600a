import type { HeaderBlock } from '../h2/header-block.ts';
import { DynamicTable, ENTRY_KIND, ENTRY_NAME_LENGTH, ENTRY_VALUE_LENGTH } from './dynamic-table.ts';
import { INVALID_VALUE, nameKind, valueFlag } from './field-kind.ts';
import { decodedLimit, decodeHuffman } from './huffman.ts';
import { STATIC, STATIC_COUNT } from './static-table.ts';

/** What a peer may use before it knows our SETTINGS_HEADER_TABLE_SIZE (RFC 9113 section 6.5.2). */
const INITIAL_TABLE_BYTES = 4096;
/** No integer that is of use here has more bytes after its first (RFC 7541 section 5.1). */
const MOST_CONTINUATIONS = 4;
/** Before a block; more than its smallest and its last size tell nothing (RFC 7541 section 4.2). */
const MOST_SIZE_UPDATES = 2;
/** Below this a loop is cheaper than a call into the runtime. */
const SHORT = 48;
const COLON = 58;
const SP = 32;
const CR = 13;
const LF = 10;

/*
 *     1iiiiiii                      indexed field
 *     01iiiiii [name] value         literal, becomes an entry        i = 0: the name follows as a string
 *     0000iiii [name] value         literal
 *     0001iiii [name] value         literal that is never to be one
 *     001sssss                      the table has this size from now on; before the first field only
 */
const INDEXED = 128;
const INCREMENTAL = 64;
const SIZE_UPDATE = 32;
const NEVER_INDEXED = 16;

/**
 * Decoder of header blocks (RFC 7541), one a connection and direction. Every field of a block is worked through, also
 * where the block takes no more, so that the table stays in step with the peer's.
 */
export class HpackDecoder {
  readonly #table = new DynamicTable(INITIAL_TABLE_BYTES);
  readonly #announced: number;
  /** Greatest size that the peer may give the table. */
  #limit: number;
  #mustResize = false;
  /** Behind what one of the methods below has read last. */
  #at = 0;

  /** `maxTableBytes`: our SETTINGS_HEADER_TABLE_SIZE. */
  constructor(maxTableBytes: number) {
    this.#announced = maxTableBytes;
    this.#limit = Math.max(INITIAL_TABLE_BYTES, maxTableBytes);
  }

  /** The peer has acknowledged our settings: it must keep to the size of the table (RFC 7541 section 4.2). */
  settingsAcknowledged(): void {
    this.#limit = this.#announced;
    if (this.#table.capacity > this.#limit) this.#mustResize = true;
  }

  /**
   * Decodes a whole header block, `bytes[start, end)`. False is COMPRESSION_ERROR, or ends a block that has become far
   * too large (`block.isBomb`): the connection is lost.
   */
  decode(bytes: Buffer, start: number, end: number, block: HeaderBlock): boolean {
    const table = this.#table;
    let at = start;
    let mayResize = true;
    let sizeUpdates = 0;
    if (this.#mustResize && (bytes[at]! < SIZE_UPDATE || bytes[at]! >= INCREMENTAL)) return false;
    while (at < end) {
      if (block.isBomb) return false;
      const first = bytes[at]!;
      at += 1;
      if (first >= INDEXED) {
        let index = first & 127;
        if (index === 127) {
          index = this.#integer(bytes, at, end, 127);
          if (index < 0) return false;
          at = this.#at;
        }
        mayResize = false;
        if (index > STATIC_COUNT) {
          index -= STATIC_COUNT + 1;
          if (index >= table.count) return false;
          const slot = table.slot(index);
          const entries = table.entries;
          block.copy(
            table.bytes,
            entries[slot]!,
            entries[slot + ENTRY_NAME_LENGTH]!,
            entries[slot + ENTRY_VALUE_LENGTH]!,
            entries[slot + ENTRY_KIND]!,
          );
        } else {
          if (index === 0) return false;
          block.copy(
            STATIC.bytes,
            STATIC.starts[index]!,
            STATIC.nameLengths[index]!,
            STATIC.valueLengths[index]!,
            STATIC.kinds[index]!,
          );
        }
        continue;
      }
      if (first < INCREMENTAL && first >= SIZE_UPDATE) {
        let size = first & 31;
        if (size === 31) {
          size = this.#integer(bytes, at, end, 31);
          at = this.#at;
        }
        sizeUpdates += 1;
        if (!mayResize || size < 0 || size > this.#limit || sizeUpdates > MOST_SIZE_UPDATES) return false;
        table.resize(size);
        this.#mustResize = false;
        continue;
      }
      mayResize = false;
      at = this.#literal(bytes, at - 1, end, first, block);
      if (at < 0) return false;
    }
    return true;
  }

  /** Returns its end, or -1. */
  #literal(bytes: Buffer, start: number, end: number, first: number, block: HeaderBlock): number {
    const isEntry = first >= INCREMENTAL;
    const prefix = isEntry ? 63 : 15;
    let at = start + 1;
    let index = first & prefix;
    if (index === prefix) {
      index = this.#integer(bytes, at, end, prefix);
      if (index < 0) return -1;
      at = this.#at;
    }
    const line = block.end;
    let nameLength = 0;
    let kind = 0;
    if (index === 0) {
      nameLength = this.#string(bytes, at, end, block, 0);
      if (nameLength < 0) return -1;
      at = this.#at;
      kind = nameKind(block.bytes, line, line + nameLength);
    } else if (index <= STATIC_COUNT) {
      nameLength = STATIC.nameLengths[index]!;
      kind = STATIC.kinds[index]!;
      block.keep(0, nameLength);
      const from = STATIC.starts[index]!;
      for (let place = 0; place < nameLength; place += 1)
        block.bytes[line + place] = STATIC.bytes[from + place]!;
    } else {
      index -= STATIC_COUNT + 1;
      const table = this.#table;
      if (index >= table.count) return -1;
      const slot = table.slot(index);
      nameLength = table.entries[slot + ENTRY_NAME_LENGTH]!;
      kind = table.entries[slot + ENTRY_KIND]! & ~INVALID_VALUE;
      block.keep(0, nameLength);
      const from = table.entries[slot]!;
      table.bytes.copy(block.bytes, line, from, from + nameLength);
    }
    const valueLength = this.#string(bytes, at, end, block, nameLength + 2);
    if (valueLength < 0) return -1;
    const value = line + nameLength + 2;
    const target = block.bytes;
    target[value - 2] = COLON;
    target[value - 1] = SP;
    target[value + valueLength] = CR;
    target[value + valueLength + 1] = LF;
    kind |= valueFlag(target, value, value + valueLength);
    if (isEntry) this.#table.insert(target, line, nameLength, valueLength, kind);
    block.add(kind, nameLength, valueLength, first >= NEVER_INDEXED && !isEntry);
    return this.#at;
  }

  /**
   * A string (RFC 7541 section 5.2), decoded to `used` bytes behind the end of the block, with room for a line end.
   * Returns its length, or -1.
   */
  #string(bytes: Buffer, start: number, end: number, block: HeaderBlock, used: number): number {
    if (start >= end) return -1;
    const first = bytes[start]!;
    let at = start + 1;
    let length = first & 127;
    if (length === 127) {
      length = this.#integer(bytes, at, end, 127);
      if (length < 0) return -1;
      at = this.#at;
    }
    if (length > end - at) return -1;
    this.#at = at + length;
    const to = block.end + used;
    if (first >= 128) {
      block.keep(used, decodedLimit(length) + 2);
      const stop = decodeHuffman(bytes, at, at + length, block.bytes, to);
      return stop < 0 ? -1 : stop - to;
    }
    block.keep(used, length + 2);
    const target = block.bytes;
    if (length > SHORT) bytes.copy(target, to, at, at + length);
    else for (let place = 0; place < length; place += 1) target[to + place] = bytes[at + place]!;
    return length;
  }

  /** The rest of an integer whose first byte was full: `least` and what follows from `start` on; -1: malformed. */
  #integer(bytes: Buffer, start: number, end: number, least: number): number {
    let value = least;
    let factor = 1;
    for (let at = start; at < end && at - start < MOST_CONTINUATIONS; at += 1) {
      const byte = bytes[at]!;
      value += (byte & 127) * factor;
      if (byte < 128) {
        this.#at = at + 1;
        return value;
      }
      factor *= 128;
    }
    return -1;
  }
}
