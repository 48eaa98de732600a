import type { HashSource } from '../../model/cluster.ts';
import { isWord } from '../../wire/http1/characters.ts';
import type { MessageHead } from '../../wire/message/message-head.ts';
import { FIELD_STRIDE, NAME_END, VALUE_END, VALUE_START } from '../../wire/message/message-head.ts';
import type { Xoshiro128 } from '../xoshiro128.ts';
import { NO_KEY } from './balancer.ts';
import { StickyCookie } from './sticky-cookie.ts';
import { hashText, xxhash32 } from './xxhash32.ts';

const COOKIE = Buffer.from('cookie');
const NOTHING = Buffer.alloc(0);
const SPACE = 32;
const SEMICOLON = 59;
const EQUALS = 61;

/** Reads the key of a request from where its cluster says. One a cluster and worker. */
export class RequestHash {
  /** What the answer to the last request read sets as a field of its own, with its line end; empty: nothing. */
  setCookie = '';
  readonly #source: HashSource;
  readonly #name: Buffer;
  readonly #cookie: StickyCookie | null;

  constructor(source: HashSource, random: Xoshiro128) {
    this.#source = source;
    this.#name = 'name' in source ? Buffer.from(source.name, 'latin1') : NOTHING;
    this.#cookie = source.type === 'Cookie' ? new StickyCookie(source, random) : null;
  }

  /**
   * From 0 to 2^32 - 1, or NO_KEY: it has none. `path` is the one that was routed, without query; `address` is the
   * client's. A request without the cookie gets one now, and belongs to it already.
   */
  read(head: MessageHead, path: string, address: string, isSecure = false): number {
    this.setCookie = '';
    switch (this.#source.type) {
      case 'SourceIP':
        return address === '' ? NO_KEY : hashText(address);
      case 'Path':
        return hashText(path);
      case 'Header':
        return fieldKey(head, this.#name);
      case 'Cookie': {
        const key = cookieKey(head, this.#name);
        if (key !== NO_KEY) return key;
        const cookie = this.#cookie!;
        const value = cookie.draw();
        this.setCookie = cookie.field(value, isSecure);
        return hashText(value);
      }
    }
  }
}

/** XXH32 of the first field of this lower-case name that is not empty. */
function fieldKey(head: MessageHead, name: Buffer): number {
  for (let field = 0; field < head.fieldCount; field += 1) {
    if (!isNamed(head, field, name)) continue;
    const start = head.base + head.fields[field * FIELD_STRIDE + VALUE_START]!;
    const end = head.base + head.fields[field * FIELD_STRIDE + VALUE_END]!;
    if (end > start) return xxhash32(head.bytes, start, end, 0);
  }
  return NO_KEY;
}

/** XXH32 of the value of the first cookie of this name that is not empty (RFC 6265 section 4.2.1: `a=1; b=2`). */
function cookieKey(head: MessageHead, name: Buffer): number {
  for (let field = 0; field < head.fieldCount; field += 1) {
    if (!isNamed(head, field, COOKIE)) continue;
    const key = pairKey(
      head.bytes,
      head.base + head.fields[field * FIELD_STRIDE + VALUE_START]!,
      head.base + head.fields[field * FIELD_STRIDE + VALUE_END]!,
      name,
    );
    if (key !== NO_KEY) return key;
  }
  return NO_KEY;
}

function pairKey(bytes: Buffer, start: number, end: number, name: Buffer): number {
  for (let at = start; at < end; ) {
    while (at < end && bytes[at] === SPACE) at += 1;
    let stop = at;
    while (stop < end && bytes[stop] !== SEMICOLON) stop += 1;
    const value = at + name.length + 1;
    if (value < stop && bytes[value - 1] === EQUALS && isSame(bytes, at, name))
      return xxhash32(bytes, value, stop, 0);
    at = stop + 1;
  }
  return NO_KEY;
}

function isSame(bytes: Buffer, start: number, name: Buffer): boolean {
  for (let at = 0; at < name.length; at += 1) if (bytes[start + at] !== name[at]) return false;
  return true;
}

function isNamed(head: MessageHead, field: number, name: Buffer): boolean {
  const start = head.base + head.fields[field * FIELD_STRIDE]!;
  return isWord(head.bytes, start, head.base + head.fields[field * FIELD_STRIDE + NAME_END]!, name);
}
