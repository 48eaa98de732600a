import type { ResponseReason } from '../model/response-reason.ts';

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
