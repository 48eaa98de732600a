import type { ResponseReason } from '../../model/response-reason.ts';
import type { Fault } from '../../wire/http1/fault.ts';
import { FAULTS } from '../../wire/http1/fault.ts';
import { reasonPhrase } from '../../wire/http1/status.ts';
import type { MessageWriter } from '../../wire/http1/writer.ts';

/**
 * Writes an answer of NovaEdge itself, whole. `close` where the connection ends after it; for HEAD the body is left out
 * but not its length. Returns the bytes of body written.
 */
export function writeLocalAnswer(
  writer: MessageWriter,
  status: number,
  reason: ResponseReason,
  options: {
    readonly close: boolean;
    readonly keepAlive10: boolean;
    readonly isHead: boolean;
    readonly headers: string;
    /** What exactly was wrong, as far as a reason does not say it; or empty. */
    readonly detail: string;
  },
): number {
  const detail = options.detail === '' ? '' : ` (${options.detail})`;
  const body = `${status} ${reasonPhrase(status)}: ${reason}${detail}\n`;
  const connection = options.close
    ? 'Connection: close\r\n'
    : options.keepAlive10
      ? 'Connection: keep-alive\r\n'
      : '';
  writer.latin1(
    `HTTP/1.1 ${status} ${reasonPhrase(status)}\r\n${options.headers}` +
      `Content-Type: text/plain; charset=utf-8\r\nx-novaedge-reason: ${reason}\r\n${connection}` +
      `Content-Length: ${body.length}\r\n\r\n${options.isHead ? '' : body}`,
  );
  return options.isHead ? 0 : body.length;
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
