import { TRANSIENT_FAILURES } from '../../actors/rollout.ts';
import { LayeredMap } from '../model/layered-map.ts';
import type { Resource, ResourceKey, ResourceSet } from '../model/resource.ts';
import { resourceKey } from '../model/resource.ts';
import type { ObjectFailure, SnapshotChanges, SnapshotVersion } from '../model/snapshot.ts';
import { SnapshotDigest } from '../wire/snapshot/digest.ts';
import { encodeResource } from '../wire/snapshot/resource.ts';
import type { LastGoodLoaded } from './last-good.ts';
import { SnapshotStore } from './snapshot-store.ts';

/**
 * What is wished, what serves, and what is on its way from the one to the other: the content behind the versions
 * and counts that the rollout machine handles.
 *
 *     stage ──> wished ──keys──> dirty ──take──> taken ──settle──> serving
 *                                  ^──giveBack / stageRetries──┘ └─> failures (refused, with the reason)
 */
export class ConfigurationStore {
  readonly #wished = new SnapshotStore();
  #serving: LayeredMap<ResourceKey, Resource> = LayeredMap.empty();
  #servingDigest = new SnapshotDigest();
  readonly #failures = new Map<ResourceKey, ObjectFailure>();
  /** In use, but not on every worker: one has given it up. */
  readonly #partial = new Set<ResourceKey>();
  /** Left out of every round, and of what serves, for as long as they are as they were; null: their removal. */
  readonly #aside = new Map<ResourceKey, { readonly as: Resource | null; readonly failure: ObjectFailure }>();
  /** Served last, still wished, and kept from serving by what may pass: a start must find them too. */
  readonly #kept = new Map<ResourceKey, Resource>();
  #dirty = new Set<ResourceKey>();
  /** null: is to go. */
  #taken: Map<ResourceKey, Resource | null> | null = null;
  #takenVersion: SnapshotVersion = '';
  #servingVersion: SnapshotVersion = '';
  #settled = false;

  /** Of the complete wished snapshot; empty is none. */
  get wishedVersion(): SnapshotVersion {
    return this.#wished.version;
  }

  get wished(): ResourceSet {
    return this.#wished.resources;
  }

  /** The wished version that was rolled out last, though not all of its objects may be in use. */
  get servingVersion(): SnapshotVersion {
    return this.#servingVersion;
  }

  get serving(): ResourceSet {
    return this.#serving;
  }

