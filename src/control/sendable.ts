import type { ConfigurationBuild } from '../model/configuration.ts';
import type { Resource, ResourceKey } from '../model/resource.ts';
import { encodeResource } from '../wire/snapshot/resource.ts';

/**
 * The resources of the newest build as they can be sent. One that the protocol cannot carry keeps its last good
 * version, or is left out if it has none, and is named in `failures`; its neighbours are not harmed.
 */
export class SendableResources {
  #build: ConfigurationBuild;
  /** What stands in place of a resource that cannot be sent. */
  readonly #instead = new Map<ResourceKey, Resource | undefined>();
  readonly #failures = new Map<ResourceKey, string>();

  constructor(build: ConfigurationBuild) {
    this.#build = build;
    for (const [key, resource] of build.resources) this.#check(key, resource, undefined);
  }

  get build(): ConfigurationBuild {
    return this.#build;
  }

  /** Why resources cannot be sent. */
  get failures(): ReadonlyMap<ResourceKey, string> {
    return this.#failures;
  }

  get(key: ResourceKey): Resource | undefined {
    return this.#instead.size > 0 && this.#instead.has(key)
      ? this.#instead.get(key)
      : this.#build.resources.get(key);
  }

  keys(): Iterable<ResourceKey> {
    return this.#build.resources.keys();
  }

  /** Takes the next build; returns the keys that it touches. */
  take(build: ConfigurationBuild): ResourceKey[] {
    const lastGood = new Map(build.changed.map((key) => [key, this.get(key)]));
    this.#build = build;
    for (const key of build.removed) this.#accept(key);
    for (const [key, before] of lastGood) {
      const resource = build.resources.get(key);
      if (resource === undefined) this.#accept(key);
      else this.#check(key, resource, before);
    }
    return [...build.changed, ...build.removed];
  }

  #accept(key: ResourceKey): void {
    this.#instead.delete(key);
    this.#failures.delete(key);
  }

  #check(key: ResourceKey, resource: Resource, lastGood: Resource | undefined): void {
    try {
      encodeResource(resource);
      this.#accept(key);
    } catch (error) {
      this.#instead.set(key, lastGood);
      this.#failures.set(key, error instanceof Error ? error.message : String(error));
    }
  }
}
