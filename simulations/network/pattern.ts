import { Prng } from '../prng.ts';

const LENGTH = 65_536;
const STEP = 7_919;

const BLOCK = Buffer.alloc(LENGTH);
const prng = new Prng('pattern');
for (let at = 0; at < LENGTH; at += 4) BLOCK.writeUInt32LE(prng.bits(), at);

/** Bytes that no two messages have in common: `length` of those of message `id`, from `offset`. */
export function pattern(id: number, offset: number, length: number): Buffer {
  const bytes = Buffer.allocUnsafe(length);
  for (let done = 0; done < length; ) {
    const from = (id * STEP + offset + done) % LENGTH;
    done += BLOCK.copy(bytes, done, from, Math.min(LENGTH, from + length - done));
  }
  return bytes;
}

/** Position of the first byte that is not the pattern's; -1: all are. */
export function mismatch(id: number, offset: number, bytes: Buffer): number {
  for (let done = 0; done < bytes.length; ) {
    const from = (id * STEP + offset + done) % LENGTH;
    const length = Math.min(bytes.length - done, LENGTH - from);
    if (BLOCK.compare(bytes, done, done + length, from, from + length) !== 0)
      for (let at = 0; at < length; at += 1) if (BLOCK[from + at] !== bytes[done + at]) return done + at;
    done += length;
  }
  return -1;
}
