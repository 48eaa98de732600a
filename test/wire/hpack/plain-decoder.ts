import { STATIC, STATIC_COUNT } from '../../../src/wire/hpack/static-table.ts';
import { plain } from './huffman-code.ts';

/** RFC 7541 as it reads, with arrays of text: what the fast decoder is compared with. */
export class PlainDecoder {
  #limit: number;
  #size = 4096;
  #table: { name: string; value: string }[] = [];
  #bytes: Buffer = Buffer.alloc(0);
  #at = 0;
  #sizes = 0;

  constructor(limit: number) {
    this.#limit = Math.max(limit, 4096);
  }

  /** The list as `name: value`, or null where the block is none. */
  decode(bytes: Buffer): string[] | null {
    this.#bytes = bytes;
    this.#at = 0;
    this.#sizes = 0;
    const list: string[] = [];
    try {
      while (this.#at < bytes.length) this.#field(list);
      return list;
    } catch (error) {
      if (error instanceof RangeError) return null;
      throw error;
    }
  }

  #field(list: string[]): void {
    const first = this.#byte();
    if (first & 0x80) {
      const { name, value } = this.#entry(this.#integer(first, 7));
      list.push(`${name}: ${value}`);
    } else if ((first & 0xe0) === 0x20) {
      const size = this.#integer(first, 5);
      this.#sizes += 1;
      if (list.length > 0 || size > this.#limit || this.#sizes > 2) throw new RangeError('size');
      this.#size = size;
      this.#evict(0);
    } else {
      const isEntry = (first & 0xc0) === 0x40;
      const index = this.#integer(first, isEntry ? 6 : 4);
      const name = index === 0 ? this.#string() : this.#entry(index).name;
      const value = this.#string();
      list.push(`${name}: ${value}`);
      if (!isEntry) return;
      const size = name.length + value.length + 32;
      this.#evict(size);
      if (size <= this.#size) this.#table.unshift({ name, value });
    }
  }

  #evict(more: number): void {
    const used = () => this.#table.reduce((sum, { name, value }) => sum + name.length + value.length + 32, 0);
    while (this.#table.length > 0 && used() + more > this.#size) this.#table.pop();
  }

  #entry(index: number): { name: string; value: string } {
    if (index > 0 && index <= STATIC_COUNT) {
      const start = STATIC.starts[index]!;
      const end = start + STATIC.nameLengths[index]!;
      return {
        name: STATIC.bytes.toString('latin1', start, end),
        value: STATIC.bytes.toString('latin1', end + 2, end + 2 + STATIC.valueLengths[index]!),
      };
    }
    const entry = this.#table[index - STATIC_COUNT - 1];
    if (entry === undefined) throw new RangeError('index');
    return entry;
  }

  #string(): string {
    const first = this.#byte();
    const length = this.#integer(first, 7);
    const end = this.#at + length;
    if (end > this.#bytes.length) throw new RangeError('string');
    const bytes = this.#bytes.subarray(this.#at, end);
    this.#at = end;
    const decoded = first & 0x80 ? plain(bytes) : bytes;
    if (decoded === null) throw new RangeError('huffman');
    return decoded.toString('latin1');
  }

  #integer(first: number, bits: number): number {
    const most = 2 ** bits - 1;
    let value = first & most;
    if (value < most) return value;
    for (let place = 0; place < 4; place += 1) {
      const byte = this.#byte();
      value += (byte & 127) * 128 ** place;
      if (byte < 128) return value;
    }
    throw new RangeError('integer');
  }

  #byte(): number {
    if (this.#at >= this.#bytes.length) throw new RangeError('end');
    return this.#bytes[this.#at++]!;
  }
}
