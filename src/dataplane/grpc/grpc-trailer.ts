import type { ResponseReason } from '../../model/response-reason.ts';
import { encodeStatusMessage } from '../../wire/grpc/status-message.ts';
import { HeadParser, RESPONSE_HEADS } from '../../wire/http1/head-parser.ts';
import type { MessageHead } from '../../wire/message/message-head.ts';

/** Trailers of NovaEdge itself, for an answer that has begun and does not come to its own end. */
export function ownTrailer(status: number, reason: ResponseReason): MessageHead {
  const fields =
    `grpc-status: ${status}\r\ngrpc-message: ${encodeStatusMessage(reason)}\r\n` +
    `x-novaedge-reason: ${reason}\r\n\r\n`;
  const bytes = Buffer.from(fields, 'latin1');
  const trailer = new HeadParser('trailer', RESPONSE_HEADS);
  trailer.parse(bytes, 0, bytes.length);
  return trailer;
}
