const NOTHING = Buffer.alloc(0);
const NO_ENTRIES = new Int32Array(0);
const FIRST_BYTES = 1024;
const FIRST_SLOTS = 16;
/** Below this a loop is cheaper than a call into the runtime. */
const SHORT = 48;
/** What an entry counts besides its name and value (RFC 7541 section 4.1). */
export const ENTRY_OVERHEAD = 32;

/** An entry takes so many numbers in `entries`. */
export const ENTRY_STRIDE = 4;
export const ENTRY_START = 0;
export const ENTRY_NAME_LENGTH = 1;
export const ENTRY_VALUE_LENGTH = 2;
/** See field-kind.ts. */
export const ENTRY_KIND = 3;

/**
 * The dynamic table of a decoder (RFC 7541 section 2.3.2). Entries are lines `name: value\r\n` in a ring of bytes,
 * each in one piece:
 *
 *     | newest …      | free      | oldest … |  gap |        gap: the line after `oldest …` did not fit there
 *       ^0              ^tail       ^start of the oldest
 *
 * Memory is taken when the first entry comes, and grows with what is in the table to at most twice its capacity:
 * with so much, a line always finds its place, since the gap is shorter than the line behind it.
 */
export class DynamicTable {
  bytes: Buffer = NOTHING;
  entries = NO_ENTRIES;
  count = 0;
  #size = 0;
  #capacity: number;
  #mask = -1;
  /** Slot of the oldest entry. */
  #oldest = 0;
  #tail = 0;

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  get capacity(): number {
    return this.#capacity;
  }

  /** Where in `entries` the one with this index stands; 0 is the newest. It must be there. */
  slot(index: number): number {
    return ((this.#oldest + this.count - 1 - index) & this.#mask) * ENTRY_STRIDE;
  }

  /** Entries that it then has no room for are evicted (RFC 7541 section 4.3). */
  resize(capacity: number): void {
    this.#capacity = capacity;
    this.#makeRoom(0);
  }

  /** The line at `source[start, …)`. One that is larger than the table empties it (RFC 7541 section 4.4). */
  insert(source: Buffer, start: number, nameLength: number, valueLength: number, kind: number): void {
    const size = nameLength + valueLength + ENTRY_OVERHEAD;
    this.#makeRoom(size);
    if (size > this.#capacity) return;
    const length = nameLength + valueLength + 4;
    let place = this.#place(length);
    if (place < 0) {
      this.#grow(length);
      place = this.#tail;
    }
    const bytes = this.bytes;
    if (length > SHORT) source.copy(bytes, place, start, start + length);
    else for (let at = 0; at < length; at += 1) bytes[place + at] = source[start + at]!;
    this.#tail = place + length;
    if (this.count > this.#mask) this.#moreSlots();
    const slot = ((this.#oldest + this.count) & this.#mask) * ENTRY_STRIDE;
    const entries = this.entries;
    entries[slot] = place;
    entries[slot + ENTRY_NAME_LENGTH] = nameLength;
    entries[slot + ENTRY_VALUE_LENGTH] = valueLength;
    entries[slot + ENTRY_KIND] = kind;
    this.count += 1;
    this.#size += size;
  }

  #makeRoom(size: number): void {
    const entries = this.entries;
    while (this.count > 0 && this.#size + size > this.#capacity) {
      const slot = this.#oldest * ENTRY_STRIDE;
      this.#size -= entries[slot + ENTRY_NAME_LENGTH]! + entries[slot + ENTRY_VALUE_LENGTH]! + ENTRY_OVERHEAD;
      this.#oldest = (this.#oldest + 1) & this.#mask;
      this.count -= 1;
    }
  }

  /** Where a line of `length` bytes finds room, or -1. */
  #place(length: number): number {
    const end = this.bytes.length;
    if (this.count === 0) return length <= end ? 0 : -1;
    const head = this.entries[this.#oldest * ENTRY_STRIDE]!;
    const tail = this.#tail;
    if (tail <= head) return tail + length <= head ? tail : -1;
    if (tail + length <= end) return tail;
    return length <= head ? 0 : -1;
  }

  /** More memory, what is in the table at its beginning, and room for `length` behind it. */
  #grow(length: number): void {
    const wanted = this.#size + length;
    let size = Math.max(FIRST_BYTES, this.bytes.length * 2);
    while (size < wanted) size *= 2;
    const larger = Buffer.allocUnsafeSlow(Math.min(size, 2 * this.#capacity));
    let to = 0;
    for (let index = this.count - 1; index >= 0; index -= 1) {
      const slot = this.slot(index);
      const start = this.entries[slot]!;
      const lineLength =
        this.entries[slot + ENTRY_NAME_LENGTH]! + this.entries[slot + ENTRY_VALUE_LENGTH]! + 4;
      this.bytes.copy(larger, to, start, start + lineLength);
      this.entries[slot] = to;
      to += lineLength;
    }
    this.bytes = larger;
    this.#tail = to;
  }

  #moreSlots(): void {
    const larger = new Int32Array(Math.max(FIRST_SLOTS * ENTRY_STRIDE, this.entries.length * 2));
    for (let place = 0; place < this.count; place += 1) {
      const slot = ((this.#oldest + place) & this.#mask) * ENTRY_STRIDE;
      for (let part = 0; part < ENTRY_STRIDE; part += 1)
        larger[place * ENTRY_STRIDE + part] = this.entries[slot + part]!;
    }
    this.entries = larger;
    this.#oldest = 0;
    this.#mask = larger.length / ENTRY_STRIDE - 1;
  }
}
