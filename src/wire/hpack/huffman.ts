/**
 * RFC 7541 appendix B: bits of the code of each byte, and of EOS at last. The code is canonical: by length, then by
 * byte, each code is the one before it plus one.
 */
export const CODE_LENGTHS = Uint8Array.of(
  13,
  23,
  28,
  28,
  28,
  28,
  28,
  28,
  28,
  24,
  30,
  28,
  28,
  30,
  28,
  28,
  28,
  28,
  28,
  28,
  28,
  28,
  30,
  28,
  28,
  28,
  28,
  28,
  28,
  28,
  28,
  28,
  6,
  10,
  10,
  12,
  13,
  6,
  8,
  11,
  10,
  10,
  8,
  11,
  8,
  6,
  6,
  6,
  5,
  5,
  5,
  6,
  6,
  6,
  6,
  6,
  6,
  6,
  7,
  8,
  15,
  6,
  12,
  10,
  13,
  6,
  7,
  7,
  7,
  7,
  7,
  7,
  7,
  7,
  7,
  7,
  7,
  7,
  7,
  7,
  7,
  7,
  7,
  7,
  7,
  7,
  7,
  7,
  8,
  7,
  8,
  13,
  19,
  13,
  14,
  6,
  15,
  5,
  6,
  5,
  6,
  5,
  6,
  6,
  6,
  5,
  7,
  7,
  6,
  6,
  6,
  5,
  6,
  7,
  6,
  5,
  5,
  6,
  7,
  7,
  7,
  7,
  7,
  15,
  11,
  14,
  13,
  28,
  20,
  22,
  20,
  20,
  22,
  22,
  22,
  23,
  22,
  23,
  23,
  23,
  23,
  23,
  24,
  23,
  24,
  24,
  22,
  23,
  24,
  23,
  23,
  23,
  23,
  21,
  22,
  23,
  22,
  23,
  23,
  24,
  22,
  21,
  20,
  22,
  22,
  23,
  23,
  21,
  23,
  22,
  22,
  24,
  21,
  22,
  23,
  23,
  21,
  21,
  22,
  21,
  23,
  22,
  23,
  23,
  20,
  22,
  22,
  22,
  23,
  22,
  22,
  23,
  26,
  26,
  20,
  19,
  22,
  23,
  22,
  25,
  26,
  26,
  26,
  27,
  27,
  26,
  24,
  25,
  19,
  21,
  26,
  27,
  27,
  26,
  27,
  24,
  21,
  21,
  26,
  26,
  28,
  27,
  27,
  27,
  20,
  24,
  20,
  21,
  22,
  21,
  21,
  23,
  22,
  22,
  25,
  25,
  24,
  24,
  26,
  23,
  26,
  27,
  26,
  26,
  27,
  27,
  27,
  27,
  27,
  28,
  27,
  27,
  27,
  27,
  27,
  26,
  30,
);

const EOS = 256;
const LONGEST = 30;
const ROOT_BITS = 8;

/** Codes of a length begin with `FIRST_CODE`, and its bytes stand from `FIRST_PLACE` on in `BY_CODE`. */
const FIRST_CODE = new Uint32Array(LONGEST + 2);
const FIRST_PLACE = new Uint16Array(LONGEST + 2);
const BY_CODE = new Uint16Array(CODE_LENGTHS.length);
/** By the next 8 bits: byte and length of the code they begin with, as `byte << 4 | length`; 0: it is longer. */
const ROOT = new Uint16Array(1 << ROOT_BITS);

{
  let place = 0;
  let code = 0;
  for (let length = 1; length <= LONGEST; length += 1) {
    code *= 2;
    FIRST_CODE[length] = code;
    FIRST_PLACE[length] = place;
    for (let byte = 0; byte < CODE_LENGTHS.length; byte += 1) {
      if (CODE_LENGTHS[byte] !== length) continue;
      if (length <= ROOT_BITS) {
        const free = ROOT_BITS - length;
        ROOT.fill((byte << 4) | length, code << free, (code + 1) << free);
      }
      BY_CODE[place] = byte;
      place += 1;
      code += 1;
    }
  }
  FIRST_PLACE[LONGEST + 1] = place;
}

/** Most bytes that `length` bytes of Huffman code can stand for: no code is shorter than 5 bits. */
export function decodedLimit(length: number): number {
  return Math.floor((length * 8) / 5);
}

/**
 * Decodes `bytes[start, end)` to `target` from `to` on, which has room for `decodedLimit`. Returns the end of what was
 * written, or -1: EOS, padding of more than 7 bits or of others than ones (RFC 7541 section 5.2).
 */
export function decodeHuffman(
  bytes: Uint8Array,
  start: number,
  end: number,
  target: Uint8Array,
  to: number,
): number {
  let at = start;
  let out = to;
  /** The last `count` bits of it are the next ones. */
  let bits = 0;
  let count = 0;
  for (;;) {
    while (count <= 24 && at < end) {
      bits = (bits << 8) | bytes[at]!;
      at += 1;
      count += 8;
    }
    if (count < ROOT_BITS) break;
    do {
      const entry = ROOT[(bits >>> (count - ROOT_BITS)) & 255]!;
      if (entry === 0) {
        const found = longCode(bytes, start, end, (at - start) * 8 - count);
        if (found < 0) return -1;
        target[out] = found & 255;
        out += 1;
        // The code may reach beyond the bits at hand: go on from the byte where it ends.
        const position = (at - start) * 8 - count + (found >>> 8);
        at = start + ((position + 7) >>> 3);
        count = (8 - (position & 7)) & 7;
        bits = count === 0 ? 0 : bytes[at - 1]!;
        break;
      }
      target[out] = entry >>> 4;
      out += 1;
      count -= entry & 15;
    } while (count >= ROOT_BITS);
  }
  // Less than a byte is left: a code of 5 to 7 bits or two make no difference, what remains is ones.
  while (count > 0) {
    const next = ((bits << (ROOT_BITS - count)) | (255 >>> count)) & 255;
    const entry = ROOT[next]!;
    const length = entry & 15;
    if (entry === 0 || length > count) return next === 255 ? out : -1;
    target[out] = entry >>> 4;
    out += 1;
    count -= length;
  }
  return out;
}

/** The code of more than 8 bits that begins at bit `position`, as `length << 8 | byte`; -1: EOS or none. */
function longCode(bytes: Uint8Array, start: number, end: number, position: number): number {
  let code = 0;
  let at = position;
  const most = (end - start) * 8;
  for (let length = 1; length <= LONGEST && at < most; length += 1) {
    code = code * 2 + ((bytes[start + (at >>> 3)]! >>> (7 - (at & 7))) & 1);
    at += 1;
    const place = code - FIRST_CODE[length]!;
    if (place < 0) continue;
    const index = FIRST_PLACE[length]! + place;
    if (index >= FIRST_PLACE[length + 1]!) continue;
    const byte = BY_CODE[index]!;
    return byte === EOS ? -1 : (length << 8) | byte;
  }
  return -1;
}
