import {
  FIELD_ID,
  NEVER_FORWARDED_IN_REQUEST,
  NEVER_FORWARDED_OF_CLIENT,
} from '../../wire/http1/field-name.ts';
import { connectionNames } from '../../wire/http1/framing.ts';
import type { RequestTarget } from '../../wire/http1/target.ts';
import { MessageWriter } from '../../wire/http1/writer.ts';
import type { MessageHead } from '../../wire/message/message-head.ts';
import { FIELD_STRIDE, latin1, VALUE_END, VALUE_START } from '../../wire/message/message-head.ts';
import type { ClientOrigin } from '../client-address/client-origin.ts';
import { forwardingBytes, writeForwardingFields } from '../client-address/forwarding-fields.ts';
import type { HeaderPlan } from '../filters/header-plan.ts';
import type { GrpcCall } from '../grpc/grpc-call.ts';
import type { RequestIds } from '../request-id.ts';
import { isSaneRequestId } from '../request-id.ts';
import type { ClientIdentity } from '../tls/secured.ts';
import type { UpgradeRequest } from './upgrade-request.ts';

export interface RequestHeadOptions {
  readonly origin: ClientOrigin;
  /** Of the listener. */
  readonly port: number;
  readonly requestIds: RequestIds;
  readonly headers: HeaderPlan | null;
  /** Host towards the backend where it is not the client's. */
  readonly hostname: string | null;
  /** Path towards the backend where it is not the client's. */
  readonly path: string | null;
  /** Null: it asks for none. */
  readonly upgrade: UpgradeRequest | null;
  readonly expectContinue: boolean;
  readonly hasBody: boolean;
  /** Null: it is no call of gRPC. */
  readonly grpc: GrpcCall | null;
}

const ASCII = (text: string): Buffer => Buffer.from(text, 'latin1');
const VERSION_HOST = ASCII(' HTTP/1.1\r\nHost: ');
const FORWARDED_FOR = ASCII('X-Forwarded-For: ');
/** What stands between address and port where no filter has changed any of them. */
const FORWARDED_REST = ASCII('\r\nX-Forwarded-Proto: http\r\nX-Forwarded-Port: ');
const FORWARDED_REST_SECURE = ASCII('\r\nX-Forwarded-Proto: https\r\nX-Forwarded-Port: ');
const FORWARDED_PROTO = ASCII('X-Forwarded-Proto: http\r\n');
const FORWARDED_PROTO_SECURE = ASCII('X-Forwarded-Proto: https\r\n');
const FORWARDED_PORT = ASCII('X-Forwarded-Port: ');
const FORWARDED_HOST = ASCII('X-Forwarded-Host: ');
const REQUEST_ID = ASCII('X-Request-Id: ');
const CONTENT_LENGTH = ASCII('Content-Length: ');
const CHUNKED = ASCII('Transfer-Encoding: chunked\r\n');
const CONTINUE = ASCII('Expect: 100-continue\r\n');
/** More than everything that is written besides the client's own head. */
const EXTRA_BYTES = 1024;

/**
 * Writes the head of a request as a backend gets it: one start line, Host first, the client's end-to-end fields,
 * what the filters set, where the request came from, one framing. Returns `block`, or a larger one.
 *
 * What anybody whose word is not taken says in Forwarded and X-Forwarded-* is replaced.
 */
export function writeRequestHead(
  block: MessageWriter,
  head: MessageHead,
  target: RequestTarget,
  options: RequestHeadOptions,
): MessageWriter {
  const plan = options.headers;
  const hostname = options.hostname ?? target.authority;
  const { origin } = options;
  const asked = origin.addressing?.concernsRequests === true;
  const { secured } = origin;
  const wanted =
    (secured?.client?.field.length ?? 0) +
    (asked ? forwardingBytes(origin, target) : 0) +
    head.length +
    EXTRA_BYTES +
    2 * target.authority.length +
    (plan?.added.length ?? 0) +
    (options.path?.length ?? 0) +
    hostname.length;
  const writer = wanted > block.room ? new MessageWriter(wanted) : block;
  const bytes = head.bytes;
  const base = head.base;
  const isVerbatim = target.verbatim && options.path === null && target.start === head.targetStart;
  if (isVerbatim && head.protocol === '') {
    writer.bytes(bytes, base + head.methodStart, base + head.targetEnd);
  } else {
    if (head.protocol === '') writer.bytes(bytes, base + head.methodStart, base + head.methodEnd + 1);
    // An extended CONNECT is the GET of HTTP/1.1 (RFC 8441 section 5).
    else writer.latin1('GET ');
    writer.latin1(options.path ?? target.path);
    writer.latin1(target.query);
  }
  writer.all(VERSION_HOST);
  writer.latin1(hostname);
  writer.crlf();
  const never = origin.isTrusted ? NEVER_FORWARDED_IN_REQUEST : NEVER_FORWARDED_OF_CLIENT;
  const rewritten = options.upgrade?.dropped ?? options.grpc?.rewritten ?? null;
  writer.fields(head, never, droppedBy(head, plan, rewritten, secured?.clientCertificateHeader));
  const dropped = plan === null ? null : plan.dropped;
  if (asked) writeForwardingFields(writer, head, target, options, dropped);
  else writeOrigin(writer, target, options, dropped);
  if (secured?.client != null)
    writeClientCertificate(writer, secured.clientCertificateHeader, secured.client, dropped);
  idStart = -1;
  if (dropped === null || !dropped.has('x-request-id')) writeRequestId(writer, head, options.requestIds);
  if (plan !== null) writer.all(plan.added);
  options.grpc?.writeFields(writer);
  if (options.upgrade !== null) writer.latin1(options.upgrade.lines);
  if (options.expectContinue) writer.all(CONTINUE);
  if (head.framing.chunked || options.grpc?.isText === true) writer.all(CHUNKED);
  else if (head.framing.contentLength >= 0) {
    writer.all(CONTENT_LENGTH);
    writer.decimal(head.framing.contentLength);
    writer.crlf();
  }
  writer.endHead();
  return writer;
}

