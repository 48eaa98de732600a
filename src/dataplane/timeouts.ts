/** What is neither a listener's nor a cluster's. */
export interface Timeouts {
  readonly backend: number;
  readonly backendBody: number;
  readonly backendSilence: number;
  readonly backendPong: number;
  readonly linger: number;
  readonly drainIdle: number;
  readonly drainNotice: number;
  readonly webSocketSpread: number;
  readonly webSocketClose: number;
}

/** Defaults in milliseconds; see TimerWheel for how exactly they are kept. */
export const TIMEOUTS: Timeouts = {
  /** First byte of the answer, where the rule says nothing: 504. */
  backend: 60_000,
  /** Between two reads of an answer's body, and for a backend that takes nothing of a request's: cut. */
  backendBody: 60_000,
  /** Requests are under way on an HTTP/2 connection and no byte comes: the backend is asked whether it is there. */
  backendSilence: 30_000,
  /** Until it has to answer; then the connection is given up. */
  backendPong: 10_000,
  /** After an answer that came before the request's end, what the client still sends is thrown away. */
  linger: 2_000,
  /** While draining, a connection without a request is kept this long: one may be on its way. */
  drainIdle: 500,
  /** From a port's closing until its connections are told to go; by then the other workers have closed it too. */
  drainNotice: 100,
  /** While draining, the WebSockets of a worker are asked to go one by one within this time. */
  webSocketSpread: 2_000,
  /** A WebSocket that was asked to go: how long its client, and then its backend, is waited for. */
  webSocketClose: 1_000,
};
