/** What a balancer sees of an endpoint. */
export interface Target {
  /** Unique within the cluster. */
  readonly id: string;
  readonly weight: number;
  /** False: known, but gets no requests, whatever happens. */
  readonly ready: boolean;
  /** False: passed over as long as another one is usable. */
  readonly usable: boolean;
}

/** A target of balancers that go by what is under way. */
export interface BusyTarget extends Target {
  /** Requests under way to it, those included that wait for their connection to come about; of this worker alone. */
  readonly load: number;
}

/** A target of balancers that go by how fast it answers; what they remember of it is kept here. */
export interface TimedTarget extends BusyTarget {
  /** Milliseconds; negative where none has been seen. */
  latencyMs: number;
  /** When that was last brought up to date, in ms of the monotonic clock. */
  latencyAt: number;
}

/** `given-up`: somebody else than the target ended it, before there was an answer. */
export type Outcome = 'answered' | 'failed' | 'given-up';

/** A request without a key; all others are from 0 to 2^32 - 1. */
export const NO_KEY = -1;

/**
 * Picks an endpoint for a request. One instance a cluster and worker; `update` is called when endpoints, weights or
 * usability change, never on the path of a request.
 */
export interface Balancer<T extends Target> {
  /** Wants to be told how long answers take. */
  readonly isTimed: boolean;
  /** `targets`: all of the cluster, in any order. */
  update(targets: readonly T[]): void;
  /** Null where there is none. `avoid` has been tried for this request; it is passed over where others are left. */
  pick(avoid: readonly T[] | null, key: number): T | null;
  /** What came of a request `milliseconds` after it went to the target. Only where `isTimed`. */
  observe(target: T, milliseconds: number, outcome: Outcome): void;
}

/**
 * Those that requests go to: ready, usable and with weight; where none is usable, all that are ready and have weight:
 * a wrong verdict on all of them must not turn into an outage.
 */
export function eligible<T extends Target>(targets: readonly T[]): T[] {
  const weighted = targets.filter((target) => target.ready && target.weight > 0);
  const usable = weighted.filter((target) => target.usable);
  return usable.length > 0 ? usable : weighted;
}

export function haveEqualWeights(targets: readonly Target[]): boolean {
  return targets.every((target) => target.weight === targets[0]!.weight);
}
