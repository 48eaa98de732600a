import { HTTP_DEFAULTS } from '../../model/http-settings.ts';
import {
  INVALID_VALUE,
  KIND_AUTHORITY,
  KIND_COOKIE,
  KIND_INVALID_NAME,
  KIND_METHOD,
  KIND_ODD,
  KIND_PATH,
  KIND_PROTOCOL,
  KIND_SCHEME,
  KIND_STATUS,
  KIND_UNKNOWN_PSEUDO,
  KIND_UPPERCASE_NAME,
} from '../hpack/field-kind.ts';
import { isWord, LOWER, TARGET, TOKEN } from '../http1/characters.ts';
import type { Fault } from '../http1/fault.ts';
import { FIELD_ID } from '../http1/field-name.ts';
import { NO_LENGTH } from '../http1/framing.ts';
import type { HeadSettings } from '../http1/head-parser.ts';
import { NEAR_MISS, oddFieldId } from '../http1/odd-name.ts';
import {
  FIELD_STRIDE,
  type HeadRole,
  MessageHead,
  NAME_END,
  VALUE_END,
  VALUE_START,
} from '../message/message-head.ts';
import { ABUSE_LIMITS } from './abuse-limits.ts';

const FIRST_BYTES = 2048;
/** More than this few messages need. */
const KEPT_BYTES = 16_384;
/** Below this a loop is cheaper than a call into the runtime. */
const SHORT = 48;
const SP = 32;
const CR = 13;
const LF = 10;
const COLON = 58;
const SEMICOLON = 59;
const SLASH = 47;
const ASTERISK = 42;
const AT = 64;
const UNDERSCORE = 95;

const METHOD_SEEN = 1 << (KIND_METHOD - KIND_METHOD);
const SCHEME_SEEN = 1 << (KIND_SCHEME - KIND_METHOD);
const AUTHORITY_SEEN = 1 << (KIND_AUTHORITY - KIND_METHOD);
const PATH_SEEN = 1 << (KIND_PATH - KIND_METHOD);
const STATUS_SEEN = 1 << (KIND_STATUS - KIND_METHOD);
const PROTOCOL_SEEN = 1 << (KIND_PROTOCOL - KIND_METHOD);
const REQUEST_PSEUDO = METHOD_SEEN | SCHEME_SEEN | AUTHORITY_SEEN | PATH_SEEN | PROTOCOL_SEEN;

const HTTP = Uint8Array.from(Buffer.from('http'));
const HTTPS = Uint8Array.from(Buffer.from('https'));
const TRAILERS = Uint8Array.from(Buffer.from('trailers'));
const CONNECT = Uint8Array.from(Buffer.from('CONNECT'));
const OPTIONS = Uint8Array.from(Buffer.from('OPTIONS'));
const PRI = Uint8Array.from(Buffer.from('PRI'));
const COOKIE_NAME_BYTES = 'cookie: '.length;
/** ` HTTP/1.1`: so a start line has the same limit in both versions. */
const VERSION_BYTES = 9;
/** `:path: ` and the line end before it can take so long a method and a space. */
const METHOD_IN_PLACE = '\r\n:path: '.length - 1;
/** As SETTINGS_MAX_HEADER_LIST_SIZE counts a field besides its bytes (RFC 9113 section 6.5.2). */
const FIELD_OVERHEAD = 32;

/**
 * The head or trailer section of a message of HTTP/2, as HpackDecoder lays it out: every field a line, so that those
 * for an HTTP/1 backend leave in one copy, and the start line where its parts happen to lie:
 *
 *     | :method: GET\r\n | :authority: a\r\n | :pGET /x\r\n | accept: *⁄*\r\n | cookie: a=1; b=2\r\n |
 *                                     ^host     ^method ^target  ^fields[0]                            ^end
 *
 * `reset`, then decode, then `conclude`. Where `fault` is set nothing more is kept of it; FAULTS has its status: 431
 * and 414 are too large, all others malformed (RFC 9113 section 8.1.1).
 *
 * Limits are those of HTTP/1. Announced as SETTINGS_MAX_HEADER_LIST_SIZE, `headerBytes` is one within which only the
 * start line or the count of fields can be too much.
 */
