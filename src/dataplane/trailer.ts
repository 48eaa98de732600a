import { FIELD_ID } from '../wire/http1/field-name.ts';
import { MessageWriter } from '../wire/http1/writer.ts';
import type { MessageHead } from '../wire/message/message-head.ts';

/** Of the trailer fields those that may be forwarded (RFC 9110 section 6.5.1). */
export const NOT_IN_TRAILER = new Uint8Array(32).fill(1);
NOT_IN_TRAILER[FIELD_ID.OTHER] = 0;

/** The last chunk with its trailer section. */
export function writeTrailer(trailer: MessageHead): Buffer {
  const writer = new MessageWriter(trailer.length + 256);
  writer.latin1('0\r\n');
  writer.fields(trailer, NOT_IN_TRAILER, null);
  writer.crlf();
  return writer.block.subarray(0, writer.length);
}
