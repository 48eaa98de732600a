import { NEVER_FORWARDED } from '../../wire/http1/field-name.ts';
import { statusLine } from '../../wire/http1/status.ts';
import type { MessageWriter } from '../../wire/http1/writer.ts';
import type { MessageHead } from '../../wire/message/message-head.ts';
import { switchedFields } from '../../wire/websocket/opening-handshake.ts';
import type { HeaderPlan } from '../filters/header-plan.ts';
import type { AnswerAdditions } from './downstream.ts';
import { droppedBy } from './request-head.ts';

export interface ResponseHeadOptions {
  readonly headers: HeaderPlan | null;
  readonly chunked: boolean;
  /** -1 where the answer has none. */
  readonly contentLength: number;
  /** The backend's answer is empty without saying so by its kind. */
  readonly noBody: boolean;
  readonly close: boolean;
  /** The client speaks HTTP/1.0 and wants the connection kept. */
  readonly keepAlive10: boolean;
  /** A whole field that sets a cookie of ours, or empty. */
  readonly setCookie: string;
}

const ASCII = (text: string): Buffer => Buffer.from(text, 'latin1');
const CONTENT_LENGTH = ASCII('Content-Length: ');
const CHUNKED = ASCII('Transfer-Encoding: chunked\r\n');
const CLOSE = ASCII('Connection: close\r\n');
const KEEP_ALIVE = ASCII('Connection: keep-alive\r\n');

/** Writes the head of a backend's final answer as the client gets it; nothing where it throws. */
export function writeResponseHead(
  writer: MessageWriter,
  head: MessageHead,
  options: ResponseHeadOptions,
): void {
  const before = writer.length;
  try {
    writeFinalHead(writer, head, options);
  } catch (error) {
    writer.length = before;
    throw error;
  }
}

function writeFinalHead(writer: MessageWriter, head: MessageHead, options: ResponseHeadOptions): void {
  writer.all(statusLine(head.status));
  writer.fields(head, NEVER_FORWARDED, droppedBy(head, options.headers));
  if (options.headers !== null) writer.all(options.headers.added);
  if (options.setCookie !== '') writer.latin1(options.setCookie);
  if (options.chunked) writer.all(CHUNKED);
  else if (options.contentLength >= 0 || options.noBody) {
    writer.all(CONTENT_LENGTH);
    writer.decimal(Math.max(0, options.contentLength));
    writer.crlf();
  }
  if (options.close) writer.all(CLOSE);
  else if (options.keepAlive10) writer.all(KEEP_ALIVE);
  writer.endHead();
}

/** Writes nothing where it throws. */
export function writeInterimHead(writer: MessageWriter, head: MessageHead): void {
  const before = writer.length;
  try {
    writer.all(statusLine(head.status));
    writer.fields(head, NEVER_FORWARDED, droppedBy(head, null));
    writer.endHead();
  } catch (error) {
    writer.length = before;
    throw error;
  }
}

/** The backend may have agreed over HTTP/2 (RFC 8441 section 5); here it is a 101 in any case. */
export function writeUpgradeHead(
  writer: MessageWriter,
  head: MessageHead,
  { headers, setCookie, webSocketKey }: AnswerAdditions,
): void {
  writer.all(statusLine(101));
  writer.fields(head, NEVER_FORWARDED, droppedBy(head, headers));
  if (headers !== null) writer.all(headers.added);
  if (setCookie !== '') writer.latin1(setCookie);
  if (head.version === 20) writer.latin1(switchedFields(webSocketKey));
  else writer.latin1(`Connection: Upgrade\r\nUpgrade: ${head.combined('upgrade')!}\r\n`);
  writer.endHead();
}