export class HeaderBlock extends MessageHead {
  /** `:scheme` is https. */
  isHttps = false;
  /** Bytes used of `bytes`; the decoder puts the next line there. */
  end = 0;
  /** Size of the whole list as SETTINGS_MAX_HEADER_LIST_SIZE counts it, also of what was not kept. */
  listBytes = 0;
  #settings: HeadSettings = HTTP_DEFAULTS;
  #mostListBytes = 0;
  #lineBytes = 0;
  #seen = 0;
  #hasOdd = false;
  /** Index of the last field where that is a cookie, or -1. */
  #openCookie = -1;
  #cookies = 0;
  #authorityStart = 0;
  #authorityEnd = 0;
  #protocolStart = 0;
  #protocolEnd = 0;
  #never: Uint8Array | null = null;

  constructor(settings: HeadSettings = HTTP_DEFAULTS) {
    super();
    this.version = 20;
    this.bytes = Buffer.allocUnsafeSlow(FIRST_BYTES);
    this.reset(settings);
  }

  /** What has been unpacked is so much more than what is allowed that nobody needs to see the rest. */
  get isBomb(): boolean {
    return this.listBytes > this.#mostListBytes;
  }

  /** It has more memory than most messages need. */
  get isLarge(): boolean {
    return this.bytes.length > KEPT_BYTES;
  }

  /** Leaves that to the collector. */
  trim(): void {
    this.bytes = Buffer.allocUnsafeSlow(FIRST_BYTES);
  }

  /** Before each block: what is to hold for it. */
  reset(settings: HeadSettings): void {
    const most = settings.limits.headerCount;
    if (this.ids.length < most) {
      this.ids = new Uint8Array(most);
      this.fields = new Int32Array(most * FIELD_STRIDE);
      this.#never = null;
    }
    this.#settings = settings;
    this.#mostListBytes = settings.limits.headerBytes * ABUSE_LIMITS.listBytesFactor;
    this.end = 0;
    this.length = 0;
    this.listBytes = 0;
    this.methodStart = 0;
    this.methodEnd = 0;
    this.targetStart = 0;
    this.targetEnd = 0;
    this.targetFlags = 0;
    this.status = 0;
    this.fieldCount = 0;
    this.fault = null;
    this.protocol = '';
    this.isHttps = false;
    this.neverIndexed = null;
    this.framing.reset();
    this.#lineBytes = 0;
    this.#seen = 0;
    this.#hasOdd = false;
    this.#openCookie = -1;
    this.#cookies = 0;
  }

  /** Room for `more` bytes behind `used` ones after `end`, which stay. */
  keep(used: number, more: number): void {
    const wanted = this.end + used + more;
    if (wanted <= this.bytes.length) return;
    const larger = Buffer.allocUnsafeSlow(Math.max(wanted, this.bytes.length * 2));
    this.bytes.copy(larger, 0, 0, this.end + used);
    this.bytes = larger;
  }

  /** A field from a table of HPACK: its line at `source[start, …)`. */
  copy(source: Buffer, start: number, nameLength: number, valueLength: number, kind: number): void {
    const length = nameLength + valueLength + 4;
    if (this.fault === null) {
      const to = this.end;
      if (to + length > this.bytes.length) this.keep(0, length);
      const bytes = this.bytes;
      if (length > SHORT) source.copy(bytes, to, start, start + length);
      else for (let at = 0; at < length; at += 1) bytes[to + at] = source[start + at]!;
    }
    this.add(kind, nameLength, valueLength, false);
  }

  /** The line that lies at `end` is a field of this kind (see field-kind.ts). */
  add(kind: number, nameLength: number, valueLength: number, never: boolean): void {
    this.listBytes += nameLength + valueLength + FIELD_OVERHEAD;
    if (this.fault !== null) return;
    const fault =
      kind < KIND_METHOD
        ? this.#regular(kind, nameLength, valueLength, never)
        : kind < INVALID_VALUE
          ? this.#pseudo(kind, nameLength, valueLength)
          : invalidValue(kind & ~INVALID_VALUE);
    if (fault !== null) this.fault = fault;
  }

