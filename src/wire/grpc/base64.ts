/*
 * Base64 (RFC 4648 section 4) as a stream, as gRPC-Web's text has it: pieces that are padded by themselves may follow
 * each other.
 */
const PAD = 61;
const VALUE = new Uint8Array(256).fill(255);
const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
for (let value = 0; value < 64; value += 1) VALUE[ALPHABET.charCodeAt(value)] = value;

export class Base64Decoder {
  #bits = 0;
  /** Characters of the group of four at hand, padding included. */
  #count = 0;
  #padding = 0;

  /** What the groups that `bytes[start, end)` complete stand for, in memory of its own; null: that is no base64. */
  decode(bytes: Uint8Array, start: number, end: number): Buffer | null {
    const decoded = Buffer.allocUnsafe(Math.ceil(((this.#count + end - start) * 3) / 4));
    let length = 0;
    for (let at = start; at < end; at += 1) {
      const byte = bytes[at]!;
      const value = VALUE[byte]!;
      if (byte === PAD && this.#count >= 2) {
        this.#padding += 1;
        this.#bits <<= 6;
      } else if (value === 255 || this.#padding > 0) return null;
      else this.#bits = (this.#bits << 6) | value;
      this.#count += 1;
      if (this.#count < 4) continue;
      const bits = this.#bits;
      decoded[length] = bits >> 16;
      if (this.#padding < 2) decoded[length + 1] = (bits >> 8) & 255;
      if (this.#padding < 1) decoded[length + 2] = bits & 255;
      length += 3 - this.#padding;
      this.#bits = 0;
      this.#count = 0;
      this.#padding = 0;
    }
    return decoded.subarray(0, length);
  }

  /** False within a group of four: something is missing. */
  get isWhole(): boolean {
    return this.#count === 0;
  }
}

export class Base64Encoder {
  /** Up to two bytes that wait for a third. */
  #kept: Buffer = Buffer.alloc(0);

  /** `last`: what has come up to now has to be readable now. */
  encode(bytes: Uint8Array, start: number, end: number, last: boolean): Buffer {
    const piece = Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start);
    const all = this.#kept.length === 0 ? piece : Buffer.concat([this.#kept, piece]);
    const whole = last ? all.length : all.length - (all.length % 3);
    this.#kept = whole === all.length ? Buffer.alloc(0) : Buffer.from(all.subarray(whole));
    return Buffer.from(all.toString('base64', 0, whole), 'latin1');
  }
}
