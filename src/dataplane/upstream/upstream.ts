import type { SocketStream } from '../../os/socket-stream.ts';
import type { Http2Fault } from '../../wire/h2/http2-fault.ts';
import type { Fault } from '../../wire/http1/fault.ts';
import type { MessageHead } from '../../wire/message/message-head.ts';
import type { ClusterPool } from './cluster-pool.ts';
import type { EndpointState } from './endpoint-state.ts';
import type { RequestParts } from './request-parts.ts';
import type { UpstreamUser } from './upstream-user.ts';

/**
 * What works for one request at a backend: an HTTP/1.1 connection while it has that request, or a stream of an HTTP/2
 * connection.
 *
 *     onUpstream ──> sendRequest ──> sendBody … sendEnd ──> (onResponseHead, onResponseBytes …, onResponseEnd)
 */
export interface Upstream {
  readonly endpoint: EndpointState;
  readonly pool: ClusterPool;
  /** Null once it has ended, or been given up. */
  readonly user: UpstreamUser | null;
  /** Its connection has served a request before: the backend may have closed it without our knowing. */
  readonly reused: boolean;
  /** The backend has not begun with the request, and says so: whatever it is, it may be sent again. */
  readonly isUnprocessed: boolean;
  /** Counted as working for a request. */
  busy: boolean;
  /** Bytes of an answer to the request at hand have come. */
  readonly hasAnswer: boolean;
  /** Its connection goes with its request. */
  isPersonal: boolean;
  /** By the monotonic clock, in ms; for what an answer's latency is taken from. */
  sentAt: number;
  /** What was wrong with the answer, where it was refused. */
  readonly fault: Fault | Http2Fault | '';
  /** Whose memory the bytes of the answer are. */
  readonly source: SocketStream;
  /** A write still refers to the memory of the request. */
  readonly isWriting: boolean;
  /** All there is of the request so far. False: no more of it until `onUpstreamWritable`. */
  sendRequest(request: RequestParts): boolean;
  /** A piece of the request's body, or of an upgraded connection; it is taken in any case. False: no more for now. */
  sendBody(bytes: Buffer, start: number, end: number, source: SocketStream): boolean;
  /** The request's body is complete. */
  sendEnd(trailer: MessageHead | null): void;
  /** No more bytes of an upgraded connection. */
  endTunnel(): void;
  /** The request has been sent whole: from now on the backend's time counts. 0 is for ever. */
  awaitAnswer(milliseconds: number): void;
  /** The client does not take the answer as fast as it comes. */
  pause(): void;
  resume(): void;
  /** The answer whose head is being told goes to somebody else. */
  handOver(user: UpstreamUser): void;
  /** The request is given up, and the answer with it. */
  close(): void;
}