  #regular(kind: number, nameLength: number, valueLength: number, never: boolean): Fault | null {
    const limits = this.#settings.limits;
    const start = this.end;
    const length = nameLength + valueLength + 4;
    this.#lineBytes += length;
    if (this.#lineBytes > limits.headerBytes) return 'fields_too_large';
    if (kind === KIND_COOKIE) {
      this.#cookies += 1;
      if (this.#openCookie >= 0) {
        this.#joinCrumb(nameLength, valueLength);
        return null;
      }
    }
    const field = this.fieldCount;
    if (field >= limits.headerCount) return 'too_many_fields';
    const index = field * FIELD_STRIDE;
    const fields = this.fields;
    const value = start + nameLength + 2;
    fields[index] = start;
    fields[index + NAME_END] = start + nameLength;
    fields[index + VALUE_START] = value;
    fields[index + VALUE_END] = value + valueLength;
    this.fieldCount = field + 1;
    this.end = start + length;
    if (never) this.#markNever(field);
    this.#openCookie = -1;
    if (kind < KIND_ODD) {
      this.ids[field] = kind;
      return kind === FIELD_ID.OTHER || kind > FIELD_ID.PROXY_CONNECTION
        ? null
        : this.#special(kind, value, value + valueLength);
    }
    switch (kind) {
      case KIND_COOKIE:
        this.ids[field] = FIELD_ID.HEAD_ONLY;
        this.#openCookie = field;
        return null;
      case KIND_ODD:
        // What it is taken for depends on the role, which `conclude` knows.
        this.ids[field] = KIND_ODD;
        this.#hasOdd = true;
        return null;
      case KIND_INVALID_NAME:
        return 'invalid_field_name';
      case KIND_UPPERCASE_NAME:
        return 'uppercase_field_name';
      default:
        throw new RangeError(`no kind of field: ${kind}`);
    }
  }

