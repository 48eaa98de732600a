import type { HttpSettings, RequestLimits } from '../../model/http-settings.ts';
import { HTTP_DEFAULTS } from '../../model/http-settings.ts';
import {
  FIELD_STRIDE,
  type HeadRole,
  MessageHead,
  NAME_END,
  VALUE_END,
  VALUE_START,
} from '../message/message-head.ts';
import {
  COLON,
  CR,
  FIELD,
  HTAB,
  LF,
  NAME as NAME_KIND,
  NAME_PLAIN,
  NAME_UNDERSCORE,
  SP,
  TARGET,
  TOKEN,
} from './characters.ts';
import type { Fault } from './fault.ts';
import { FIELD_ID, fieldId } from './field-name.ts';
import { NEAR_MISS, oddFieldId } from './odd-name.ts';

export {
  FIELD_STRIDE,
  type HeadRole,
  latin1,
  NAME_END,
  NAME_START,
  VALUE_END,
  VALUE_START,
} from '../message/message-head.ts';

/** What a head is read by; a listener's HttpSettings are such. Sizes in bytes. */
export interface HeadSettings {
  readonly underscores: HttpSettings['underscores'];
  readonly limits: Pick<RequestLimits, 'requestLineBytes' | 'headerBytes' | 'headerCount'>;
}

/** Answers of backends: no setting of a listener is about them. */
export const RESPONSE_HEADS: HeadSettings = {
  underscores: 'Keep',
  limits: { requestLineBytes: 8192, headerBytes: 65_536, headerCount: 100 },
};

const START = 0;
const START_LF = 1;
const METHOD = 2;
const TARGET_STATE = 3;
const VERSION = 4;
const LINE_CR = 5;
const LINE_LF = 6;
const FIELD_START = 7;
const NAME = 8;
const VALUE_SPACE = 9;
const VALUE = 10;
const FIELD_LF = 11;
const END_LF = 12;
const STATUS = 13;
const REASON = 14;
const DONE = 15;
const FAILED = 16;

const HTTP = Uint8Array.from(Buffer.from('HTTP/'));
const VERSION_LENGTH = 8;

function isPri(bytes: Buffer, at: number): boolean {
  return bytes[at] === 80 && bytes[at + 1] === 82 && bytes[at + 2] === 73;
}

function isHttp11(bytes: Buffer, at: number): boolean {
  return (
    bytes[at] === 72 &&
    bytes[at + 1] === 84 &&
    bytes[at + 2] === 84 &&
    bytes[at + 3] === 80 &&
    bytes[at + 4] === 47 &&
    bytes[at + 5] === 49 &&
    bytes[at + 6] === 46 &&
    bytes[at + 7] === 49
  );
}

export const HEAD_MORE = 0;
export const HEAD_DONE = 1;
export const HEAD_FAILED = 2;
export type HeadResult = typeof HEAD_MORE | typeof HEAD_DONE | typeof HEAD_FAILED;

/**
 * Parses one message head (RFC 9112 sections 2 to 5), or a trailer section, in any number of pieces. Sans-IO:
 * `parse` is called with the same bytes from `base` on, and more of them each time; it goes on where it stopped.
 * Reusable: `reset` before each message, with what is to hold for it.
 */
export class HeadParser extends MessageHead {
  readonly role: HeadRole;
  reasonStart = 0;
  reasonEnd = 0;
  #state = START;
  #at = 0;
  #mark = 0;
  #fieldsStart = 0;
  #nameKinds = 0;
  #settings: HeadSettings;

  constructor(role: HeadRole, settings: HeadSettings = role === 'request' ? HTTP_DEFAULTS : RESPONSE_HEADS) {
    super();
    this.role = role;
    this.#settings = settings;
    this.reset(settings);
  }

  reset(settings: HeadSettings): void {
    this.#settings = settings;
    const most = settings.limits.headerCount;
    if (this.ids.length < most) {
      this.ids = new Uint8Array(most);
      this.fields = new Int32Array(most * FIELD_STRIDE);
    }
    this.#state = this.role === 'request' ? START : this.role === 'response' ? VERSION : FIELD_START;
    this.#at = 0;
    this.#mark = 0;
    this.#fieldsStart = 0;
    this.#nameKinds = 0;
    this.length = 0;
    this.methodStart = 0;
    this.targetFlags = 0;
    this.version = 0;
    this.status = 0;
    this.fieldCount = 0;
    this.fault = null;
    this.framing.reset();
  }

  /** True until a byte of the message has been seen (a first empty line does not count). */
  get untouched(): boolean {
    return this.#state <= START_LF;
  }

