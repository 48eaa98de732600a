import type { SnapshotChanges } from '../model/snapshot.ts';
import { fromUpdateParts } from '../wire/snapshot/update.ts';

/** What a thread of the snapshot compiler runs. */
export default function decode(parts: readonly Uint8Array[]): SnapshotChanges {
  return fromUpdateParts(parts);
}
