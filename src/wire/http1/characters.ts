/** Byte classes of RFC 9110 section 5.6 and RFC 3986; one lookup decides over one byte. */

/** tchar, RFC 9110 section 5.6.2. */
export const TOKEN = new Uint8Array(256);
/** tchar by kind, for field names: what CGI and its like turn into `_` needs a closer look. */
export const NAME = new Uint8Array(256);
/** field-vchar, SP and HTAB; obs-text is taken as opaque bytes (RFC 9110 section 5.5). */
export const FIELD = new Uint8Array(256);
/** Bytes of a request target, with flags for what needs a closer look. */
export const TARGET = new Uint8Array(256);
/** Value of a hexadecimal digit, or 255. */
export const HEX = new Uint8Array(256).fill(255);
/** ASCII lower case. */
export const LOWER = new Uint8Array(256);
/** unreserved, RFC 3986 section 2.3. */
export const UNRESERVED = new Uint8Array(256);

export const NAME_PLAIN = 1;
/** Neither letter, digit nor `-`. */
export const NAME_ODD = 2;
export const NAME_UNDERSCORE = 4;

export const TARGET_PLAIN = 1;
export const TARGET_DOT = 2;
export const TARGET_PERCENT = 4;
export const TARGET_QUERY = 8;
/** `\`: some servers read it as `/`, so it has no place in a path. */
export const TARGET_BACKSLASH = 16;
/** `#`: a fragment is never sent (RFC 9112 section 3.2). */
export const TARGET_FRAGMENT = 32;

export const CR = 13;
export const LF = 10;
export const SP = 32;
export const HTAB = 9;
export const COLON = 58;

for (let byte = 0; byte < 256; byte += 1) {
  LOWER[byte] = byte >= 65 && byte <= 90 ? byte | 32 : byte;
  const alphanumeric =
    (byte >= 48 && byte <= 57) || (byte >= 65 && byte <= 90) || (byte >= 97 && byte <= 122);
  if (alphanumeric || "!#$%&'*+-.^_`|~".includes(String.fromCharCode(byte))) {
    TOKEN[byte] = 1;
    NAME[byte] = alphanumeric || byte === 45 ? NAME_PLAIN : NAME_ODD;
  }
  if (alphanumeric || '-._~'.includes(String.fromCharCode(byte))) UNRESERVED[byte] = 1;
  if (byte === HTAB || (byte >= 32 && byte !== 127)) FIELD[byte] = 1;
  if (byte > 32 && byte < 127) TARGET[byte] = TARGET_PLAIN;
}
NAME[95] = NAME_ODD | NAME_UNDERSCORE;
TARGET[46] = TARGET_PLAIN | TARGET_DOT;
TARGET[37] = TARGET_PLAIN | TARGET_PERCENT;
TARGET[63] = TARGET_PLAIN | TARGET_QUERY;
TARGET[92] = TARGET_PLAIN | TARGET_BACKSLASH;
TARGET[35] = TARGET_PLAIN | TARGET_FRAGMENT;
for (let digit = 0; digit < 10; digit += 1) HEX[48 + digit] = digit;
for (let digit = 10; digit < 16; digit += 1) {
  HEX[55 + digit] = digit;
  HEX[87 + digit] = digit;
}

/** Whether `bytes[start, end)` are `word`, in any case; `word` is in lower case. */
export function isWord(bytes: Uint8Array, start: number, end: number, word: Uint8Array): boolean {
  if (end - start !== word.length) return false;
  for (let at = 0; at < word.length; at += 1) if (LOWER[bytes[start + at]!] !== word[at]) return false;
  return true;
}