  /**
   * What a start without a controller is to serve: what serves now, and what served until something took its place
   * that may pass, such as another program on its port. With the version that its content gives; it never changes
   * once handed out.
   */
  lastGood(): { readonly resources: ResourceSet; readonly version: SnapshotVersion } {
    if (this.#kept.size === 0) return { resources: this.#serving, version: this.#servingDigest.version() };
    const digest = this.#servingDigest.clone();
    for (const [key, resource] of this.#kept) digest.set(key, encodeResource(resource));
    return { resources: this.#serving.with(this.#kept), version: digest.version() };
  }

  /** True once a whole configuration, even an empty one, is in use. */
  get settled(): boolean {
    return this.#settled;
  }

  get failures(): readonly ObjectFailure[] {
    return [...this.#failures.values()];
  }

  /** True while something staged has not been taken. */
  get pending(): boolean {
    return (
      this.#dirty.size > 0 || (this.#wished.version !== '' && this.#wished.version !== this.#takenVersion)
    );
  }

  /** Starts from what served last, which was checked when it was read. Only before anything else is staged. */
  restore({ resources, version, digest }: LastGoodLoaded): void {
    this.#wished.adopt(resources, version, digest);
    for (const [key, resource] of this.wished) {
      this.#dirty.add(key);
      this.#kept.set(key, resource);
    }
  }

  /** Takes over an update after checking that its content gives its version. */
  stage(changes: SnapshotChanges): { readonly ok: true } | { readonly ok: false; readonly reason: string } {
    const applied = this.#wished.apply(changes);
    if (!applied.ok) return applied;
    for (const resource of changes.upserts) this.#mark(resourceKey(resource), resource);
    for (const key of changes.removals) this.#mark(key, null);
    if (changes.base === '') {
      // Also what has never served: its failure would stand for ever.
      const known = [this.#serving, this.#failures, this.#kept, this.#dirty, this.#taken ?? new Map()];
      for (const key of new Set(known.flatMap((keys) => [...keys.keys()])))
        if (!this.wished.has(key)) this.#mark(key, null);
    }
    return applied;
  }

  /** All that is staged, as the content of one round. */
  take(): void {
    this.#taken = new Map();
    for (const key of this.#dirty) {
      const wished = this.wished.get(key) ?? null;
      this.#taken.set(key, wished);
      const aside = this.#aside.get(key);
      if (aside !== undefined && !sameOrNone(aside.as, wished)) this.#aside.delete(key);
    }
    this.#dirty = new Set();
    this.#takenVersion = this.wishedVersion;
  }

  /**
   * Leaves an object of the round, or of what serves while there is none, out until it changes; null: everything in
   * the round. Returns their failures.
   */
  putAside(key: ResourceKey | null, failure: Omit<ObjectFailure, 'key'>): readonly ObjectFailure[] {
    const within = this.#taken ?? this.#serving;
    const keys = key === null ? [...(this.#taken?.keys() ?? [])] : within.has(key) ? [key] : [];
    return keys.map((each) => {
      const as = this.#taken?.has(each) ? (this.#taken.get(each) ?? null) : (this.wished.get(each) ?? null);
      const whole = { ...failure, key: each };
      this.#aside.set(each, { as, failure: whole });
      return whole;
    });
  }

  /** Why objects of the round are left out of it. */
  get leftOut(): readonly ObjectFailure[] {
    if (this.#aside.size === 0) return [];
    return [...this.#aside].flatMap(([key, { failure }]) => (this.#taken?.has(key) ? [failure] : []));
  }

  /** The content of the round for workers that have what serves now. */
  difference(): SnapshotChanges {
    const upserts: Resource[] = [];
    const removals: ResourceKey[] = [];
    for (const [key, resource] of this.#taken ?? []) {
      if (this.#aside.has(key)) continue;
      if (resource !== null) upserts.push(resource);
      else removals.push(key);
    }
    return { base: this.#servingVersion, version: this.#takenVersion, upserts, removals };
  }

  /** What serves now, for a worker that has nothing. */
  whole(): SnapshotChanges {
    return { base: '', version: this.#servingVersion, upserts: [...this.#serving.values()], removals: [] };
  }

  giveBack(): void {
    for (const key of this.#taken?.keys() ?? []) this.#dirty.add(key);
    this.#taken = null;
  }

  /** The round is in use on all workers but for `refused`. Returns every failure that stands. */
  settle(refused: readonly ObjectFailure[]): readonly ObjectFailure[] {
    const failed = new Set(refused.map((failure) => failure.key));
    const changed = new Map<ResourceKey, Resource | null>();
    for (const [key, resource] of this.#taken ?? []) {
      if (failed.has(key)) continue;
      this.#failures.delete(key);
      this.#partial.delete(key);
      changed.set(key, resource);
    }
    this.#serve(changed, refused.length === 0);
    // A refusal may name an object that another one's change has broken.
    for (const failure of refused) {
      this.#fail(failure);
      const kept = this.#kept.get(failure.key) ?? null;
      // It cannot serve any more as it was.
      if (!TRANSIENT_FAILURES.has(failure.reason) && sameOrNone(kept, this.wished.get(failure.key) ?? null))
        this.#kept.delete(failure.key);
    }
    this.#taken = null;
    this.#servingVersion = this.#takenVersion;
    this.#settled = true;
    return this.failures;
  }

  note(failures: readonly ObjectFailure[]): void {
    for (const failure of failures) {
      this.#fail(failure);
      if (this.#serving.has(failure.key)) this.#partial.add(failure.key);
    }
  }

  /** No worker can serve them, so they do not serve. */
  lose(failures: readonly ObjectFailure[]): void {
    const lost = new Map<ResourceKey, null>();
    const kept = new Map<ResourceKey, Resource>();
    for (const failure of failures) {
      this.#fail(failure);
      this.#partial.delete(failure.key);
      const serving = this.#serving.get(failure.key);
      if (serving !== undefined) lost.set(failure.key, null);
      if (serving !== undefined && TRANSIENT_FAILURES.has(failure.reason)) kept.set(failure.key, serving);
    }
    this.#serve(lost, false);
    for (const [key, resource] of kept) this.#kept.set(key, resource);
  }

  isPartial(key: ResourceKey): boolean {
    return this.#partial.has(key);
  }

  failure(key: ResourceKey): ObjectFailure | undefined {
    return this.#failures.get(key);
  }

  /** The event named is the first that led to this very failure, however often it has been tried again since. */
  #fail(failure: ObjectFailure): void {
    const before = this.#failures.get(failure.key);
    if (before?.reason === failure.reason && before.message === failure.message) return;
    this.#failures.set(failure.key, failure);
  }

  stageRetries(): void {
    for (const failure of this.#failures.values())
      if (TRANSIENT_FAILURES.has(failure.reason)) this.#dirty.add(failure.key);
  }

  #serve(changed: ReadonlyMap<ResourceKey, Resource | null>, complete: boolean): void {
    for (const key of changed.keys()) this.#kept.delete(key);
    // With nothing refused or on its way, what serves is what is wished: both then share all they have.
    if (complete && this.#failures.size === 0 && this.#dirty.size === 0) {
      this.#serving = this.#wished.resources;
      this.#servingDigest = this.#wished.digest();
      return;
    }
    this.#serving = this.#serving.with(changed);
    for (const [key, resource] of changed) {
      if (resource === null) this.#servingDigest.delete(key);
      else this.#servingDigest.set(key, encodeResource(resource));
    }
  }

  /** A worker is not bothered with what it has: a whole snapshot after a reconnect changes nothing by itself. */
  #mark(key: ResourceKey, wished: Resource | null): void {
    const serving = this.#serving.get(key) ?? null;
    const unchanged = sameOrNone(wished, serving);
    const inFlight = this.#taken?.has(key) === true;
    if (unchanged && !inFlight && !this.#partial.has(key)) {
      this.#dirty.delete(key);
      this.#failures.delete(key);
      this.#kept.delete(key);
    } else this.#dirty.add(key);
  }
}

function sameOrNone(one: Resource | null, other: Resource | null): boolean {
  return one === null || other === null ? one === other : same(one, other);
}

/** Of one key. Their canonical bytes are remembered, so this is far cheaper than a look at all their fields. */
function same(one: Resource, other: Resource): boolean {
  return one === other || Buffer.compare(encodeResource(one), encodeResource(other)) === 0;
}
