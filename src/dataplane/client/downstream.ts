import type { ResponseReason } from '../../model/response-reason.ts';
import type { SocketStream } from '../../os/socket-stream.ts';
import type { Http2Fault } from '../../wire/h2/http2-fault.ts';
import type { Fault } from '../../wire/http1/fault.ts';
import type { MessageHead } from '../../wire/message/message-head.ts';
import type { ByteSource } from '../byte-source.ts';
import type { ClientOrigin } from '../client-address/client-origin.ts';
import type { HeaderPlan } from '../filters/header-plan.ts';
import type { ServedPort } from '../served-port.ts';
import type { BodyKind } from '../upstream/upstream-user.ts';

/** What an answer gets besides what its backend says. */
export interface AnswerAdditions {
  readonly headers: HeaderPlan | null;
  /** A whole field with its line end that sets a cookie of ours, or empty. */
  readonly setCookie: string;
  /** Sec-WebSocket-Key of the request, for an answer that is to prove that it was understood; or empty. */
  readonly webSocketKey: string;
}

/** What a caller of gRPC reads of it instead of status and body. */
export interface GrpcAnswer {
  /** Of `grpc-status`. */
  readonly status: number;
  readonly contentType: string;
}

/** An answer of NovaEdge itself. */
export interface LocalAnswer {
  readonly status: number;
  readonly reason: ResponseReason;
  readonly isHead: boolean;
  /** Whole fields with their line ends. */
  readonly headers: string;
  /** What exactly was wrong, as far as a reason does not say it; or empty. */
  readonly detail: Fault | Http2Fault | '';
  readonly grpc?: GrpcAnswer;
}

/**
 * Whom a request is answered to: an HTTP/1.1 connection while it has that request, or a stream of an HTTP/2
 * connection.
 *
 *     sendInterim … sendHead ──> sendBody … sendEnd ──> answered
 *     sendLocal ──────────────────────────────────────> answered
 *     sendUpgrade ──> sendTunnel … ──> endTunnel | endAfterWrites
 */
export interface Downstream {
  readonly port: ServedPort;
  readonly origin: ClientOrigin;
  /** `HTTP/1.0`, `HTTP/1.1` or `HTTP/2`. */
  readonly protocol: string;
  /** It does not take what it is sent as fast as it comes. */
  readonly isBlocked: boolean;
  /** HTTP/1.1: after the answer the connection may serve another request. */
  keepAlive: boolean;
  sendInterim(head: MessageHead): void;
  sendHead(head: MessageHead, body: BodyKind, isHead: boolean, additions: AnswerAdditions): void;
  /** Returns the bytes of body. */
  sendLocal(answer: LocalAnswer): number;
  /** A piece of body as it came from `source`. */
  sendBody(bytes: Buffer, start: number, end: number, source: ByteSource): void;
  sendEnd(trailer: MessageHead | null): void;
  /** From now on bytes go both ways as they are. */
  sendUpgrade(head: MessageHead, additions: AnswerAdditions): void;
  sendTunnel(bytes: Buffer, start: number, end: number, source: SocketStream): void;
  /** The backend has sent its last byte on an upgraded connection; what the client sends still goes on. */
  endTunnel(): void;
  /** Nothing more is to be said; what has been written still goes out. */
  endAfterWrites(): void;
  /** The answer has been given whole. */
  answered(): void;
  /** An answer that has begun ends here, so that it cannot be taken for whole. */
  cutAnswer(): void;
  /** Ends all at once; `visibly` where a plain end could be taken for the end of the message. */
  cut(visibly: boolean): void;
  /** Sent away; `isUnderWay`: an answer has begun, or its end has not gone out. */
  leave(isUnderWay: boolean): void;
  /** The backend does not take the request as fast as it comes. */
  pauseRequest(): void;
  resumeRequest(): void;
  /** Whom a request's body waits for now, the client or the backend, has changed. */
  awaitBody(): void;
  /** Sends what has been put together. */
  flush(): void;
  /** Gives back what is not needed where nothing is under way. */
  rest(): void;
  /** Something threw while its request was worked on. Must not throw itself. */
  onFault(error: unknown): void;
}
