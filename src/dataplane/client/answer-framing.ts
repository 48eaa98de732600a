import type { MessageHead } from '../../wire/message/message-head.ts';
import type { BodyKind } from '../upstream/upstream-user.ts';
import { BODY_CHUNKED, BODY_CLOSE, BODY_NONE } from '../upstream/upstream-user.ts';
import type { AnswerAdditions } from './downstream.ts';
import type { ResponseHeadOptions } from './response-head.ts';

/** How a client is told where the answer to its request ends. */
export class AnswerFraming {
  /** The client speaks HTTP/1.1. */
  is11 = true;
  chunked = false;
  /** Nothing but the end of the connection ends it (RFC 9112 section 6.3). */
  toClose = false;

  reset(is11: boolean): void {
    this.is11 = is11;
    this.chunked = false;
    this.toClose = false;
  }

  begin(body: BodyKind): void {
    const unknownLength = body === BODY_CHUNKED || body === BODY_CLOSE;
    this.chunked = unknownLength && this.is11;
    this.toClose = unknownLength && !this.is11;
  }

  options(
    head: MessageHead,
    body: BodyKind,
    isHead: boolean,
    keepAlive: boolean,
    { headers, setCookie }: AnswerAdditions,
  ): ResponseHeadOptions {
    return {
      headers,
      chunked: this.chunked,
      contentLength: this.chunked || this.toClose ? -1 : head.framing.contentLength,
      noBody: body === BODY_NONE && !isHead && head.status !== 204 && head.status !== 304,
      close: !keepAlive,
      keepAlive10: keepAlive && !this.is11,
      setCookie,
    };
  }
}
