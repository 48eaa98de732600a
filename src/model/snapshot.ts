import type { Resource, ResourceKey } from './resource.ts';

/** Hex SHA-256 over the resources, see `wire/snapshot/digest`; the empty string is "nothing yet". */
export type SnapshotVersion = string;

/** What leads from one version to the next. `base` empty: the whole snapshot, everything else goes. */
export interface SnapshotChanges {
  readonly base: SnapshotVersion;
  readonly version: SnapshotVersion;
  readonly upserts: readonly Resource[];
  readonly removals: readonly ResourceKey[];
}

/** Why an object was refused; it keeps its last good version where it has one. */
export interface ObjectFailure {
  readonly key: ResourceKey;
  /** CamelCase, closed set a producer, for example `AddressInUse`, `InvalidRegularExpression`. */
  readonly reason: string;
  /** Names field and value. */
  readonly message: string;
  /** Id of the event in the journal with which it failed first; what led there, `novactl explain` shows. */
  readonly event?: string;
}
