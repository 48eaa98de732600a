import type { Http2Fault } from '../../wire/h2/http2-fault.ts';
import type { MessageHead } from '../../wire/message/message-head.ts';
import { methodOf } from '../client/method.ts';
import type { ClientOrigin } from '../client-address/client-origin.ts';
import type { Context } from '../context.ts';
import type { ServedPort } from '../served-port.ts';

/** As an answer would have it, if one were given. */
const STATUS = 400;
const QUESTION_MARK = '?';

/**
 * A line of the access log for a request whose stream was reset because of its head: all that its client hears is
 * PROTOCOL_ERROR, and here it can be looked up why. Method and path as far as they have been read.
 */
export function logMalformed(
  { accessLog }: Context,
  port: ServedPort,
  origin: ClientOrigin,
  fault: Http2Fault,
  head: MessageHead,
): void {
  if (accessLog === null) return;
  const target = head.text(head.targetStart, head.targetEnd);
  const query = target.indexOf(QUESTION_MARK);
  accessLog.write({
    listener: port.firstListener?.name ?? '',
    route: '',
    protocol: 'HTTP/2',
    method: methodOf(head),
    host: '',
    path: query === -1 ? target : target.slice(0, query),
    status: STATUS,
    grpcStatus: '',
    reason: 'bad_request',
    detail: head.fault ?? fault,
    bytesIn: 0,
    bytesOut: 0,
    durationMs: 0,
    attempts: 0,
    upstream: '',
    upstreamMs: 0,
    connectFailure: '',
    requestId: '',
    client: origin.client,
    secured: origin.secured,
  });
}
