import type { GrpcStatusName } from '../../model/grpc-status.ts';
import { GRPC_STATUS, GRPC_STATUS_NAMES } from '../../model/grpc-status.ts';
import type { ResponseReason } from '../../model/response-reason.ts';
import type { SocketStream } from '../../os/socket-stream.ts';
import type { GrpcKind } from '../../wire/grpc/content-type.ts';
import { GRPC, NOT_GRPC } from '../../wire/grpc/content-type.ts';
import { grpcKindOf, grpcStatusOf, grpcTimeoutOf } from '../../wire/grpc/head-fields.ts';
import { grpcStatusOfHttp, grpcStatusOfReason } from '../../wire/grpc/status-mapping.ts';
import { TIMEOUT_BYTES, writeGrpcTimeout } from '../../wire/grpc/timeout.ts';
import { NO_LENGTH } from '../../wire/http1/framing.ts';
import type { MessageWriter } from '../../wire/http1/writer.ts';
import type { MessageHead } from '../../wire/message/message-head.ts';
import type { ByteSource } from '../byte-source.ts';
import { OWN_MEMORY } from '../byte-source.ts';
import type { AnswerAdditions, Downstream, LocalAnswer } from '../client/downstream.ts';
import type { ClientOrigin } from '../client-address/client-origin.ts';
import type { ServedPort } from '../served-port.ts';
import type { BodyKind } from '../upstream/upstream-user.ts';
import { BODY_CHUNKED, BODY_NONE } from '../upstream/upstream-user.ts';
import type { GrpcResponses } from './grpc-responses.ts';
import { ownTrailer } from './grpc-trailer.ts';
import { WebBridge } from './web-bridge.ts';

const NO_TIMEOUT = -1;
const NO_STATUS = -1;
const OK = 200;
const TYPE: ReadonlySet<string> = new Set(['content-type']);
const TIMEOUT: ReadonlySet<string> = new Set(['grpc-timeout']);
const TYPE_AND_TIMEOUT: ReadonlySet<string> = new Set([...TYPE, ...TIMEOUT]);

/**
 * A request that is a call of gRPC, and for its Exchange the client that makes it: what goes to the client passes
 * through here, is looked at for its status, and is said in gRPC's way where it is ours.
 *
 *     Exchange ── sendHead, sendBody, sendEnd, sendLocal … ──> GrpcCall ──> HTTP/2 stream | HTTP/1.1 connection
 *                                                                  └─ WebBridge, where the client is a browser
 */
export class GrpcCall implements Downstream {
  /** Null: the client speaks gRPC itself. */
  readonly web: WebBridge | null;
  readonly #client: Downstream;
  readonly #timeoutMs: number;
  /** By the monotonic clock, in ms; Infinity: none. */
  #deadline = Number.POSITIVE_INFINITY;
  /** It is the client's, not the rule's. */
  #isOwnDeadline = false;
  /** Where the block of the request has the timeout; -1: it has none. */
  #timeoutAt = -1;
  #status = NO_STATUS;
  #httpStatus = 0;
  #body: BodyKind = BODY_NONE;
  /** The answer at hand is gRPC, for a browser. */
  #isBridged = false;
  #reason: ResponseReason | '' = '';

  constructor(client: Downstream, head: MessageHead, kind: GrpcKind) {
    this.#client = client;
    this.#timeoutMs = grpcTimeoutOf(head);
    this.web = kind === GRPC ? null : new WebBridge(head, kind);
  }

  /** The call that a request by POST is; null: it is none. `bridged`: the rule takes gRPC-Web. */
  static of(client: Downstream, head: MessageHead, bridged: boolean): GrpcCall | null {
    if (head.version !== 20 && !bridged) return null;
    const kind = grpcKindOf(head);
    if (kind === NOT_GRPC || (kind === GRPC ? bridged || head.version !== 20 : !bridged)) return null;
    return new GrpcCall(client, head, kind);
  }

  /** How long it may take in ms, where its rule says `ruleMs`; 0: for ever, in both. */
  limit(ruleMs: number, now: number): number {
    const own = this.#timeoutMs;
    this.#isOwnDeadline = own !== NO_TIMEOUT && (ruleMs === 0 || own < ruleMs);
    // A timeout of nothing is one all the same.
    const limit = this.#isOwnDeadline ? Math.max(own, Number.MIN_VALUE) : ruleMs;
    if (limit > 0) this.#deadline = now + limit;
    return limit;
  }

  /** Why it ends when that time is over. */
  get lateReason(): 'deadline_exceeded' | 'upstream_timeout' {
    return this.#isOwnDeadline ? 'deadline_exceeded' : 'upstream_timeout';
  }

