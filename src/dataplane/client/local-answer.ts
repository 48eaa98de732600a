import type { ResponseReason } from '../../model/response-reason.ts';
import { reasonPhrase } from '../../wire/http1/status.ts';

/**
 * An answer of NovaEdge itself, whole. `close` where the connection ends after it; for HEAD the body is left out
 * but not its length.
 */
export function localAnswer(
  status: number,
  reason: ResponseReason,
  options: {
    readonly close: boolean;
    readonly keepAlive10: boolean;
    readonly isHead: boolean;
    readonly headers: string;
  },
): string {
  const body = `${status} ${reasonPhrase(status)}: ${reason}\n`;
  const connection = options.close
    ? 'Connection: close\r\n'
    : options.keepAlive10
      ? 'Connection: keep-alive\r\n'
      : '';
  return (
    `HTTP/1.1 ${status} ${reasonPhrase(status)}\r\n${options.headers}` +
    `Content-Type: text/plain; charset=utf-8\r\nx-novaedge-reason: ${reason}\r\n${connection}` +
    `Content-Length: ${body.length}\r\n\r\n${options.isHead ? '' : body}`
  );
}
