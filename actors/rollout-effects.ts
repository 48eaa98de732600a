import type { ObjectFailure, SnapshotVersion } from '../src/model/snapshot.ts';
import type { Fitted } from './rollout-memory.ts';
import type { TimerEffects } from './vocabulary.ts';

export type Timer = 'answer' | 'retry' | 'gather';

/** What the rollout machine asks of the world; the content behind its versions and numbers is outside. */
export interface Effects extends TimerEffects<Timer> {
  /** Takes all staged changes as the content of this round. */
  takeChanges: { readonly rollout: number };
  /** Puts them back: no worker was left to prepare them. */
  returnChanges: { readonly rollout: number };
  prepareWorkers: { readonly rollout: number; readonly workers: readonly number[] };
  commitWorkers: {
    readonly rollout: number;
    readonly workers: readonly number[];
    readonly rejected: readonly string[];
  };
  /** Has them prepare what is in use; each answers `worker.fitted`. */
  fitWorkers: { readonly load: number; readonly workers: readonly number[] };
  /** Has them commit it; each answers `worker.loaded`. */
  loadWorkers: {
    readonly load: number;
    readonly workers: readonly number[];
    readonly rejected: readonly string[];
  };
  /** They cannot take what others serve. */
  refuseWorkers: { readonly workers: readonly Fitted[] };
  /** Is in no round until it changes, for this reason; an empty key: all of this round. */
  putAside: { readonly failure: ObjectFailure };
  /** Nobody can serve them: they are no longer in use. */
  loseObjects: { readonly failures: readonly ObjectFailure[] };
  /** Notes what is in use now; answers `rollout.settled`. */
  settle: { readonly rollout: number; readonly failures: readonly ObjectFailure[] };
  noteFailures: { readonly failures: readonly ObjectFailure[] };
  /** Stages the objects of transient failures again. */
  stageRetries: Record<never, never>;
  reportHung: { readonly workers: readonly number[]; readonly call: string };
  tellStream: {
    readonly nonce: number;
    readonly version: SnapshotVersion;
    readonly failures: readonly ObjectFailure[];
  };
}
