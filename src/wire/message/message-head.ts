import type { Fault } from '../http1/fault.ts';
import { Framing } from '../http1/framing.ts';

/*
 *   base                                                          base + length
 *   | GET /a?b HTTP/1.1\r\n | Name: value \r\n | … | \r\n |  body…
 *     ^method ^target         ^nameStart  ^valueStart
 *                                 ^nameEnd     ^valueEnd
 *
 * All positions are relative to `base`, so a head that came in pieces can be moved. A field takes FIELD_STRIDE
 * numbers in `fields`; nothing is turned into a string here.
 */
export const FIELD_STRIDE = 4;
export const NAME_START = 0;
export const NAME_END = 1;
export const VALUE_START = 2;
export const VALUE_END = 3;

export type HeadRole = 'request' | 'response' | 'trailer';

/**
 * The head of a message, or its trailer section, as it is read by everybody behind the parser, whichever version of
 * HTTP it came in (RFC 9110 section 6). Whoever fills it has checked every byte.
 */
export class MessageHead {
  /** What the positions are about; valid as long as its owner says. */
  bytes: Buffer = Buffer.alloc(0);
  base = 0;
  /** Bytes of the head, once it is there whole. */
  length = 0;
  methodStart = 0;
  methodEnd = 0;
  targetStart = 0;
  targetEnd = 0;
  /** The TARGET_* flags of all bytes of the target, or-ed. */
  targetFlags = 0;
  /** 20, 11 or 10. */
  version = 0;
  status = 0;
  /** Of an extended CONNECT (RFC 8441), or empty. */
  protocol = '';
  fieldCount = 0;
  fields = new Int32Array(0);
  ids = new Uint8Array(0);
  readonly framing = new Framing();
  fault: Fault | null = null;
  /** 1 by field that no compression may keep (RFC 7541 section 7.1.3); null where nobody has asked for that. */
  neverIndexed: Uint8Array | null = null;

  /** Latin-1 text of `[start, end)` relative to `base`. */
  text(start: number, end: number): string {
    return latin1(this.bytes, this.base + start, this.base + end);
  }

  name(field: number): string {
    return this.text(
      this.fields[field * FIELD_STRIDE + NAME_START]!,
      this.fields[field * FIELD_STRIDE + NAME_END]!,
    );
  }

  value(field: number): string {
    return this.text(
      this.fields[field * FIELD_STRIDE + VALUE_START]!,
      this.fields[field * FIELD_STRIDE + VALUE_END]!,
    );
  }

  /** Index of the first field with this known id at or after `from`, or -1. */
  find(id: number, from = 0): number {
    for (let field = from; field < this.fieldCount; field += 1) if (this.ids[field] === id) return field;
    return -1;
  }

  /** All values of a field in lower-case `name`, joined with `, ` (RFC 9110 section 5.3), or null. */
  combined(name: string): string | null {
    let result: string | null = null;
    for (let field = 0; field < this.fieldCount; field += 1) {
      const index = field * FIELD_STRIDE;
      if (this.fields[index + NAME_END]! - this.fields[index]! !== name.length) continue;
      if (this.name(field).toLowerCase() !== name) continue;
      result = result === null ? this.value(field) : `${result}, ${this.value(field)}`;
    }
    return result;
  }
}

/** What every Buffer has and its types leave out: `toString('latin1')` without looking the encoding up. */
interface Latin1Buffer extends Buffer {
  latin1Slice(start: number, end: number): string;
}

export function latin1(bytes: Buffer, start: number, end: number): string {
  return (bytes as Latin1Buffer).latin1Slice(start, end);
}
