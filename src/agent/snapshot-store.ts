import { LayeredMap } from '../model/layered-map.ts';
import type { Resource, ResourceKey } from '../model/resource.ts';
import { resourceKey } from '../model/resource.ts';
import type { SnapshotChanges, SnapshotVersion } from '../model/snapshot.ts';
import { SnapshotDigest } from '../wire/snapshot/digest.ts';
import { encodeResource } from '../wire/snapshot/resource.ts';

export type SnapshotApplied = { readonly ok: true } | { readonly ok: false; readonly reason: string };

/** The whole snapshot that the controller wishes for this node, checked against its version at each change. */
export class SnapshotStore {
  #version: SnapshotVersion = '';
  #resources: LayeredMap<ResourceKey, Resource> = LayeredMap.empty();
  #digest = new SnapshotDigest();

  /** Empty until the first whole snapshot. */
  get version(): SnapshotVersion {
    return this.#version;
  }

  /** Never changes once handed out; each applied update gives a new map. */
  get resources(): LayeredMap<ResourceKey, Resource> {
    return this.#resources;
  }

  /** A digest of its own for whoever goes on from here. */
  digest(): SnapshotDigest {
    return this.#digest.clone();
  }

  /** Starts from a snapshot whose content is known to give its version. */
  adopt(resources: readonly Resource[], version: SnapshotVersion, digest: SnapshotDigest): void {
    this.#digest = digest;
    this.#resources = LayeredMap.of(new Map(resources.map((resource) => [resourceKey(resource), resource])));
    this.#version = version;
  }

  /**
   * Takes all changes or none: where they don't fit what is here, or don't give the version they name, nothing
   * changes and the reason says why.
   */
  apply(changes: SnapshotChanges): SnapshotApplied {
    const whole = changes.base === '';
    if (!whole && changes.base !== this.#version) {
      return refusal(
        `the update changes version ${brief(changes.base)}, but this is ${brief(this.#version)}`,
      );
    }
    const digest = whole ? new SnapshotDigest() : this.#digest.clone();
    const changed = new Map<ResourceKey, Resource | null>();
    try {
      for (const key of changes.removals) {
        digest.delete(key);
        changed.set(key, null);
      }
      for (const resource of changes.upserts) {
        const key = resourceKey(resource);
        digest.set(key, encodeResource(resource));
        changed.set(key, resource);
      }
    } catch (error) {
      return refusal(error instanceof Error ? error.message : String(error));
    }
    if (digest.version() !== changes.version) {
      return refusal(
        `the content gives version ${brief(digest.version())}, but the update names ${brief(changes.version)}`,
      );
    }
    this.#digest = digest;
    this.#resources = whole ? LayeredMap.of(present(changed)) : this.#resources.with(changed);
    this.#version = changes.version;
    return { ok: true };
  }
}

function present(changed: ReadonlyMap<ResourceKey, Resource | null>): Map<ResourceKey, Resource> {
  const resources = new Map<ResourceKey, Resource>();
  for (const [key, resource] of changed) if (resource !== null) resources.set(key, resource);
  return resources;
}

function refusal(reason: string): SnapshotApplied {
  return { ok: false, reason };
}

function brief(version: SnapshotVersion): string {
  return version === '' ? '(none)' : version.slice(0, 12);
}
