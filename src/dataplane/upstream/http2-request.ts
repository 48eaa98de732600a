import type { Http2Connection } from '../../wire/h2/connection.ts';
import type { Http2Stream } from '../../wire/h2/stream.ts';
import { FIELD_EXTRA_BYTES } from '../../wire/hpack/encoder.ts';
import { FIELD_ID } from '../../wire/http1/field-name.ts';
import { UPGRADE_ONLY, WEBSOCKET } from '../../wire/websocket/opening-handshake.ts';
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

const isUpgradeOnly = (name: string): boolean => UPGRADE_ONLY.has(name);

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
    encoder.field(writer, ':protocol', WEBSOCKET);
  } else encoder.method(writer, bytes, head.methodStart, head.methodEnd);
  encoder.scheme(writer, isSecure);
  if (framing.hostEnd > framing.hostStart)
    encoder.authority(writer, head.text(framing.hostStart, framing.hostEnd));
  encoder.path(writer, bytes, head.targetStart, head.targetEnd);
  encoder.fields(writer, head, NOT_IN_HTTP2, isWebSocket ? isUpgradeOnly : null);
  if (acceptsTrailers) encoder.field(writer, 'te', 'trailers');
  stream.endHead(endsWithHead);
  return framing.contentLength;
}