  /** Fields of the client, in lower case, in whose place `writeFields` puts others; null: there are none. */
  get rewritten(): ReadonlySet<string> | null {
    if (this.#timeoutMs === NO_TIMEOUT) return this.web === null ? null : TYPE;
    return this.web === null ? TIMEOUT : TYPE_AND_TIMEOUT;
  }

  get isText(): boolean {
    return this.web?.isText === true;
  }

  writeFields(writer: MessageWriter): void {
    if (this.web !== null) writer.latin1(`content-type: ${this.web.contentType}\r\n`);
    if (this.#timeoutMs === NO_TIMEOUT) return;
    writer.latin1('grpc-timeout: ');
    this.#timeoutAt = writer.length;
    writer.latin1('0'.repeat(TIMEOUT_BYTES));
    writer.crlf();
  }

  /** What is left of the deadline goes to the backend that `block` is sent to. */
  renewTimeout(block: MessageWriter, now: number): void {
    if (this.#timeoutAt !== -1) writeGrpcTimeout(block.block, this.#timeoutAt, this.#deadline - now);
  }

  /** Nothing more is to come; `reason`: it was ended by us. Returns the name of its status. */
  over(responses: GrpcResponses, route: string | null, reason: ResponseReason | ''): GrpcStatusName {
    this.#reason = reason;
    if (this.#status === NO_STATUS)
      this.#status =
        reason !== ''
          ? grpcStatusOfReason(reason)
          : this.#httpStatus === OK
            ? GRPC_STATUS.UNKNOWN
            : grpcStatusOfHttp(this.#httpStatus);
    const name = GRPC_STATUS_NAMES[this.#status] ?? 'UNKNOWN';
    if (route !== null) responses.add(route, name);
    return name;
  }

  sendHead(head: MessageHead, body: BodyKind, isHead: boolean, additions: AnswerAdditions): void {
    this.#httpStatus = head.status;
    this.#body = body;
    if (body === BODY_NONE) this.#status = grpcStatusOf(head);
    const { web } = this;
    this.#isBridged = web !== null && grpcKindOf(head) === GRPC;
    if (!this.#isBridged) {
      this.#client.sendHead(head, body, isHead, additions);
      return;
    }
    if (body !== BODY_NONE) {
      // Trailers come on top of it, and base64.
      head.framing.contentLength = NO_LENGTH;
      this.#body = BODY_CHUNKED;
    }
    this.#client.sendHead(head, this.#body, isHead, {
      ...additions,
      headers: web!.answerPlan(additions.headers),
    });
  }

  sendBody(bytes: Buffer, start: number, end: number, source: ByteSource): void {
    if (!this.#isBridged) {
      this.#client.sendBody(bytes, start, end, source);
      return;
    }
    const piece = this.web!.encode(bytes, start, end);
    if (piece === null) this.#client.sendBody(bytes, start, end, source);
    else if (piece.length > 0) this.#client.sendBody(piece, 0, piece.length, OWN_MEMORY);
  }

  sendEnd(trailer: MessageHead | null): void {
    if (trailer !== null) this.#status = grpcStatusOf(trailer);
    if (!this.#isBridged || this.#body === BODY_NONE) {
      this.#client.sendEnd(trailer);
      return;
    }
    const last = this.web!.trailers(trailer);
    if (last.length > 0) this.#client.sendBody(last, 0, last.length, OWN_MEMORY);
    this.#client.sendEnd(null);
  }

  sendLocal(answer: LocalAnswer): number {
    const status = grpcStatusOfReason(answer.reason, answer.status);
    this.#status = status;
    const contentType = this.web === null ? 'application/grpc' : this.web.answerType;
    return this.#client.sendLocal({ ...answer, grpc: { status, contentType } });
  }

  /** An answer that has begun and that nobody goes on with ends by trailers that say why. */
  cutAnswer(): void {
    const isEndable = this.#body === BODY_CHUNKED && this.#reason !== '';
    const isReadable = this.web === null || (this.#isBridged && this.web.isBetweenMessages);
    if (!isEndable || !isReadable) {
      this.#client.cutAnswer();
      return;
    }
    this.sendEnd(ownTrailer(this.#status, this.#reason as ResponseReason));
    this.#client.answered();
  }

  get port(): ServedPort {
    return this.#client.port;
  }

  get origin(): ClientOrigin {
    return this.#client.origin;
  }

  get protocol(): string {
    return this.#client.protocol;
  }

  get isBlocked(): boolean {
    return this.#client.isBlocked;
  }

  get keepAlive(): boolean {
    return this.#client.keepAlive;
  }

  set keepAlive(keepAlive: boolean) {
    this.#client.keepAlive = keepAlive;
  }

  sendInterim(head: MessageHead): void {
    this.#client.sendInterim(head);
  }

  sendUpgrade(head: MessageHead, additions: AnswerAdditions): void {
    this.#client.sendUpgrade(head, additions);
  }

  sendTunnel(bytes: Buffer, start: number, end: number, source: SocketStream): void {
    this.#client.sendTunnel(bytes, start, end, source);
  }

  endTunnel(): void {
    this.#client.endTunnel();
  }

  endAfterWrites(): void {
    this.#client.endAfterWrites();
  }

  answered(): void {
    this.#client.answered();
  }

  cut(visibly: boolean): void {
    this.#client.cut(visibly);
  }

  leave(isUnderWay: boolean): void {
    this.#client.leave(isUnderWay);
  }

  pauseRequest(): void {
    this.#client.pauseRequest();
  }

  resumeRequest(): void {
    this.#client.resumeRequest();
  }

  awaitBody(): void {
    this.#client.awaitBody();
  }

  flush(): void {
    this.#client.flush();
  }

  rest(): void {
    this.#client.rest();
  }

  onFault(error: unknown): void {
    this.#client.onFault(error);
  }
}
