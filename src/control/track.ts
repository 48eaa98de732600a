import type { ResourceKey } from '../model/resource.ts';
import type { SnapshotVersion } from '../model/snapshot.ts';
import { SnapshotDigest } from '../wire/snapshot/digest.ts';
import { encodeResource } from '../wire/snapshot/resource.ts';
import { signature } from './selection.ts';
import type { SendableResources } from './sendable.ts';

/** Bounds of what is remembered for nodes that come back. */
const HISTORY_STEPS = 1000;
const HISTORY_KEYS = 50_000;

interface Step {
  /** The version that `keys` changed. */
  readonly from: SnapshotVersion;
  readonly keys: readonly ResourceKey[];
}

/**
 * The versions of one view of the resources, shared by all nodes that see the same ones: usually all nodes.
 *
 *     v1 ──keys──► v2 ──keys──► v3 = version
 */
export class Track {
  readonly #sendable: SendableResources;
  readonly #digest: SnapshotDigest;
  #history: Step[];
  #hidden: ReadonlySet<ResourceKey>;
  #signature: string;

  private constructor(
    sendable: SendableResources,
    digest: SnapshotDigest,
    history: Step[],
    hidden: ReadonlySet<ResourceKey>,
  ) {
    this.#sendable = sendable;
    this.#digest = digest;
    this.#history = history;
    this.#hidden = hidden;
    this.#signature = signature(hidden);
  }

  static of(sendable: SendableResources, hidden: ReadonlySet<ResourceKey>): Track {
    const digest = new SnapshotDigest();
    for (const key of sendable.keys()) {
      const resource = sendable.get(key);
      if (resource !== undefined && !hidden.has(key)) digest.set(key, encodeResource(resource));
    }
    digest.version();
    return new Track(sendable, digest, [], hidden);
  }

  get version(): SnapshotVersion {
    return this.#digest.version();
  }

  get signature(): string {
    return this.#signature;
  }

  hides(key: ResourceKey): boolean {
    return this.#hidden.has(key);
  }

  /** Sorted keys of all resources in it. */
  keys(): readonly ResourceKey[] {
    return this.#digest.keys();
  }

  fork(): Track {
    return new Track(this.#sendable, this.#digest.clone(), this.#history.slice(), this.#hidden);
  }

  /**
   * Follows the sendable resources after `touched` keys changed, with the view `hidden` from now on.
   * @returns the keys whose resource is or may be another one in this view.
   */
  advance(touched: readonly ResourceKey[], hidden: ReadonlySet<ResourceKey>): readonly ResourceKey[] {
    const from = this.version;
    const keys = new Set<ResourceKey>();
    for (const key of touched) if (!(this.#hidden.has(key) && hidden.has(key))) keys.add(key);
    for (const key of this.#hidden) if (!hidden.has(key)) keys.add(key);
    for (const key of hidden) if (!this.#hidden.has(key)) keys.add(key);
    this.#hidden = hidden;
    this.#signature = signature(hidden);
    for (const key of keys) {
      const resource = hidden.has(key) ? undefined : this.#sendable.get(key);
      if (resource === undefined) this.#digest.delete(key);
      else this.#digest.set(key, encodeResource(resource));
    }
    const changed = [...keys];
    if (this.version !== from) this.#remember({ from, keys: changed });
    return changed;
  }

  /** Keys that changed since that version, or undefined where it is not remembered. */
  since(version: SnapshotVersion): ReadonlySet<ResourceKey> | undefined {
    const keys = new Set<ResourceKey>();
    if (version === this.version) return keys;
    for (let index = this.#history.length - 1; index >= 0; index -= 1) {
      const step = this.#history[index]!;
      for (const key of step.keys) keys.add(key);
      if (step.from === version) return keys;
    }
    return undefined;
  }

  #remember(step: Step): void {
    this.#history.push(step);
    let keys = 0;
    let kept = 0;
    for (let index = this.#history.length - 1; index >= 0 && kept < HISTORY_STEPS; index -= 1) {
      keys += this.#history[index]!.keys.length;
      if (keys > HISTORY_KEYS) break;
      kept += 1;
    }
    if (kept < this.#history.length) this.#history = this.#history.slice(this.#history.length - kept);
  }
}
