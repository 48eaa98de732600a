export interface Timeouts {
  readonly header: number;
  readonly body: number;
  readonly write: number;
  readonly idle: number;
  readonly backend: number;
  readonly backendBody: number;
  readonly tunnel: number;
  readonly linger: number;
  readonly drainIdle: number;
  readonly drainNotice: number;
}

/** Defaults in milliseconds; see TimerWheel for how exactly they are kept. */
export const TIMEOUTS: Timeouts = {
  /** From the first byte of a request head to its last: 408. */
  header: 10_000,
  /** Between two reads of a request body: 408. */
  body: 10_000,
  /** A client that takes nothing of its answer: cut. */
  write: 10_000,
  /** Between two requests of a connection, and before the first. */
  idle: 60_000,
  /** First byte of the answer, where the rule says nothing: 504. */
  backend: 60_000,
  /** Between two reads of an answer's body: cut. */
  backendBody: 60_000,
  /** Neither side of an upgraded connection says anything. */
  tunnel: 3_600_000,
  /** After an answer that came before the request's end, what the client still sends is thrown away. */
  linger: 2_000,
  /** While draining, a connection without a request is kept this long: one may be on its way. */
  drainIdle: 500,
  /** From a port's closing until its connections are told to go; by then the other workers have closed it too. */
  drainNotice: 100,
};
