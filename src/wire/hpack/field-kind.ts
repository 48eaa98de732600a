import { COLON, FIELD, HTAB, NAME, NAME_PLAIN, SP } from '../http1/characters.ts';
import { FIELD_ID, fieldId } from '../http1/field-name.ts';

/*
 * What a field of HTTP/2 is by its name, found once and kept beside it in the tables, so that a field that comes as
 * an index is not looked at again:
 *
 *     0 … 31    FIELD_ID of a name of letters, digits and `-`
 *     32 …      the names below that are no such
 *     64 …      pseudo-header fields, one bit each to note that it was there
 *     + 128     the value is none (RFC 9113 section 8.2.1)
 */
/** Has characters that make a name resemble another; what becomes of it is a setting. */
export const KIND_ODD = 32;
/** Comes in crumbs (RFC 9113 section 8.2.3). */
export const KIND_COOKIE = 33;
export const KIND_INVALID_NAME = 34;
export const KIND_UPPERCASE_NAME = 35;

export const KIND_METHOD = 64;
export const KIND_SCHEME = 65;
export const KIND_AUTHORITY = 66;
export const KIND_PATH = 67;
export const KIND_STATUS = 68;
/** RFC 8441 section 4. */
export const KIND_PROTOCOL = 69;
export const KIND_UNKNOWN_PSEUDO = 70;

export const INVALID_VALUE = 128;

const PSEUDO: readonly (readonly [string, number])[] = [
  [':method', KIND_METHOD],
  [':scheme', KIND_SCHEME],
  [':authority', KIND_AUTHORITY],
  [':path', KIND_PATH],
  [':status', KIND_STATUS],
  [':protocol', KIND_PROTOCOL],
];
const PSEUDO_NAMES = PSEUDO.map(([name, kind]) => ({ name: Uint8Array.from(Buffer.from(name)), kind }));

/** As NAME, without upper case (RFC 9113 section 8.2.1). */
const LOWER_NAME = Uint8Array.from(NAME);
for (let byte = 65; byte <= 90; byte += 1) LOWER_NAME[byte] = 0;
const COOKIE_LENGTH = 6;
const C = 99;

/** Kind of the name in `bytes[start, end)`. */
export function nameKind(bytes: Uint8Array, start: number, end: number): number {
  if (bytes[start] === COLON && end > start) return pseudoKind(bytes, start, end);
  let kinds = 0;
  for (let at = start; at < end; at += 1) {
    const kind = LOWER_NAME[bytes[at]!]!;
    if (kind === 0) return NAME[bytes[at]!] === 0 ? KIND_INVALID_NAME : KIND_UPPERCASE_NAME;
    kinds |= kind;
  }
  if (kinds !== NAME_PLAIN) return kinds === 0 ? KIND_INVALID_NAME : KIND_ODD;
  const id = fieldId(bytes, start, end);
  // The one name of these that has this length and begins so.
  const isCookie = id === FIELD_ID.HEAD_ONLY && end - start === COOKIE_LENGTH && bytes[start] === C;
  return isCookie ? KIND_COOKIE : id;
}

function pseudoKind(bytes: Uint8Array, start: number, end: number): number {
  for (const { name, kind } of PSEUDO_NAMES) {
    if (name.length !== end - start) continue;
    let at = 1;
    while (at < name.length && name[at] === bytes[start + at]) at += 1;
    if (at === name.length) return kind;
  }
  return KIND_UNKNOWN_PSEUDO;
}

/** INVALID_VALUE or 0: no control bytes, no space around it (RFC 9113 section 8.2.1). */
export function valueFlag(bytes: Uint8Array, start: number, end: number): number {
  if (end === start) return 0;
  const first = bytes[start]!;
  const last = bytes[end - 1]!;
  if (first === SP || first === HTAB || last === SP || last === HTAB) return INVALID_VALUE;
  let valid = 1;
  for (let at = start; at < end; at += 1) valid &= FIELD[bytes[at]!]!;
  return valid === 1 ? 0 : INVALID_VALUE;
}
