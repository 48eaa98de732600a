import type { ResponseReason } from '../model/response-reason.ts';
import type { StreamOwner } from '../os/socket-stream.ts';
import type { ProxiedConnection } from '../wire/proxy-protocol/header.ts';

/** A client's connection as its port sees it, whatever is spoken on it. */
export interface PortConnection {
  /** A request or a tunnel is under way, or its answer is still going out. */
  readonly isBusy: boolean;
  /** While draining: it goes when nothing is under way and none has come for a moment. */
  drain(): void;
  /** It may stay no longer. */
  cutOff(reason: ResponseReason): void;
  /** The thread ends: a request that waits for its answer is told so. Never throws. */
  abort(): void;
  /** Something threw while it was worked on. Must not throw itself. */
  onFault(error: unknown): void;
}

/** A connection of which nothing has been read yet. */
export interface AcceptedConnection extends PortConnection, StreamOwner {
  /** As `StreamOwner.onBytes`, of which `from` is the first. */
  onBytes(bytes: Buffer, end: number, from?: number): void;
  /** Before its first byte; null: the connection is the peer's own. */
  announce(connection: ProxiedConnection | null): void;
  close(): void;
}
