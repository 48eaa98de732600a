import type { ResponseReason } from '../../model/response-reason.ts';
import type { MessageHead } from '../../wire/message/message-head.ts';
import type { ProxiedConnection } from '../../wire/proxy-protocol/header.ts';
import type { EndpointState } from './endpoint-state.ts';
import type { Upstream } from './upstream.ts';

export const BODY_NONE = 0;
export const BODY_LENGTH = 1;
export const BODY_CHUNKED = 2;
/** Ends with the connection. */
export const BODY_CLOSE = 3;
export type BodyKind = typeof BODY_NONE | typeof BODY_LENGTH | typeof BODY_CHUNKED | typeof BODY_CLOSE;

/** A connection that is being made. */
export interface Connecting {
  /** This one no longer waits for it. */
  leave(user: UpstreamUser): void;
}

/** What a pool and its connections ask of, and tell, the request they work for. */
export interface UpstreamUser {
  readonly isHead: boolean;
  /** Its answer may stop for as long as it likes. */
  readonly mayBeQuiet: boolean;
  /** The protocols that it asks to be switched to, as a list; empty: none. */
  readonly askedUpgrade: string;
  /** All of the request has been handed to the connection. */
  readonly requestSent: boolean;
  /** Endpoints that have failed for this request. */
  readonly tried: EndpointState[] | null;
  /** What decides its endpoint in a cluster that hashes, or NO_KEY: any will do. */
  readonly hashKey: number;
  /** A connection that is being made for this request; set by the pool. */
  connecting: Connecting | null;
  /** On whose behalf a connection is made that begins by saying so; null: on nobody's. */
  proxied(): ProxiedConnection | null;
  /** Host of the request as the backend gets it, without port; empty: nobody knows. */
  hostname(): string;
  onUpstream(upstream: Upstream): void;
  onConnectFailed(endpoint: EndpointState, timedOut: boolean): void;
  /** It has waited for a connection that is of no use to it, and waits in the queue now. */
  onWaiting(): void;
  /** While waiting. */
  onUnavailable(reason: ResponseReason): void;
  /** An interim answer (1xx but 101). */
  onInterim(head: MessageHead): void;
  onResponseHead(head: MessageHead, body: BodyKind): void;
  onUpgrade(head: MessageHead): void;
  /** `bytes[start, end)` live as the stream says. */
  onResponseBytes(bytes: Buffer, start: number, end: number): void;
  onResponseEnd(trailer: MessageHead | null): void;
  /** The connection is gone or not to be trusted; `answered`: bytes of an answer had come. */
  onUpstreamFailed(upstream: Upstream, reason: ResponseReason, answered: boolean): void;
  onUpstreamWritable(): void;
  /** The backend has sent its last byte on an upgraded connection. */
  onUpstreamEnd(): void;
  /** Something threw while this request was worked on. Must not throw itself. */
  onFault(error: unknown): void;
  /** All that one read brought has been told. */
  onReadDone(): void;
}
