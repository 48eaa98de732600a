/** What a thread can be made to run into; `read` is a system call that does not return. */
export const FAULT_KINDS = ['throw', 'reject', 'exit', 'loop', 'memory', 'wait'] as const;
export type FaultKind = (typeof FAULT_KINDS)[number] | 'read';

/** A port alone does not tell: the system gives it to another connection later. */
export interface ClientConnection {
  /** The client's. */
  readonly port: number;
  /** When the client began to connect, in milliseconds since the epoch. */
  readonly openedAt: number;
  /** When it was gone for the client. */
  readonly closedAt: number;
}

export type FaultRequest =
  | { readonly id: number; readonly do: 'fault'; readonly worker: number; readonly fault: FaultKind }
  /** Which of these connections the worker's thread has taken. */
  | {
      readonly id: number;
      readonly do: 'accepted';
      readonly worker: number;
      readonly connections: readonly ClientConnection[];
    }
  /** What the main thread's heap holds. */
  | { readonly id: number; readonly do: 'heap' };

export interface FaultReply {
  readonly id: number;
  /** Milliseconds since the epoch, with fractions. */
  readonly at: number;
  readonly ports?: readonly number[];
  readonly heapBytes?: number;
}

/** `role`: a thread has become the worker; `accepted`: it has taken its first connection. */
export interface FaultEvent {
  readonly event: 'role' | 'accepted';
  readonly worker: number;
  readonly at: number;
}
