import { CR, HTAB, SP } from '../../wire/http1/characters.ts';
import { FIELD_ID, fieldId } from '../../wire/http1/field-name.ts';
import {
  FIELD_STRIDE,
  MessageHead,
  NAME_END,
  VALUE_END,
  VALUE_START,
} from '../../wire/message/message-head.ts';

const COLON = 58;
const ZERO = 48;
const VERSION_AND_LINE_END = ' HTTP/1.1\r\n'.length;
const NO_LENGTH = -1;

/**
 * A request's head that this proxy has written itself (client/request-head.ts): one start line, fields as
 * `name: value`, every byte checked before it was written. So it is read without asking anything again.
 */
export class WrittenHead extends MessageHead {
  /** `bytes[0, length)` is the head with its empty line. */
  read(bytes: Buffer, length: number): void {
    this.bytes = bytes;
    this.base = 0;
    this.length = length;
    const { framing } = this;
    framing.reset();
    let at = 0;
    while (bytes[at] !== SP) at += 1;
    this.methodStart = 0;
    this.methodEnd = at;
    at += 1;
    this.targetStart = at;
    while (bytes[at] !== SP) at += 1;
    this.targetEnd = at;
    at += VERSION_AND_LINE_END;
    let count = 0;
    while (bytes[at] !== CR) {
      if (count === this.ids.length) this.#grow();
      const { fields } = this;
      const index = count * FIELD_STRIDE;
      fields[index] = at;
      const nameStart = at;
      while (bytes[at] !== COLON) at += 1;
      fields[index + NAME_END] = at;
      const id = fieldId(bytes, nameStart, at);
      this.ids[count] = id;
      at += 2;
      let valueStart = at;
      while (bytes[at] !== CR) at += 1;
      let valueEnd = at;
      // RFC 9113 section 8.2.1 has it at neither end; what a filter sets may.
      while (valueStart < valueEnd && isSpace(bytes[valueStart]!)) valueStart += 1;
      while (valueStart < valueEnd && isSpace(bytes[valueEnd - 1]!)) valueEnd -= 1;
      fields[index + VALUE_START] = valueStart;
      fields[index + VALUE_END] = valueEnd;
      if (id === FIELD_ID.HOST) {
        framing.hostStart = valueStart;
        framing.hostEnd = valueEnd;
      } else if (id === FIELD_ID.CONTENT_LENGTH) framing.contentLength = decimal(bytes, valueStart, valueEnd);
      count += 1;
      at += 2;
    }
    this.fieldCount = count;
  }

  get hasLength(): boolean {
    return this.framing.contentLength !== NO_LENGTH;
  }

  #grow(): void {
    const ids = new Uint8Array(Math.max(32, this.ids.length * 2));
    ids.set(this.ids);
    const fields = new Int32Array(ids.length * FIELD_STRIDE);
    fields.set(this.fields);
    this.ids = ids;
    this.fields = fields;
  }
}

function isSpace(byte: number): boolean {
  return byte === SP || byte === HTAB;
}

function decimal(bytes: Buffer, start: number, end: number): number {
  let value = 0;
  for (let at = start; at < end; at += 1) value = value * 10 + bytes[at]! - ZERO;
  return value;
}
