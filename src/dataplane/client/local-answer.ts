import type { ResponseReason } from '../../model/response-reason.ts';
import { encodeStatusMessage } from '../../wire/grpc/status-message.ts';
import type { Fault } from '../../wire/http1/fault.ts';
import { FAULTS } from '../../wire/http1/fault.ts';
import { reasonPhrase } from '../../wire/http1/status.ts';
import type { MessageWriter } from '../../wire/http1/writer.ts';
import type { LocalAnswer } from './downstream.ts';

/** In `grpc-message`. */
export function grpcMessage({ reason, detail }: LocalAnswer): string {
  return encodeStatusMessage(detail === '' ? reason : `${reason} (${detail})`);
}

/** What a client reads of an answer of NovaEdge itself. */
export function localBody({ status, reason, detail }: LocalAnswer): string {
  return `${status} ${reasonPhrase(status)}: ${reason}${detail === '' ? '' : ` (${detail})`}\n`;
}

/** Writes it whole; for HEAD the body is left out but not its length. Returns the bytes of body written. */
export function writeLocalAnswer(
  writer: MessageWriter,
  answer: LocalAnswer,
  /** `close`: the connection ends after it. */
  { close, keepAlive10 }: { readonly close: boolean; readonly keepAlive10: boolean },
): number {
  const { reason, isHead, grpc } = answer;
  const status = grpc === undefined ? answer.status : 200;
  const body = grpc === undefined ? localBody(answer) : '';
  const type =
    grpc === undefined
      ? 'text/plain; charset=utf-8'
      : `${grpc.contentType}\r\ngrpc-status: ${grpc.status}\r\ngrpc-message: ${grpcMessage(answer)}`;
  const connection = close ? 'Connection: close\r\n' : keepAlive10 ? 'Connection: keep-alive\r\n' : '';
  writer.latin1(
    `HTTP/1.1 ${status} ${reasonPhrase(status)}\r\n${answer.headers}` +
      `Content-Type: ${type}\r\nx-novaedge-reason: ${reason}\r\n${connection}` +
      `Content-Length: ${body.length}\r\n\r\n${isHead ? '' : body}`,
  );
  return isHead ? 0 : body.length;
}

export function faultReason(fault: Fault): ResponseReason {
  switch (FAULTS[fault]) {
    case 414:
      return 'request_line_too_long';
    case 431:
      return 'headers_too_large';
    case 417:
      return 'expectation_failed';
    case 505:
      return 'version_not_supported';
    default:
      return 'bad_request';
  }
}
