const PRIME_1 = 0x9e3779b1;
const PRIME_2 = 0x85ebca77;
const PRIME_3 = 0xc2b2ae3d;
const PRIME_4 = 0x27d4eb2f;
const PRIME_5 = 0x165667b1;

/**
 * XXH32 of `bytes[start, end)`, from 0 to 2^32 - 1 (Collet, xxHash specification 0.1.1, section "XXH32"). 32 bits are
 * enough to spread keys, and are what JavaScript multiplies in one instruction.
 */
export function xxhash32(bytes: Uint8Array, start: number, end: number, seed: number): number {
  let at = start;
  let hash: number;
  if (end - start >= 16) {
    let a = (seed + PRIME_1 + PRIME_2) | 0;
    let b = (seed + PRIME_2) | 0;
    let c = seed | 0;
    let d = (seed - PRIME_1) | 0;
    for (const last = end - 16; at <= last; at += 16) {
      a = round(a, word(bytes, at));
      b = round(b, word(bytes, at + 4));
      c = round(c, word(bytes, at + 8));
      d = round(d, word(bytes, at + 12));
    }
    hash = rotate(a, 1) + rotate(b, 7) + rotate(c, 12) + rotate(d, 18);
  } else hash = seed + PRIME_5;
  hash = (hash + (end - start)) | 0;
  for (; at + 4 <= end; at += 4)
    hash = Math.imul(rotate((hash + Math.imul(word(bytes, at), PRIME_3)) | 0, 17), PRIME_4);
  for (; at < end; at += 1)
    hash = Math.imul(rotate((hash + Math.imul(bytes[at]!, PRIME_5)) | 0, 11), PRIME_1);
  hash = Math.imul(hash ^ (hash >>> 15), PRIME_2);
  hash = Math.imul(hash ^ (hash >>> 13), PRIME_3);
  return (hash ^ (hash >>> 16)) >>> 0;
}

let scratch = Buffer.allocUnsafeSlow(1024);
/** Below this a loop is cheaper than a call into the runtime. */
const SHORT = 20;

/** XXH32 of a text of Latin-1 characters, which is what paths, field values, addresses and ids are here. */
export function hashText(text: string, seed = 0): number {
  const { length } = text;
  if (length > scratch.length) scratch = Buffer.allocUnsafeSlow(2 * length);
  if (length <= SHORT) for (let at = 0; at < length; at += 1) scratch[at] = text.charCodeAt(at);
  else scratch.write(text, 0, 'latin1');
  return xxhash32(scratch, 0, length, seed);
}

function round(lane: number, input: number): number {
  return Math.imul(rotate((lane + Math.imul(input, PRIME_2)) | 0, 13), PRIME_1);
}

function rotate(value: number, by: number): number {
  return (value << by) | (value >>> (32 - by));
}

function word(bytes: Uint8Array, at: number): number {
  return bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24);
}
