import type { Http2Connection } from '../../wire/h2/connection.ts';
import type { Http2Stream } from '../../wire/h2/stream.ts';
import { FIELD_EXTRA_BYTES } from '../../wire/hpack/encoder.ts';
import { FIELD_ID } from '../../wire/http1/field-name.ts';
import type { MessageHead } from '../../wire/message/message-head.ts';
import { NOT_IN_TRAILER } from '../trailer.ts';
import type { RequestParts } from './request-parts.ts';
import { WrittenHead } from './written-head.ts';

/** Pseudo fields, `te` and a few bytes besides. */
const EXTRA_BYTES = 128;
const CONNECT = Buffer.from('CONNECT');

/** What HTTP/2 says in another way, or must not say (RFC 9113 section 8.2.2). */
const NOT_IN_HTTP2 = new Uint8Array(32);
for (const id of [
  FIELD_ID.HOST,
  FIELD_ID.CONNECTION,
  FIELD_ID.TRANSFER_ENCODING,
  FIELD_ID.UPGRADE,
  FIELD_ID.TE,
  FIELD_ID.KEEP_ALIVE,
  FIELD_ID.PROXY_CONNECTION,
  FIELD_ID.HTTP2_SETTINGS,
])
  NOT_IN_HTTP2[id] = 1;

/** Proof of an upgrade, which an extended CONNECT does without (RFC 8441 section 5). */
const isUpgradeProof = (name: string): boolean => name === 'sec-websocket-key';

export interface RequestEncoding {
  /** The connection is one of TLS. */
  readonly isSecure: boolean;
  /** As extended CONNECT (RFC 8441). */
  readonly isWebSocket: boolean;
  readonly endsWithHead: boolean;
}

/** A request is encoded before the next one is looked at. */
const written = new WrittenHead();

/** Sends the head of a request. Returns the content-length that it announces, or -1. */
export function encodeRequest(
  { encoder }: Http2Connection,
  stream: Http2Stream,
  { block, headLength, acceptsTrailers }: RequestParts,
  { isSecure, isWebSocket, endsWithHead }: RequestEncoding,
): number {
  const head = written;
  head.read(block.block, headLength);
  const { bytes, framing } = head;
  const writer = stream.beginHead(headLength + head.fieldCount * FIELD_EXTRA_BYTES + EXTRA_BYTES);
  encoder.begin(writer);
  if (isWebSocket) {
    encoder.method(writer, CONNECT, 0, CONNECT.length);
    encoder.field(writer, ':protocol', 'websocket');
  } else encoder.method(writer, bytes, head.methodStart, head.methodEnd);
  encoder.scheme(writer, isSecure);
  if (framing.hostEnd > framing.hostStart)
    encoder.authority(writer, head.text(framing.hostStart, framing.hostEnd));
  encoder.path(writer, bytes, head.targetStart, head.targetEnd);
  encoder.fields(writer, head, NOT_IN_HTTP2, isWebSocket ? isUpgradeProof : null);
  if (acceptsTrailers) encoder.field(writer, 'te', 'trailers');
  stream.endHead(endsWithHead);
  return framing.contentLength;
}

/** Sends trailers as the end of the stream; where none of them may be forwarded (RFC 9110 section 6.5.1), its end. */
export function encodeTrailer({ encoder }: Http2Connection, stream: Http2Stream, trailer: MessageHead): void {
  let size = 0;
  for (let field = 0; field < trailer.fieldCount; field += 1)
    if (NOT_IN_TRAILER[trailer.ids[field]!] === 0) size += FIELD_EXTRA_BYTES;
  if (size === 0) {
    stream.sendData(bytesOfNothing, 0, 0, true);
    return;
  }
  const writer = stream.beginHead(trailer.length + size + EXTRA_BYTES);
  encoder.begin(writer);
  encoder.fields(writer, trailer, NOT_IN_TRAILER, null);
  stream.endHead(true);
}

const bytesOfNothing = Buffer.alloc(0);

/** What proves to a client of HTTP/1.1 that its websocket was understood; empty where it asked for none. */
export function websocketKey(block: Buffer, headLength: number): string {
  written.read(block, headLength);
  return written.combined('sec-websocket-key') ?? '';
}
