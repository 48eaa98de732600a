/** Castagnoli's polynomial, reflected. */
const POLYNOMIAL = 0x82f63b78;
const TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let value = byte;
  for (let bit = 0; bit < 8; bit += 1) value = (value & 1) === 1 ? (value >>> 1) ^ POLYNOMIAL : value >>> 1;
  return value;
});

/** CRC32c of `bytes[start, end)` as if `bytes[zeroStart, zeroStart + 4)` were zero (RFC 4960 appendix B). */
export function crc32c(bytes: Uint8Array, start: number, end: number, zeroStart: number): number {
  let crc = 0xffffffff;
  for (let at = start; at < end; at += 1) {
    const byte = at >= zeroStart && at < zeroStart + 4 ? 0 : bytes[at]!;
    crc = TABLE[(crc ^ byte) & 255]! ^ (crc >>> 8);
  }
  return (crc ^ 0xffffffff) >>> 0;
}