  /** A field that says something of the message or the connection. */
  #special(id: number, start: number, end: number): Fault | null {
    const { bytes, framing } = this;
    switch (id) {
      case FIELD_ID.CONNECTION:
      case FIELD_ID.KEEP_ALIVE:
      case FIELD_ID.PROXY_CONNECTION:
      case FIELD_ID.TRANSFER_ENCODING:
      case FIELD_ID.UPGRADE:
        return 'connection_field';
      case FIELD_ID.TE:
        return isWord(bytes, start, end, TRAILERS) ? null : 'invalid_te';
      case FIELD_ID.CONTENT_LENGTH: {
        const before = framing.contentLength;
        framing.contentLength = NO_LENGTH;
        const fault = framing.field(id, bytes, start, end, 0, 'request');
        if (fault !== null) return fault;
        return before === NO_LENGTH || before === framing.contentLength ? null : 'repeated_content_length';
      }
      default:
        return framing.field(id, bytes, start, end, 0, 'request');
    }
  }

  #pseudo(kind: number, nameLength: number, valueLength: number): Fault | null {
    if (kind === KIND_UNKNOWN_PSEUDO) return 'unknown_pseudo_field';
    if (this.fieldCount > 0) return 'misplaced_pseudo_field';
    const bit = 1 << (kind - KIND_METHOD);
    if ((this.#seen & bit) !== 0) return 'repeated_pseudo_field';
    this.#seen |= bit;
    const { bytes } = this;
    const { requestLineBytes, headerBytes } = this.#settings.limits;
    const start = this.end + nameLength + 2;
    const end = start + valueLength;
    this.end = end + 2;
    if (kind === KIND_PATH) {
      if (valueLength > requestLineBytes) return 'request_line_too_long';
      this.targetStart = start;
      this.targetEnd = end;
      let flags = 0;
      for (let at = start; at < end; at += 1) {
        const flag = TARGET[bytes[at]!]!;
        if (flag === 0) return 'invalid_target';
        flags |= flag;
      }
      this.targetFlags = flags;
      return null;
    }
    this.#lineBytes += valueLength;
    if (this.#lineBytes > headerBytes) return 'fields_too_large';
    switch (kind) {
      case KIND_METHOD:
        this.methodStart = start;
        this.methodEnd = end;
        return valueLength > 0 && isToken(bytes, start, end) ? null : 'invalid_method';
      case KIND_AUTHORITY:
        this.#authorityStart = start;
        this.#authorityEnd = end;
        return null;
      case KIND_SCHEME:
        this.isHttps = isWord(bytes, start, end, HTTPS);
        return this.isHttps || isWord(bytes, start, end, HTTP) ? null : 'invalid_scheme';
      case KIND_STATUS:
        return this.#readStatus(start, end);
      default:
        this.#protocolStart = start;
        this.#protocolEnd = end;
        return valueLength > 0 && isToken(bytes, start, end) ? null : 'invalid_protocol';
    }
  }

  /** Three digits; 101 has no meaning in HTTP/2 (RFC 9113 section 8.6). */
  #readStatus(start: number, end: number): Fault | null {
    if (end - start !== 3) return 'invalid_status';
    let status = 0;
    for (let at = start; at < end; at += 1) {
      const digit = this.bytes[at]! - 48;
      if (digit < 0 || digit > 9) return 'invalid_status';
      status = status * 10 + digit;
    }
    this.status = status;
    return status < 100 || status > 599 || status === 101 ? 'invalid_status' : null;
  }

  /** `cookie: b` right behind `cookie: a` becomes `cookie: a; b` in place (RFC 9113 section 8.2.3). */
  #joinCrumb(nameLength: number, valueLength: number): void {
    const { bytes, end } = this;
    const value = end + nameLength + 2;
    bytes[end - 2] = SEMICOLON;
    bytes[end - 1] = SP;
    bytes.copyWithin(end, value, value + valueLength + 2);
    this.end = end + valueLength + 2;
    this.fields[this.#openCookie * FIELD_STRIDE + VALUE_END] = end + valueLength;
  }

  #markNever(field: number): void {
    if (this.neverIndexed === null) {
      this.#never ??= new Uint8Array(this.ids.length);
      this.#never.fill(0);
      this.neverIndexed = this.#never;
    }
    this.neverIndexed[field] = 1;
  }

  /**
   * The block has ended; `endStream`: so has the message. Sets `fault` and returns it, or null: it is in order and can
   * be read as any head.
   */
  conclude(role: HeadRole, endStream: boolean): Fault | null {
    const fault = this.fault ?? this.#conclude(role, endStream);
    this.fault = role === 'trailer' && fault !== null ? trailerFault(fault) : fault;
    this.length = this.end;
    return this.fault;
  }

  #conclude(role: HeadRole, endStream: boolean): Fault | null {
    if (this.#hasOdd) {
      const fault = this.#resolveOdd(role);
      if (fault !== null) return fault;
    }
    if (role === 'trailer') return this.#concludeTrailer(endStream);
    if (this.#cookies > 1) this.#joinCookies();
    const { framing } = this;
    const fault = role === 'request' ? this.#concludeRequest(endStream) : this.#concludeResponse(endStream);
    if (fault !== null) return fault;
    const framed = framing.conclude(role, this.version, this.status);
    if (framed !== null) return framed;
    const isTunnel = (this.#seen & PROTOCOL_SEEN) !== 0 || this.#isConnect;
    framing.chunked =
      !endStream &&
      !isTunnel &&
      framing.contentLength === NO_LENGTH &&
      (role === 'request' || (this.status >= 200 && this.status !== 204 && this.status !== 304));
    framing.keepAlive = true;
    return null;
  }

  get #isConnect(): boolean {
    return isSame(this.bytes, this.methodStart, this.methodEnd, CONNECT);
  }

  #concludeRequest(endStream: boolean): Fault | null {
    const seen = this.#seen;
    if ((seen & ~REQUEST_PSEUDO) !== 0) return 'misplaced_pseudo_field';
    if ((seen & METHOD_SEEN) === 0) return 'missing_pseudo_field';
    const { bytes, framing } = this;
    if (isSame(bytes, this.methodStart, this.methodEnd, PRI)) return 'invalid_method';
    if ((seen & AUTHORITY_SEEN) !== 0) {
      const fault = this.#authorityFault();
      if (fault !== null) return fault;
      framing.hostStart = this.#authorityStart;
      framing.hostEnd = this.#authorityEnd;
    } else if (framing.hostStart === -1) return 'missing_host';
    if (endStream && framing.contentLength > 0) return 'invalid_content_length';
    const isConnect = this.#isConnect;
    if (isConnect && framing.contentLength > 0) return 'invalid_content_length';
    if ((seen & PROTOCOL_SEEN) !== 0) {
      if (!isConnect) return 'invalid_protocol';
      this.protocol = this.text(this.#protocolStart, this.#protocolEnd);
    } else if (isConnect) {
      // RFC 9113 section 8.5: the authority is all there is.
      if ((seen & (SCHEME_SEEN | PATH_SEEN)) !== 0) return 'misplaced_pseudo_field';
      if ((seen & AUTHORITY_SEEN) === 0) return 'missing_pseudo_field';
      this.targetStart = this.#authorityStart;
      this.targetEnd = this.#authorityEnd;
      this.#layStartLine();
      return null;
    }
    if ((seen & SCHEME_SEEN) === 0 || (seen & PATH_SEEN) === 0) return 'missing_pseudo_field';
    const first = this.targetEnd > this.targetStart ? bytes[this.targetStart]! : 0;
    if (first !== SLASH) {
      const isServer = first === ASTERISK && this.targetEnd === this.targetStart + 1;
      if (!isServer || !isSame(bytes, this.methodStart, this.methodEnd, OPTIONS)) return 'invalid_target';
    }
    const lineLength = this.methodEnd - this.methodStart + 1 + this.targetEnd - this.targetStart;
    if (lineLength + VERSION_BYTES > this.#settings.limits.requestLineBytes) return 'request_line_too_long';
    this.#layStartLine();
    return null;
  }

  /** RFC 9113 section 8.3.1: no user information, and what Host says too where that is there. */
  #authorityFault(): Fault | null {
    const { bytes, framing } = this;
    const start = this.#authorityStart;
    const end = this.#authorityEnd;
    if (start === end) return 'invalid_host';
    for (let at = start; at < end; at += 1) if (bytes[at] === AT) return 'invalid_host';
    const host = framing.hostStart;
    if (host === -1) return null;
    if (framing.hostEnd - host !== end - start) return 'host_conflict';
    for (let at = 0; at < end - start; at += 1)
      if (LOWER[bytes[start + at]!] !== LOWER[bytes[host + at]!]) return 'host_conflict';
    return null;
  }

  #concludeResponse(endStream: boolean): Fault | null {
    this.framing.hostStart = -1;
    this.framing.hostEnd = -1;
    if ((this.#seen & ~STATUS_SEEN) !== 0) return 'misplaced_pseudo_field';
    if (this.#seen === 0) return 'missing_pseudo_field';
    // RFC 9113 section 8.1: an interim answer ends nothing.
    return endStream && this.status < 200 ? 'invalid_status' : null;
  }

  /** RFC 9113 section 8.1: no pseudo-fields, nothing that frames, and the stream ends with it. */
  #concludeTrailer(endStream: boolean): Fault | null {
    if (this.#seen !== 0) return 'misplaced_pseudo_field';
    if (!endStream) return 'invalid_trailer';
    for (let field = 0; field < this.fieldCount; field += 1) {
      const id = this.ids[field]!;
      if (id !== FIELD_ID.OTHER && id <= FIELD_ID.UPGRADE) return 'invalid_trailer';
    }
    return null;
  }

  #resolveOdd(role: HeadRole): Fault | null {
    const { bytes, fields, ids } = this;
    for (let field = 0; field < this.fieldCount; field += 1) {
      if (ids[field] !== KIND_ODD) continue;
      const start = fields[field * FIELD_STRIDE]!;
      const end = fields[field * FIELD_STRIDE + NAME_END]!;
      const underscore = bytes.indexOf(UNDERSCORE, start);
      const has = underscore !== -1 && underscore < end;
      const id = oddFieldId(bytes, start, end, has, role, this.#settings.underscores);
      if (id < 0) return id === NEAR_MISS ? 'framing_near_miss' : 'underscore_in_field_name';
      ids[field] = id;
    }
    return null;
  }

  /**
   * Puts `METHOD SP` before the target. Over the name of `:path`, which nobody reads any more, and the end of the line
   * before it; a longer method goes behind the fields with its target.
   */
  #layStartLine(): void {
    const { bytes, methodStart, targetStart } = this;
    const length = this.methodEnd - methodStart;
    const inPlace = length <= METHOD_IN_PLACE && this.targetStart - length > methodStart;
    if (inPlace) {
      const to = targetStart - length - 1;
      for (let at = 0; at < length; at += 1) bytes[to + at] = bytes[methodStart + at]!;
      bytes[targetStart - 1] = SP;
      this.methodStart = to;
      this.methodEnd = targetStart - 1;
      return;
    }
    const targetLength = this.targetEnd - targetStart;
    this.keep(0, length + 1 + targetLength);
    const to = this.end;
    this.bytes.copy(this.bytes, to, methodStart, this.methodEnd);
    this.bytes[to + length] = SP;
    this.bytes.copy(this.bytes, to + length + 1, targetStart, this.targetEnd);
    this.methodStart = to;
    this.methodEnd = to + length;
    this.targetStart = to + length + 1;
    this.targetEnd = this.targetStart + targetLength;
    this.end = this.targetEnd;
  }

  /** Cookies with other fields between them become one, behind all others. */
  #joinCookies(): void {
    const { fields, ids } = this;
    let count = 0;
    for (let field = 0; field < this.fieldCount; field += 1) if (this.#isCookie(field)) count += 1;
    if (count < 2) return;
    this.keep(0, this.end + 2 * count);
    const { bytes } = this;
    const line = this.end;
    let to = line;
    let kept = 0;
    let never = 0;
    for (let field = 0; field < this.fieldCount; field += 1) {
      const from = field * FIELD_STRIDE;
      if (this.#isCookie(field)) {
        const start = to === line ? fields[from]! : fields[from + VALUE_START]!;
        if (to !== line) {
          bytes[to] = SEMICOLON;
          bytes[to + 1] = SP;
          to += 2;
        }
        bytes.copy(bytes, to, start, fields[from + VALUE_END]!);
        to += fields[from + VALUE_END]! - start;
        never |= this.neverIndexed?.[field] ?? 0;
        continue;
      }
      for (let part = 0; part < FIELD_STRIDE; part += 1)
        fields[kept * FIELD_STRIDE + part] = fields[from + part]!;
      ids[kept] = ids[field]!;
      if (this.neverIndexed !== null) this.neverIndexed[kept] = this.neverIndexed[field]!;
      kept += 1;
    }
    bytes[to] = CR;
    bytes[to + 1] = LF;
    const index = kept * FIELD_STRIDE;
    fields[index] = line;
    fields[index + NAME_END] = line + COOKIE_NAME_BYTES - 2;
    fields[index + VALUE_START] = line + COOKIE_NAME_BYTES;
    fields[index + VALUE_END] = to;
    ids[kept] = FIELD_ID.HEAD_ONLY;
    if (this.neverIndexed !== null) this.neverIndexed[kept] = never;
    this.fieldCount = kept + 1;
    this.end = to + 2;
  }

  #isCookie(field: number): boolean {
    if (this.ids[field] !== FIELD_ID.HEAD_ONLY) return false;
    const start = this.fields[field * FIELD_STRIDE]!;
    const length = this.fields[field * FIELD_STRIDE + NAME_END]! - start;
    return (
      length === COOKIE_NAME_BYTES - 2 && this.bytes[start] === 99 && this.bytes[start + length] === COLON
    );
  }
}

function invalidValue(kind: number): Fault {
  if (kind === KIND_PATH) return 'invalid_target';
  return kind === KIND_METHOD ? 'invalid_method' : 'invalid_field_value';
}

function trailerFault(fault: Fault): Fault {
  return fault === 'fields_too_large' || fault === 'too_many_fields' ? 'trailer_too_large' : fault;
}

function isToken(bytes: Uint8Array, start: number, end: number): boolean {
  for (let at = start; at < end; at += 1) if (TOKEN[bytes[at]!] !== 1) return false;
  return true;
}

/** As isWord, but of the same case. */
function isSame(bytes: Uint8Array, start: number, end: number, word: Uint8Array): boolean {
  if (end - start !== word.length) return false;
  for (let at = 0; at < word.length; at += 1) if (bytes[start + at] !== word[at]) return false;
  return true;
}