  /** `bytes[base, end)` holds all bytes of the message so far, and maybe more than the head. */
  parse(bytes: Buffer, base: number, end: number): HeadResult {
    this.bytes = bytes;
    this.base = base;
    const { requestLineBytes, headerBytes, headerCount } = this.#settings.limits;
    let state = this.#state;
    let at = base + this.#at;
    while (at < end) {
      switch (state) {
        case START:
          // RFC 9112 section 2.2: one empty line before a request line is passed over, for clients that send
          // CRLF after a body. More have no such excuse, and would be a head that never ends.
          if (bytes[at] === CR && at === base) {
            at += 1;
            state = START_LF;
            break;
          }
          this.methodStart = at - base;
          state = METHOD;
          break;
        case START_LF:
          if (bytes[at] !== LF) return this.#fail('invalid_line_end');
          at += 1;
          this.methodStart = at - base;
          state = METHOD;
          break;
        case METHOD:
          while (at < end && TOKEN[bytes[at]!] === 1) at += 1;
          if (at - base - this.methodStart > requestLineBytes) return this.#fail('request_line_too_long');
          if (at >= end) break;
          if (bytes[at] !== SP || at - base === this.methodStart) return this.#fail('invalid_method');
          this.methodEnd = at - base;
          // RFC 9113 section 11.6: a method for the preface of HTTP/2 alone.
          if (this.methodEnd - this.methodStart === 3 && isPri(bytes, at - 3))
            return this.#fail('version_not_supported');
          at += 1;
          this.targetStart = at - base;
          state = TARGET_STATE;
          break;
        case TARGET_STATE: {
          const limit = base + this.methodStart + requestLineBytes;
          let flags = this.targetFlags;
          let flag = 0;
          while (at < end) {
            flag = TARGET[bytes[at]!]!;
            if (flag === 0) break;
            flags |= flag;
            at += 1;
          }
          this.targetFlags = flags;
          if (at > limit) return this.#fail('request_line_too_long');
          if (at >= end) break;
          if (bytes[at] !== SP || at - base === this.targetStart) return this.#fail('invalid_target');
          this.targetEnd = at - base;
          at += 1;
          this.#mark = at - base;
          state = VERSION;
          break;
        }
        case VERSION: {
          if (at - base === this.#mark && end - at >= VERSION_LENGTH && isHttp11(bytes, at)) {
            at += VERSION_LENGTH;
            this.version = 11;
          } else {
            const offset = at - base - this.#mark;
            const byte = bytes[at]!;
            if (offset < HTTP.length) {
              if (byte !== HTTP[offset]) return this.#fail('invalid_version');
            } else if (offset === 6) {
              if (byte !== 46) return this.#fail('invalid_version');
            } else if (byte < 48 || byte > 57) return this.#fail('invalid_version');
            at += 1;
            if (offset < VERSION_LENGTH - 1) break;
            if (bytes[at - 3] !== 49 || byte > 49) return this.#fail('version_not_supported');
            this.version = byte === 49 ? 11 : 10;
          }
          if (this.role === 'request') {
            if (at - base - this.methodStart > requestLineBytes) return this.#fail('request_line_too_long');
            state = LINE_CR;
          } else {
            this.#mark = at - base;
            state = STATUS;
          }
          break;
        }
        case STATUS: {
          // " 200" and then a space; a missing space before an empty reason is common and taken.
          const offset = at - base - this.#mark;
          const byte = bytes[at]!;
          if (offset === 0) {
            if (byte !== SP) return this.#fail('invalid_status');
          } else if (offset < 4) {
            if (byte < 48 || byte > 57) return this.#fail('invalid_status');
            this.status = this.status * 10 + byte - 48;
          } else {
            if (this.status < 100 || this.status > 599) return this.#fail('invalid_status');
            if (byte === SP) at += 1;
            else if (byte !== CR) return this.#fail('invalid_status');
            this.reasonStart = at - base;
            state = REASON;
            break;
          }
          at += 1;
          break;
        }
        case REASON:
          while (at < end && FIELD[bytes[at]!] === 1) at += 1;
          if (at - base > requestLineBytes) return this.#fail('request_line_too_long');
          if (at >= end) break;
          this.reasonEnd = at - base;
          state = LINE_CR;
          break;
        case LINE_CR:
          if (bytes[at] !== CR) return this.#fail('invalid_line_end');
          at += 1;
          state = LINE_LF;
          break;
        case LINE_LF:
          if (bytes[at] !== LF) return this.#fail('invalid_line_end');
          at += 1;
          this.#fieldsStart = at - base;
          state = FIELD_START;
          break;
        case FIELD_START: {
          const byte = bytes[at]!;
          if (byte === CR) {
            at += 1;
            state = END_LF;
            break;
          }
          if (byte === SP || byte === HTAB) return this.#fail('folded_line');
          if (this.fieldCount >= headerCount) return this.#fail('too_many_fields');
          this.fields[this.fieldCount * FIELD_STRIDE] = at - base;
          this.#nameKinds = 0;
          state = NAME;
          break;
        }
        case NAME: {
          let kinds = this.#nameKinds;
          while (at < end) {
            const kind = NAME_KIND[bytes[at]!]!;
            if (kind === 0) break;
            kinds |= kind;
            at += 1;
          }
          this.#nameKinds = kinds;
          if (at - base - this.#fieldsStart > headerBytes) return this.#fail('fields_too_large');
          if (at >= end) break;
          if (bytes[at] !== COLON || at - base === this.fields[this.fieldCount * FIELD_STRIDE]) {
            return this.#fail('invalid_field_name');
          }
          this.fields[this.fieldCount * FIELD_STRIDE + NAME_END] = at - base;
          at += 1;
          state = VALUE_SPACE;
          break;
        }
        case VALUE_SPACE:
          while (at < end && (bytes[at] === SP || bytes[at] === HTAB)) at += 1;
          if (at >= end) break;
          this.fields[this.fieldCount * FIELD_STRIDE + VALUE_START] = at - base;
          state = VALUE;
          break;
        case VALUE: {
          while (at < end && FIELD[bytes[at]!] === 1) at += 1;
          if (at - base - this.#fieldsStart > headerBytes) return this.#fail('fields_too_large');
          if (at >= end) break;
          if (bytes[at] !== CR)
            return this.#fail(bytes[at] === LF ? 'invalid_line_end' : 'invalid_field_value');
          // The line's end counts, seen or not: so no split of the bytes makes a difference.
          if (at + 2 - base - this.#fieldsStart > headerBytes) return this.#fail('fields_too_large');
          const index = this.fieldCount * FIELD_STRIDE;
          let valueEnd = at;
          const valueStart = base + this.fields[index + VALUE_START]!;
          while (valueEnd > valueStart && (bytes[valueEnd - 1] === SP || bytes[valueEnd - 1] === HTAB)) {
            valueEnd -= 1;
          }
          this.fields[index + VALUE_END] = valueEnd - base;
          at += 1;
          state = FIELD_LF;
          break;
        }
        case FIELD_LF: {
          if (bytes[at] !== LF) return this.#fail('invalid_line_end');
          at += 1;
          const fault = this.#field();
          if (fault !== null) return this.#fail(fault);
          state = FIELD_START;
          break;
        }
        case END_LF: {
          if (bytes[at] !== LF) return this.#fail('invalid_line_end');
          at += 1;
          this.length = at - base;
          this.#state = DONE;
          if (this.role === 'trailer') return HEAD_DONE;
          const fault = this.framing.conclude(this.role, this.version, this.status);
          return fault === null ? HEAD_DONE : this.#fail(fault);
        }
        default:
          return state === DONE ? HEAD_DONE : HEAD_FAILED;
      }
    }
    this.#state = state;
    this.#at = at - base;
    // A space run before a value counts too, or it could go on for ever.
    if (state === VALUE_SPACE && at - base - this.#fieldsStart > headerBytes)
      return this.#fail('fields_too_large');
    return HEAD_MORE;
  }

  #field(): Fault | null {
    const field = this.fieldCount;
    const index = field * FIELD_STRIDE;
    const nameStart = this.base + this.fields[index]!;
    const nameEnd = this.base + this.fields[index + NAME_END]!;
    const plain = this.#nameKinds === NAME_PLAIN;
    const id = plain
      ? fieldId(this.bytes, nameStart, nameEnd)
      : oddFieldId(
          this.bytes,
          nameStart,
          nameEnd,
          (this.#nameKinds & NAME_UNDERSCORE) !== 0,
          this.role,
          this.#settings.underscores,
        );
    if (id < 0) return id === NEAR_MISS ? 'framing_near_miss' : 'underscore_in_field_name';
    this.ids[field] = id;
    this.fieldCount = field + 1;
    if (id === FIELD_ID.OTHER || id > FIELD_ID.UPGRADE) return null;
    // RFC 9110 section 6.5.1: some read these in trailers too, and would frame the next message or close by them.
    if (this.role === 'trailer') return 'invalid_trailer';
    return this.framing.field(
      id,
      this.bytes,
      this.base + this.fields[index + VALUE_START]!,
      this.base + this.fields[index + VALUE_END]!,
      this.base,
      this.role,
    );
  }

  #fail(fault: Fault): HeadResult {
    this.#state = FAILED;
    this.fault = fault;
    return HEAD_FAILED;
  }
}