/** What a backend is told of a client that nobody speaks for. */
function writeOrigin(
  writer: MessageWriter,
  target: RequestTarget,
  options: RequestHeadOptions,
  dropped: ReadonlySet<string> | null,
): void {
  if (dropped === null) {
    writer.all(FORWARDED_FOR);
    writer.latin1(options.origin.peer);
    writer.all(options.origin.secured === null ? FORWARDED_REST : FORWARDED_REST_SECURE);
    writer.decimal(options.port);
    writer.crlf();
  } else {
    if (!dropped.has('x-forwarded-for')) {
      writer.all(FORWARDED_FOR);
      writer.latin1(options.origin.peer);
      writer.crlf();
    }
    if (!dropped.has('x-forwarded-proto'))
      writer.all(options.origin.secured === null ? FORWARDED_PROTO : FORWARDED_PROTO_SECURE);
    if (!dropped.has('x-forwarded-port')) {
      writer.all(FORWARDED_PORT);
      writer.decimal(options.port);
      writer.crlf();
    }
  }
  if (target.authority !== '' && dropped?.has('x-forwarded-host') !== true) {
    writer.all(FORWARDED_HOST);
    writer.latin1(target.authority);
    writer.crlf();
  }
}

/** Who the client is by its certificate. */
function writeClientCertificate(
  writer: MessageWriter,
  name: string,
  client: ClientIdentity,
  dropped: ReadonlySet<string> | null,
): void {
  if (dropped?.has(name) !== true) writer.latin1(`${name}: ${client.field}\r\n`);
}

/** Where the head that was written last has its request id; -1: a filter has its word there. */
let idStart = -1;
let idEnd = -1;

function writeRequestId(writer: MessageWriter, head: MessageHead, ids: RequestIds): void {
  writer.all(REQUEST_ID);
  idStart = writer.length;
  const field = head.find(FIELD_ID.X_REQUEST_ID);
  if (field !== -1) {
    const start = head.base + head.fields[field * FIELD_STRIDE + VALUE_START]!;
    const end = head.base + head.fields[field * FIELD_STRIDE + VALUE_END]!;
    if (isSaneRequestId(head.bytes, start, end)) {
      writer.bytes(head.bytes, start, end);
      idEnd = writer.length;
      writer.crlf();
      return;
    }
  }
  ids.write(writer);
  idEnd = writer.length;
  writer.crlf();
}

/**
 * Fields that go besides those that always go: named by Connection, by a filter, `rewritten` by us, or `own`, which
 * nobody else may write. Null where there are none.
 */
export function droppedBy(
  head: MessageHead,
  plan: HeaderPlan | null,
  rewritten: ReadonlySet<string> | null = null,
  own = '',
): ((name: string) => boolean) | null {
  const named = head.framing.namedFields ? head.combined('connection') : null;
  if (named === null && plan === null && rewritten === null && own === '') return null;
  return (name) =>
    name === own ||
    plan?.dropped.has(name) === true ||
    rewritten?.has(name) === true ||
    (named !== null && connectionNames(named, name));
}

/** h2c is not spoken here, and must not be tunnelled past the routes. */
export function isHttp2Upgrade(head: MessageHead): boolean {
  return /(^|[\s,])h2c?($|[\s,;])/i.test(head.combined('upgrade') ?? '');
}

/** RFC 9110 section 10.1.4; a backend of gRPC takes no request without. */
export function acceptsTrailers(head: MessageHead): boolean {
  return head.find(FIELD_ID.TE) !== -1 && /(^|[\s,])trailers($|[\s,])/i.test(head.combined('te')!);
}

/** Of the head that has just been written to `block`, as the backend gets it; empty where a filter took it away. */
export function writtenRequestId(block: MessageWriter): string {
  if (idStart !== -1) return latin1(block.block, idStart, idEnd);
  const text = block.block.toString('latin1', 0, block.length);
  const match = /\r\nx-request-id: ([^\r]*)/i.exec(text);
  return match === null ? '' : match[1]!;
}
