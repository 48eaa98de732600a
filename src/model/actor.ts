/** `node/thread/kind/name…`, for example `edge-1/dataplane-0/listener/default/external-gateway/https`. */
export type ActorAddress = string;

/** What `novactl actors` shows of one actor. */
export interface ActorReport {
  readonly address: ActorAddress;
  readonly parent: ActorAddress | null;
  readonly thread: string;
  /** State of the machine, for example `listening` or `streaming.idle`. */
  readonly state: string;
  /** Reason of the last transition. */
  readonly reason: string;
  /** Milliseconds since the epoch. */
  readonly since: number;
  readonly restarts: number;
  readonly mailbox: number;
}
