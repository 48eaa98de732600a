import type { ObjectFailure, SnapshotVersion } from '../src/model/snapshot.ts';

/** What the rollout machine remembers, and plain functions over it. */
export interface Context {
  readonly answerTimeoutMs: number;
  readonly workers: readonly number[];
  readonly joining: readonly number[];
  readonly expected: readonly number[];
  /** Those whose answer is outstanding. */
  readonly waiting: readonly number[];
  /** Those that are asked when the one that goes ahead has come through. */
  readonly queued: readonly number[];
  /** One has come through; else another one goes ahead when the first leaves without an answer. */
  readonly proven: boolean;
  /**
   * Asked in a round that was broken off, and not through with it: what they end over is of that round, and may have
   * another version by now.
   */
  readonly overdue: readonly { readonly worker: number; readonly rollout: number }[];
  /** Joining workers that have answered. */
  readonly fitted: readonly Fitted[];
  readonly pending: boolean;
  /** Of the last staged update; 0: not from the controller. */
  readonly nonce: number;
  readonly version: SnapshotVersion;
  /** Number of this round, from 1. */
  readonly rollout: number;
  /** Number of this load, from 1. */
  readonly load: number;
  readonly failures: readonly ObjectFailure[];
  readonly standing: readonly ObjectFailure[];
  /** What the current round carries. */
  readonly carried: { readonly nonce: number; readonly version: SnapshotVersion };
  /** What the last round that was settled carried: between rounds, failures are of this. */
  readonly finished: { readonly nonce: number; readonly version: SnapshotVersion };
  readonly retries: number;
  readonly retryArmed: boolean;
}

/** A joining worker with what it cannot take of what is in use. */
export interface Fitted {
  readonly worker: number;
  readonly failures: readonly ObjectFailure[];
}

/** How a worker ended. */
export interface Loss {
  readonly worker: number;
  readonly message: string;
  /** What it was at; empty is nothing in particular. */
  readonly doing: string;
}

/** Failure reason of an object that ended a worker. */
export const CRASHED = 'CrashedWorker';

/** A worker notes `prepare KEY` or `commit KEY` before each object of a change, and without a key around them. */
const AT_OBJECT = /^(?:prepare|commit)(?: (\S+))?$/;
/** And the events of its actors, of which these stand for one object. */
const AT_EVENT = /^event \S+ \S+ of (listener|upstream-pool|circuit-breaker)\/(\S+)$/;

/** The object that a worker ended over; empty: the whole change; null: neither. */
export function culprit(doing: string): string | null {
  const at = AT_OBJECT.exec(doing);
  if (at !== null) return at[1] ?? '';
  const event = AT_EVENT.exec(doing);
  return event === null ? null : `${event[1] === 'listener' ? 'listener' : 'cluster'}/${event[2]}`;
}

/** What ended a worker, as the failure of that object; an empty key: the whole change. */
export function crashed({ doing, worker, message }: Loss): ObjectFailure {
  return {
    key: culprit(doing) ?? '',
    reason: CRASHED,
    message: `dataplane-${worker} ended over it (${message}); it is left out until it changes`,
  };
}

export function merge(
  into: readonly ObjectFailure[],
  more: readonly ObjectFailure[],
): readonly ObjectFailure[] {
  if (more.length === 0) return into;
  const byKey = new Map(into.map((failure) => [failure.key, failure]));
  for (const failure of more) if (!byKey.has(failure.key)) byKey.set(failure.key, failure);
  return [...byKey.values()];
}

/** Every object that one of the joining workers cannot take. */
export function untakable(context: Context): readonly ObjectFailure[] {
  return context.fitted.reduce((all: readonly ObjectFailure[], one) => merge(all, one.failures), []);
}

export function drop(list: readonly number[], worker: number): readonly number[] {
  return list.filter((one) => one !== worker);
}

type Lists = Pick<Context, 'workers' | 'joining' | 'expected' | 'waiting' | 'queued' | 'overdue' | 'fitted'>;

/** The lists without the workers that are gone. */
export function without(context: Context, gone: readonly number[]): Lists {
  const left = (list: readonly number[]) => list.filter((worker) => !gone.includes(worker));
  return {
    workers: left(context.workers),
    joining: left(context.joining),
    expected: left(context.expected),
    waiting: left(context.waiting),
    queued: left(context.queued),
    overdue: context.overdue.filter(({ worker }) => !gone.includes(worker)),
    fitted: context.fitted.filter(({ worker }) => !gone.includes(worker)),
  };
}

/** Whom to ask first: one, unless this is the first round, when there is nothing to lose yet. */
export function ahead({ rollout, workers }: Context): Pick<Context, 'waiting' | 'queued' | 'proven'> {
  return rollout > 1
    ? { waiting: workers.slice(0, 1), queued: workers.slice(1), proven: false }
    : { waiting: workers, queued: [], proven: true };
}
