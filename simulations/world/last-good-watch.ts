import type { LastGoodFile } from '../../src/agent/last-good.ts';
import { type Resource, type ResourceKey, resourceKey } from '../../src/model/resource.ts';
import type { SnapshotVersion } from '../../src/model/snapshot.ts';

/** What was saved and what was read back, over all lives of an agent: what a checker knows of its last good. */
export class LastGoodWatch {
  /** What a start may read: the last save that was done, and all that was asked for since. */
  #possible: { readonly number: number; readonly version: SnapshotVersion }[] = [];
  readonly #past = new Set<SnapshotVersion>();
  #number = 0;
  #saved = false;
  #damaged = false;
  #wrong: string | null = null;
  readonly #mustStay: (resource: Resource) => boolean;
  #inherited = new Set<ResourceKey>();

  /** `mustStay`: users wish it, and every worker can serve it. */
  constructor(mustStay: (resource: Resource) => boolean) {
    this.#mustStay = mustStay;
  }

  /** Of what the present life has read: what users wish, in some version, and have not taken away since. */
  get inherited(): ReadonlySet<ResourceKey> {
    return this.#inherited;
  }

  /** What is wrong with what a start has read; null: nothing. */
  get wrong(): string | null {
    return this.#wrong;
  }

  /** The version that is on disk for sure; null: a save is under way, has failed, or never was. */
  get version(): SnapshotVersion | null {
    return this.#saved && this.#possible.length === 1 ? this.#possible[0]!.version : null;
  }

  /** Users take these away, or another version has served that may go. */
  removed(keys: readonly ResourceKey[]): void {
    for (const key of keys) this.#inherited.delete(key);
  }

  /** The newest file is damaged: a start may read one before it. */
  damaged(): void {
    this.#damaged = true;
  }

  watch(file: LastGoodFile): LastGoodFile {
    return {
      load: async () => {
        const loaded = await file.load();
        if (!loaded.ok) {
          if (this.#saved) this.#wrong = `there was one, but a start reads nothing: ${loaded.reason}`;
          return loaded;
        }
        const { version } = loaded;
        this.#inherited = new Set(loaded.resources.filter(this.#mustStay).map(resourceKey));
        const expected = this.#possible.some((save) => save.version === version);
        if (!expected && !(this.#damaged && this.#past.has(version)))
          this.#wrong = `a start reads version ${version.slice(0, 12)}, which is neither the last that was saved nor a newer one`;
        return loaded;
      },
      save: async (resources, version) => {
        for (const key of this.#inherited)
          if (!resources.has(key))
            this.#wrong ??= `${key} was in use before the restart and nobody took it away, but it is no longer saved`;
        this.#number += 1;
        const number = this.#number;
        this.#possible.push({ number, version });
        await file.save(resources, version);
        for (const save of this.#possible) if (save.number < number) this.#past.add(save.version);
        this.#possible = this.#possible.filter((save) => save.number >= number);
        this.#saved = true;
      },
    };
  }
}
