import { LOWER } from '../http1/characters.ts';
import { STATIC, STATIC_COUNT } from './static-table.ts';

const SLOTS = 256;
/** Index in the static table by a hash of the name, 0 for none; where two names meet the second is in NEXT. */
const FIRST = new Uint8Array(SLOTS);
const NEXT = new Uint8Array(STATIC_COUNT + 1);

/** `first`, `middle`, `last`: lower-case bytes of the name. */
function slotOf(length: number, first: number, middle: number, last: number): number {
  return (length * 7 + first * 5 + middle * 3 + last * 11) & (SLOTS - 1);
}

for (let index = STATIC_COUNT; index > 0; index -= 1) {
  // Of entries of one name the first counts: they come here last.
  const start = STATIC.starts[index]!;
  const length = STATIC.nameLengths[index]!;
  const { bytes } = STATIC;
  const slot = slotOf(length, bytes[start]!, bytes[start + (length >>> 1)]!, bytes[start + length - 1]!);
  const other = FIRST[slot]!;
  NEXT[index] = other !== 0 && isEntry(other, bytes, start, start + length) ? NEXT[other]! : other;
  FIRST[slot] = index;
}

/** Index of the first entry of the static table with the name in `bytes[start, end)`, in any case, or 0. */
export function staticName(bytes: Uint8Array, start: number, end: number): number {
  const length = end - start;
  if (length === 0) return 0;
  let index =
    FIRST[
      slotOf(length, LOWER[bytes[start]!]!, LOWER[bytes[start + (length >>> 1)]!]!, LOWER[bytes[end - 1]!]!)
    ]!;
  while (index !== 0 && !isEntry(index, bytes, start, end)) index = NEXT[index]!;
  return index;
}

function isEntry(index: number, bytes: Uint8Array, start: number, end: number): boolean {
  const length = end - start;
  if (STATIC.nameLengths[index] !== length) return false;
  const from = STATIC.starts[index]!;
  const names = STATIC.bytes;
  for (let at = 0; at < length; at += 1) if (names[from + at] !== LOWER[bytes[start + at]!]) return false;
  return true;
}
