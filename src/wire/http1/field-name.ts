import { LOWER, NAME, NAME_PLAIN } from './characters.ts';

/**
 * Fields that the engine or the proxy reads or writes itself, recognised by length and bytes. Everything else is
 * OTHER and stays bytes.
 */
export const FIELD_ID = {
  OTHER: 0,
  HOST: 1,
  CONNECTION: 2,
  CONTENT_LENGTH: 3,
  TRANSFER_ENCODING: 4,
  EXPECT: 5,
  UPGRADE: 6,
  TE: 7,
  TRAILER: 8,
  KEEP_ALIVE: 9,
  PROXY_CONNECTION: 10,
  HTTP2_SETTINGS: 11,
  FORWARDED: 12,
  X_FORWARDED_FOR: 13,
  X_FORWARDED_PROTO: 14,
  X_FORWARDED_HOST: 15,
  X_FORWARDED_PORT: 16,
  X_REQUEST_ID: 17,
  /**
   * Has an underscore, or differs from a known field in odd characters only: a backend that turns `-` and these into
   * `_` (CGI) would take it for another field. Never forwarded from a request.
   */
  UNDERSCORE: 18,
  /** Meant for every recipient, and read from the head: neither in a trailer section nor named by Connection. */
  HEAD_ONLY: 19,
  /** X-Real-IP, and X-Forwarded-* besides those above: what backends believe of a client, if a proxy says it. */
  SAID_OF_CLIENT: 20,
} as const;

const BY_NAME: Record<string, number> = {
  host: FIELD_ID.HOST,
  connection: FIELD_ID.CONNECTION,
  'content-length': FIELD_ID.CONTENT_LENGTH,
  'transfer-encoding': FIELD_ID.TRANSFER_ENCODING,
  expect: FIELD_ID.EXPECT,
  upgrade: FIELD_ID.UPGRADE,
  te: FIELD_ID.TE,
  trailer: FIELD_ID.TRAILER,
  'keep-alive': FIELD_ID.KEEP_ALIVE,
  'proxy-connection': FIELD_ID.PROXY_CONNECTION,
  'http2-settings': FIELD_ID.HTTP2_SETTINGS,
  forwarded: FIELD_ID.FORWARDED,
  'x-forwarded-for': FIELD_ID.X_FORWARDED_FOR,
  'x-forwarded-proto': FIELD_ID.X_FORWARDED_PROTO,
  'x-forwarded-host': FIELD_ID.X_FORWARDED_HOST,
  'x-forwarded-port': FIELD_ID.X_FORWARDED_PORT,
  'x-request-id': FIELD_ID.X_REQUEST_ID,
};

/**
 * RFC 9110 section 6.5.1 without naming them: authentication, request modifiers, control data and what says how
 * content is to be read.
 */
const HEAD_ONLY =
  'authorization proxy-authorization authentication-info proxy-authentication-info proxy-authenticate ' +
  'www-authenticate cookie set-cookie content-type content-encoding content-range content-location ' +
  'cache-control pragma range if-match if-none-match if-modified-since if-unmodified-since if-range ' +
  'max-forwards age expires date location retry-after vary';
for (const name of HEAD_ONLY.split(' ')) BY_NAME[name] = FIELD_ID.HEAD_ONLY;

BY_NAME['x-real-ip'] = FIELD_ID.SAID_OF_CLIENT;

interface Candidate {
  readonly bytes: Uint8Array;
  readonly id: number;
}

const LONGEST = 32;
const DASH = 45;
const X = 120;
const SAID_PREFIX = Buffer.from('x-forwarded-');
const BY_LENGTH: Candidate[][] = Array.from({ length: LONGEST }, () => []);
for (const [name, id] of Object.entries(BY_NAME))
  BY_LENGTH[name.length]!.push({ bytes: Buffer.from(name), id });

