import { hash } from 'node:crypto';
import type { ResourceKey } from '../../model/resource.ts';
import type { SnapshotVersion } from '../../model/snapshot.ts';

const HASH = 32;
const BUCKETS = 256;

/** Never changed once made, so that clones share it. */
interface Bucket {
  /** In ascending order of UTF-16 code units. */
  readonly keys: readonly ResourceKey[];
  /** Entries in the order of the keys. */
  readonly entries: Buffer;
  readonly hash: Buffer;
}

/**
 * The version of a set of resources, kept up to date while single ones change:
 *
 *     version = hex SHA-256( bucket₀ ‖ bucket₁ ‖ … ‖ bucket₂₅₅ )
 *     bucketᵢ = SHA-256( entry ‖ entry ‖ … )       its keys in ascending order of UTF-16 code units
 *     entry   = SHA-256( key in UTF-8 ‖ 0 ‖ canonical bytes )
 *     i       = the four bytes of FNV-1a (32 bit) over the key's code units, folded into one by XOR
 *
 * So a change costs an entry, a bucket and 8 KiB of hashing, where one hash over 60,000 entries takes 5 ms; a clone
 * shares all buckets. Changes wait until `version()` and are then merged together.
 */
export class SnapshotDigest {
  readonly #buckets: Bucket[];
  /** By bucket; null: to be removed. */
  readonly #pending = new Map<number, Map<ResourceKey, Buffer | null>>();
  #version: SnapshotVersion | undefined;

  constructor() {
    this.#buckets = new Array<Bucket>(BUCKETS).fill(EMPTY);
  }

  set(key: ResourceKey, bytes: Uint8Array): void {
    this.#put(key, entryHash(key, bytes));
  }

  delete(key: ResourceKey): void {
    this.#put(key, null);
  }

  version(): SnapshotVersion {
    if (this.#version === undefined) {
      this.#merge();
      const hashes = Buffer.allocUnsafe(BUCKETS * HASH);
      for (const [index, bucket] of this.#buckets.entries()) bucket.hash.copy(hashes, index * HASH);
      this.#version = hash('sha256', hashes, 'hex');
    }
    return this.#version;
  }

  get size(): number {
    this.#merge();
    return this.#buckets.reduce((sum, { keys }) => sum + keys.length, 0);
  }

  /** Sorted. */
  keys(): readonly ResourceKey[] {
    this.#merge();
    return this.#buckets.flatMap(({ keys }) => keys).sort();
  }

  clone(): SnapshotDigest {
    this.#merge();
    const copy = new SnapshotDigest();
    for (const [index, bucket] of this.#buckets.entries()) copy.#buckets[index] = bucket;
    copy.#version = this.#version;
    return copy;
  }

  #put(key: ResourceKey, entry: Buffer | null): void {
    const index = bucketOf(key);
    const pending = this.#pending.get(index);
    if (pending === undefined) this.#pending.set(index, new Map([[key, entry]]));
    else pending.set(key, entry);
    this.#version = undefined;
  }

  #merge(): void {
    for (const [index, changes] of this.#pending)
      this.#buckets[index] = changed(this.#buckets[index]!, changes);
    this.#pending.clear();
  }
}

const EMPTY: Bucket = { keys: [], entries: Buffer.alloc(0), hash: hash('sha256', '', 'buffer') };

function changed(bucket: Bucket, changes: ReadonlyMap<ResourceKey, Buffer | null>): Bucket {
  const entries = new Map<ResourceKey, Buffer>();
  for (const [index, key] of bucket.keys.entries())
    if (!changes.has(key)) entries.set(key, bucket.entries.subarray(index * HASH, (index + 1) * HASH));
  for (const [key, entry] of changes) if (entry !== null) entries.set(key, entry);
  if (entries.size === 0) return EMPTY;
  const keys = [...entries.keys()].sort();
  const joined = Buffer.concat(keys.map((key) => entries.get(key)!));
  return { keys, entries: joined, hash: hash('sha256', joined, 'buffer') };
}

function bucketOf(key: ResourceKey): number {
  let mixed = 0x811c9dc5;
  for (let index = 0; index < key.length; index += 1)
    mixed = Math.imul(mixed ^ key.charCodeAt(index), 0x01000193);
  mixed ^= mixed >>> 16;
  return (mixed ^ (mixed >>> 8)) & (BUCKETS - 1);
}

let scratch = Buffer.allocUnsafe(64 * 1024);

function entryHash(key: ResourceKey, bytes: Uint8Array): Buffer {
  const room = key.length * 3 + 1 + bytes.length;
  if (scratch.length < room) scratch = Buffer.allocUnsafe(room * 2);
  const length = scratch.write(key);
  scratch[length] = 0;
  scratch.set(bytes, length + 1);
  return hash('sha256', scratch.subarray(0, length + 1 + bytes.length), 'buffer');
}
