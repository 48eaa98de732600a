import { backoffMs } from '../../actors/vocabulary.ts';
import type { World } from '../../supervisors/world.ts';
import type { ResourceSet } from '../model/resource.ts';
import type { SnapshotVersion } from '../model/snapshot.ts';
import type { ConfigurationStore } from './configuration-store.ts';
import type { LastGoodFile } from './last-good.ts';

/** Quiet time before what serves is written, and the longest it may take while changes go on. */
const QUIET_MS = 500;
const LONGEST_MS = 5_000;
/** Between attempts while the disk refuses: a restart must not find what is long gone. */
const RETRY = { baseMs: 1_000, maxMs: 30_000 };

/** Writes what serves to disk after each rollout, aside from its path. */
export class LastGoodSaver {
  readonly #store: ConfigurationStore;
  readonly #file: LastGoodFile;
  readonly #world: World;
  readonly #onFailure: (error: Error) => void;
  #cancel: (() => void) | null = null;
  #since: number | null = null;
  /** What was handed to the file last; with the attempt that may still be under way. */
  #asked: SnapshotVersion = '';
  #attempt: Promise<void> = Promise.resolve();
  #failures = 0;

  constructor(options: {
    readonly store: ConfigurationStore;
    readonly file: LastGoodFile;
    readonly world: World;
    readonly onFailure: (error: Error) => void;
  }) {
    this.#store = options.store;
    this.#file = options.file;
    this.#world = options.world;
    this.#onFailure = options.onFailure;
  }

  changed(): void {
    const now = this.#world.now();
    this.#since ??= now;
    this.#cancel?.();
    const wait = Math.max(0, Math.min(QUIET_MS, this.#since + LONGEST_MS - now));
    this.#cancel = this.#world.after(wait, () => void this.save());
  }

  /** Writes now what has not been written. */
  async save(): Promise<void> {
    this.#cancel?.();
    this.#cancel = null;
    this.#since = null;
    if (!this.#store.settled) return;
    const { resources, version } = this.#store.lastGood();
    if (version !== this.#asked) {
      this.#asked = version;
      this.#attempt = this.#write(resources, version);
    }
    await this.#attempt;
  }

  async #write(resources: ResourceSet, version: SnapshotVersion): Promise<void> {
    try {
      await this.#file.save(resources, version);
      this.#failures = 0;
    } catch (error) {
      this.#onFailure(error as Error);
      // A newer one has its own attempt.
      if (this.#asked !== version) return;
      this.#asked = '';
      const wait = backoffMs(RETRY, this.#failures, this.#world.draw());
      this.#failures += 1;
      // A change meanwhile comes sooner.
      this.#cancel ??= this.#world.after(wait, () => void this.save());
    }
  }
}