/** Known id of the field name in `bytes[start, end)`, in any case. */
export function fieldId(bytes: Uint8Array, start: number, end: number): number {
  const length = end - start;
  const first = LOWER[bytes[start]!];
  if (length >= LONGEST) return unlisted(bytes, start, length, first!);
  const candidates = BY_LENGTH[length]!;
  const last = LOWER[bytes[end - 1]!];
  for (let index = 0; index < candidates.length; index += 1) {
    const candidate = candidates[index]!;
    const name = candidate.bytes;
    if (name[0] !== first || name[length - 1] !== last) continue;
    let at = 1;
    while (at < length && name[at] === LOWER[bytes[start + at]!]) at += 1;
    if (at >= length) return candidate.id;
  }
  return unlisted(bytes, start, length, first!);
}

/** `first`: its first byte in lower case. */
function unlisted(bytes: Uint8Array, start: number, length: number, first: number): number {
  if (first !== X || length <= SAID_PREFIX.length) return FIELD_ID.OTHER;
  for (let at = 1; at < SAID_PREFIX.length; at += 1) {
    const byte = bytes[start + at]!;
    if (SAID_PREFIX[at] !== (NAME[byte] === NAME_PLAIN ? LOWER[byte] : DASH)) return FIELD_ID.OTHER;
  }
  return FIELD_ID.SAID_OF_CLIENT;
}

/** The known field that the name in `bytes[start, end)` is where every odd character counts as `-`; or OTHER. */
export function looseFieldId(bytes: Uint8Array, start: number, end: number): number {
  const length = end - start;
  const first = LOWER[bytes[start]!]!;
  if (length >= LONGEST) return unlisted(bytes, start, length, first);
  for (const { bytes: name, id } of BY_LENGTH[length]!) {
    let at = 0;
    while (at < length) {
      const byte = bytes[start + at]!;
      if (name[at] !== (NAME[byte] === NAME_PLAIN ? LOWER[byte] : DASH)) break;
      at += 1;
    }
    if (at === length) return id;
  }
  return unlisted(bytes, start, length, first);
}

/** Known id of a lower-case name, or OTHER. */
export function fieldIdOfName(name: string): number {
  return BY_NAME[name] ?? FIELD_ID.OTHER;
}

/** Fields of one connection only (RFC 9110 section 7.6.1), or that the writer writes anew: never copied. */
export const NEVER_FORWARDED = new Uint8Array(32);
for (const id of [
  FIELD_ID.HOST,
  FIELD_ID.CONNECTION,
  FIELD_ID.CONTENT_LENGTH,
  FIELD_ID.TRANSFER_ENCODING,
  FIELD_ID.EXPECT,
  FIELD_ID.UPGRADE,
  FIELD_ID.TE,
  FIELD_ID.TRAILER,
  FIELD_ID.KEEP_ALIVE,
  FIELD_ID.PROXY_CONNECTION,
  FIELD_ID.HTTP2_SETTINGS,
  FIELD_ID.UNDERSCORE,
]) {
  NEVER_FORWARDED[id] = 1;
}

/** What a client says of itself and the proxy knows better. */
export const SAID_BY_PROXY = [
  FIELD_ID.FORWARDED,
  FIELD_ID.X_FORWARDED_FOR,
  FIELD_ID.X_FORWARDED_PROTO,
  FIELD_ID.X_FORWARDED_HOST,
  FIELD_ID.X_FORWARDED_PORT,
  FIELD_ID.X_REQUEST_ID,
] as const;

/** As NEVER_FORWARDED, and SAID_BY_PROXY: what is copied of the request of a peer whose word is taken. */
export const NEVER_FORWARDED_IN_REQUEST = Uint8Array.from(NEVER_FORWARDED);
for (const id of SAID_BY_PROXY) NEVER_FORWARDED_IN_REQUEST[id] = 1;

/** Of anybody else's request. */
export const NEVER_FORWARDED_OF_CLIENT = Uint8Array.from(NEVER_FORWARDED_IN_REQUEST);
NEVER_FORWARDED_OF_CLIENT[FIELD_ID.SAID_OF_CLIENT] = 1;
