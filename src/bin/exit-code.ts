/** Exit codes of `novaedge`, as documented in docs/operation.md. */
export const EXIT = {
  /** Stopped as asked, everything drained or cut at the deadline. */
  ok: 0,
  /** Failed while running. */
  failed: 1,
  /** Wrong arguments. */
  usage: 2,
  /** Could not start: a directory, port, or certificate is missing or taken. Nothing was served. */
  cannotStart: 3,
  /** A second signal cut the drain short. */
  interrupted: 130,
} as const;

/** What keeps a program from starting; said without a stack trace. */
export class StartError extends Error {}
