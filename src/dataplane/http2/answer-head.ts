import type { Http2Stream } from '../../wire/h2/stream.ts';
import type { HpackEncoder } from '../../wire/hpack/encoder.ts';
import { FIELD_EXTRA_BYTES } from '../../wire/hpack/encoder.ts';
import { NEVER_FORWARDED } from '../../wire/http1/field-name.ts';
import { MessageWriter } from '../../wire/http1/writer.ts';
import type { MessageHead } from '../../wire/message/message-head.ts';
import { UPGRADE_ONLY } from '../../wire/websocket/opening-handshake.ts';
import type { AnswerAdditions, GrpcAnswer, LocalAnswer } from '../client/downstream.ts';
import { grpcMessage, localBody } from '../client/local-answer.ts';
import { droppedBy } from '../client/request-head.ts';
import { NOT_IN_TRAILER } from '../trailer.ts';
import type { BodyKind } from '../upstream/upstream-user.ts';
import { BODY_NONE } from '../upstream/upstream-user.ts';

/** What is written besides the fields of others: status, length, type and reason. */
const OWN_BYTES = 256;

/** Of so many fields that take `bytes` as lines. */
function room(bytes: number, fields: number): number {
  return bytes + fields * FIELD_EXTRA_BYTES + OWN_BYTES;
}

/** Lines are never shorter than this. */
const SHORTEST_LINE = 5;

function roomOfLines(bytes: number): number {
  return room(bytes, bytes / SHORTEST_LINE);
}

export interface AnswerHead extends AnswerAdditions {
  readonly isHead: boolean;
  readonly body: BodyKind;
  /** Nothing follows. */
  readonly ended: boolean;
}

function sendText(writer: MessageWriter, encoder: HpackEncoder, lines: string): void {
  const bytes = Buffer.from(lines, 'latin1');
  encoder.lines(writer, bytes, 0, bytes.length);
}

/** A backend's final answer as the client gets it. */
export function sendAnswerHead(
  stream: Http2Stream,
  encoder: HpackEncoder,
  head: MessageHead,
  { headers, setCookie, isHead, body, ended }: AnswerHead,
): void {
  const { status } = head;
  const more = (headers?.added.length ?? 0) + setCookie.length;
  const writer = stream.beginHead(room(head.length, head.fieldCount) + roomOfLines(more));
  encoder.status(writer, status);
  encoder.fields(writer, head, NEVER_FORWARDED, droppedBy(head, headers));
  if (headers !== null) encoder.lines(writer, headers.added, 0, headers.added.length);
  if (setCookie !== '') sendText(writer, encoder, setCookie);
  const { contentLength } = head.framing;
  if (contentLength >= 0) encoder.contentLength(writer, contentLength);
  else if (ended && body === BODY_NONE && !isHead && status >= 200 && status !== 204 && status !== 304)
    encoder.contentLength(writer, 0);
  stream.endHead(ended);
}

/** A WebSocket has been agreed to, by an HTTP/1.1 backend with a 101 (RFC 8441 section 5). */
export function sendTunnelHead(
  stream: Http2Stream,
  encoder: HpackEncoder,
  head: MessageHead,
  { headers, setCookie }: AnswerAdditions,
): void {
  const more = (headers?.added.length ?? 0) + setCookie.length;
  const writer = stream.beginHead(room(head.length, head.fieldCount) + roomOfLines(more));
  encoder.status(writer, 200);
  const dropped = droppedBy(head, headers);
  encoder.fields(writer, head, NEVER_FORWARDED, (name) => UPGRADE_ONLY.has(name) || dropped?.(name) === true);
  if (headers !== null) encoder.lines(writer, headers.added, 0, headers.added.length);
  if (setCookie !== '') sendText(writer, encoder, setCookie);
  stream.endHead(false);
}

export function sendInterimHead(stream: Http2Stream, encoder: HpackEncoder, head: MessageHead): void {
  const writer = stream.beginHead(room(head.length, head.fieldCount));
  encoder.status(writer, head.status);
  encoder.fields(writer, head, NEVER_FORWARDED, droppedBy(head, null));
  stream.endHead(false);
}

/** Of an answer of NovaEdge itself; its body follows, unless it was asked for by HEAD. */
export function sendLocalHead(stream: Http2Stream, encoder: HpackEncoder, answer: LocalAnswer): void {
  const { grpc } = answer;
  if (grpc !== undefined) {
    sendTrailersOnly(stream, encoder, answer, grpc);
    return;
  }
  const body = localBody(answer);
  const writer = stream.beginHead(roomOfLines(answer.headers.length));
  encoder.status(writer, answer.status);
  if (answer.headers !== '') sendText(writer, encoder, answer.headers);
  encoder.field(writer, 'content-type', 'text/plain; charset=utf-8');
  encoder.field(writer, 'x-novaedge-reason', answer.reason);
  encoder.contentLength(writer, body.length);
  stream.endHead(answer.isHead);
}

/** gRPC over HTTP/2, Responses: head and trailers in one. */
function sendTrailersOnly(
  stream: Http2Stream,
  encoder: HpackEncoder,
  answer: LocalAnswer,
  { status, contentType }: GrpcAnswer,
): void {
  const message = grpcMessage(answer);
  const writer = stream.beginHead(roomOfLines(answer.headers.length) + message.length);
  encoder.status(writer, 200);
  encoder.field(writer, 'content-type', contentType);
  encoder.field(writer, 'grpc-status', String(status));
  encoder.field(writer, 'grpc-message', message);
  if (answer.headers !== '') sendText(writer, encoder, answer.headers);
  encoder.field(writer, 'x-novaedge-reason', answer.reason);
  stream.endHead(true);
}

/** Fields of trailers that wait for the body before them, as lines. */
export function trailerLines(trailer: MessageHead): Buffer {
  const writer = new MessageWriter(trailer.length + OWN_BYTES);
  writer.fields(trailer, NOT_IN_TRAILER, null);
  return writer.written;
}

export function sendTrailerLines(stream: Http2Stream, encoder: HpackEncoder, lines: Buffer): void {
  const writer = stream.beginHead(roomOfLines(lines.length));
  encoder.lines(writer, lines, 0, lines.length);
  stream.endHead(true);
}

export function sendTrailer(stream: Http2Stream, encoder: HpackEncoder, trailer: MessageHead): void {
  const writer = stream.beginHead(room(trailer.length, trailer.fieldCount));
  encoder.fields(writer, trailer, NOT_IN_TRAILER, null);
  stream.endHead(true);
}
