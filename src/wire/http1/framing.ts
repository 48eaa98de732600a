import { CR, HTAB, isWord, SP, TOKEN } from './characters.ts';
import type { Fault } from './fault.ts';
import { FIELD_ID, fieldId, SAID_BY_PROXY } from './field-name.ts';

export const NO_LENGTH = -1;
const MOST_DIGITS = 15;
const COMMA = 44;

const PROTECTED = new Uint8Array(32);
for (const id of [
  FIELD_ID.HOST,
  FIELD_ID.CONTENT_LENGTH,
  FIELD_ID.HEAD_ONLY,
  FIELD_ID.SAID_OF_CLIENT,
  ...SAID_BY_PROXY,
])
  PROTECTED[id] = 1;

const CHUNKED = Uint8Array.from(Buffer.from('chunked'));
const CLOSE = Uint8Array.from(Buffer.from('close'));
const KEEP_ALIVE = Uint8Array.from(Buffer.from('keep-alive'));
const UPGRADE = Uint8Array.from(Buffer.from('upgrade'));
const CONTINUE = Uint8Array.from(Buffer.from('100-continue'));

/**
 * What the fields of a head say about where the message ends and what becomes of the connection
 * (RFC 9112 sections 6 and 9). Whatever two readers could understand differently is a fault.
 */
export class Framing {
  contentLength = NO_LENGTH;
  chunked = false;
  keepAlive = false;
  /** `Connection: upgrade` and an Upgrade field are both there. */
  upgrade = false;
  expectContinue = false;
  /** Connection names fields that this engine does not know: they have to be looked up when forwarding. */
  namedFields = false;
  hostStart = -1;
  hostEnd = -1;
  #close = false;
  #keep = false;
  #upgradeToken = false;
  #upgradeField = false;
  #unknownExpectation = false;

  reset(): void {
    this.contentLength = NO_LENGTH;
    this.chunked = false;
    this.keepAlive = false;
    this.upgrade = false;
    this.expectContinue = false;
    this.namedFields = false;
    this.hostStart = -1;
    this.hostEnd = -1;
    this.#close = false;
    this.#keep = false;
    this.#upgradeToken = false;
    this.#upgradeField = false;
    this.#unknownExpectation = false;
  }

  field(
    id: number,
    bytes: Uint8Array,
    start: number,
    end: number,
    base: number,
    role: 'request' | 'response',
  ): Fault | null {
    switch (id) {
      case FIELD_ID.HOST:
        if (role === 'response') return null;
        if (this.hostStart !== -1) return 'repeated_host';
        this.hostStart = start - base;
        this.hostEnd = end - base;
        return null;
      case FIELD_ID.CONTENT_LENGTH:
        if (this.contentLength !== NO_LENGTH) return 'repeated_content_length';
        return this.#contentLength(bytes, start, end);
      case FIELD_ID.TRANSFER_ENCODING:
        // Whitespace behind it is in the grammar, but a reader that does not trim it takes this for another coding.
        if (this.chunked || bytes[end] !== CR || !isWord(bytes, start, end, CHUNKED))
          return 'invalid_transfer_encoding';
        this.chunked = true;
        return null;
      case FIELD_ID.CONNECTION:
        return this.#connection(bytes, start, end);
      case FIELD_ID.EXPECT:
        if (isWord(bytes, start, end, CONTINUE)) this.expectContinue = true;
        else if (end > start) this.#unknownExpectation = true;
        return null;
      case FIELD_ID.UPGRADE:
        if (end > start) this.#upgradeField = true;
        return null;
      default:
        return null;
    }
  }

  conclude(role: 'request' | 'response', version: number, status: number): Fault | null {
    if (this.chunked) {
      if (this.contentLength !== NO_LENGTH) return 'content_length_with_transfer_encoding';
      if (version === 10) return 'transfer_encoding_in_http_1_0';
    }
    if (role === 'request') {
      if (this.hostStart === -1) {
        if (version === 11) return 'missing_host';
      }
      // RFC 9110 section 10.1.1: an expectation in HTTP/1.0 is ignored.
      if (version === 10) this.expectContinue = false;
      else if (this.#unknownExpectation) return 'invalid_expectation';
    } else if (status < 200 || status === 204) {
      // RFC 9112 section 6.1, 6.3: these have no body; one that says otherwise is not to be trusted.
      if (this.chunked) return 'invalid_transfer_encoding';
      if (this.contentLength > 0) return 'invalid_content_length';
      this.contentLength = NO_LENGTH;
    }
    this.keepAlive = !this.#close && (version === 11 || this.#keep);
    this.upgrade = version === 11 && this.#upgradeToken && this.#upgradeField;
    return null;
  }

  /** 1*DIGIT without leading zeros: `+5`, `05`, `5, 5`, `0x5` and what exceeds 2^49 are refused. */
  #contentLength(bytes: Uint8Array, start: number, end: number): Fault | null {
    const digits = end - start;
    if (digits === 0 || digits > MOST_DIGITS || (digits > 1 && bytes[start] === 48)) {
      return 'invalid_content_length';
    }
    let value = 0;
    for (let at = start; at < end; at += 1) {
      const digit = bytes[at]! - 48;
      if (digit < 0 || digit > 9) return 'invalid_content_length';
      value = value * 10 + digit;
    }
    this.contentLength = value;
    return null;
  }

  /**
   * `#connection-option`, empty elements allowed. A field that is named goes (RFC 9110 section 7.6.1), except that
   * nobody may name one that is meant for every recipient: so a client cannot take away what a proxy before us has
   * said of it. Fields of the connection go anyway.
   */
  #connection(bytes: Uint8Array, start: number, end: number): Fault | null {
    let at = start;
    while (at < end) {
      const byte = bytes[at]!;
      if (byte === SP || byte === HTAB || byte === COMMA) {
        at += 1;
        continue;
      }
      const word = at;
      while (at < end && TOKEN[bytes[at]!] === 1) at += 1;
      const wordEnd = at;
      while (at < end && (bytes[at] === SP || bytes[at] === HTAB)) at += 1;
      if (wordEnd === word || (at < end && bytes[at] !== COMMA)) return 'invalid_connection';
      if (isWord(bytes, word, wordEnd, CLOSE)) this.#close = true;
      else if (isWord(bytes, word, wordEnd, KEEP_ALIVE)) this.#keep = true;
      else if (isWord(bytes, word, wordEnd, UPGRADE)) this.#upgradeToken = true;
      else {
        const id = fieldId(bytes, word, wordEnd);
        if (id === FIELD_ID.OTHER) this.namedFields = true;
        else if (PROTECTED[id] === 1) return 'protected_connection_option';
      }
    }
    return null;
  }
}

/** True where `Connection` (value in `bytes[start, end)`) names the lower-case field `name`. */
export function connectionNames(value: string, name: string): boolean {
  for (const token of value.split(',')) if (token.trim().toLowerCase() === name) return true;
  return false;
}
