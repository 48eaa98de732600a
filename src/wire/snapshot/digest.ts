import { hash } from 'node:crypto';
import type { ResourceKey } from '../../model/resource.ts';
import type { SnapshotVersion } from '../../model/snapshot.ts';

const HASH = 32;
/** Up to this many entries come and go in place; more are merged into a new buffer. */
const FEW = 16;
const SPARE = 256;

interface Move {
  readonly key: ResourceKey;
  /** null: goes. */
  readonly entry: Buffer | null;
  readonly at: number;
}

/**
 * The version of a set of resources, kept up to date while single ones change:
 *
 *     version = hex SHA-256( entry₀ ‖ entry₁ ‖ … )     keys in ascending order of UTF-16 code units
 *     entry   = SHA-256( key in UTF-8 ‖ 0 ‖ canonical bytes )
 *
 * Entries stand in one buffer in the order of their keys, so a change costs one entry, a move of memory and one
 * hash over 32 bytes a resource. Changes wait until `version()` and are then merged together.
 */
export class SnapshotDigest {
  #keys: ResourceKey[] = [];
  #entries: Buffer = Buffer.alloc(0);
  /** null: to be removed. */
  readonly #pending = new Map<ResourceKey, Buffer | null>();
  #version: SnapshotVersion | undefined;

  set(key: ResourceKey, bytes: Uint8Array): void {
    this.#pending.set(key, entryHash(key, bytes));
    this.#version = undefined;
  }

  delete(key: ResourceKey): void {
    this.#pending.set(key, null);
    this.#version = undefined;
  }

  version(): SnapshotVersion {
    if (this.#version === undefined) {
      this.#merge();
      this.#version = hash('sha256', this.#entries.subarray(0, this.#keys.length * HASH), 'hex');
    }
    return this.#version;
  }

  /** Sorted. */
  keys(): readonly ResourceKey[] {
    this.#merge();
    return this.#keys;
  }

  clone(): SnapshotDigest {
    const copy = new SnapshotDigest();
    this.#merge();
    copy.#keys = this.#keys.slice();
    copy.#entries = Buffer.from(this.#entries);
    copy.#version = this.#version;
    return copy;
  }

  #merge(): void {
    if (this.#pending.size === 0) return;
    const moving: Move[] = [];
    for (const [key, entry] of this.#pending) {
      const at = lowerBound(this.#keys, key);
      const present = this.#keys[at] === key;
      if (present && entry !== null) entry.copy(this.#entries, at * HASH);
      else if (present || entry !== null) moving.push({ key, entry, at });
    }
    this.#pending.clear();
    if (moving.length === 0) return;

    moving.sort((a, b) => (a.key < b.key ? -1 : 1));
    if (moving.length <= FEW && (this.#keys.length + moving.length) * HASH <= this.#entries.length) {
      this.#shift(moving);
      return;
    }
    const keys: ResourceKey[] = [];
    const entries = Buffer.allocUnsafe((this.#keys.length + moving.length + SPARE) * HASH);
    let from = 0;
    const keep = (until: number): void => {
      this.#entries.copy(entries, keys.length * HASH, from * HASH, until * HASH);
      for (; from < until; from += 1) keys.push(this.#keys[from]!);
    };
    for (const { key, entry, at } of moving) {
      keep(at);
      if (entry === null) {
        from += 1;
      } else {
        entry.copy(entries, keys.length * HASH);
        keys.push(key);
      }
    }
    keep(this.#keys.length);
    this.#keys = keys;
    this.#entries = entries;
  }

  /** In place and from the end, so that the places found stay true. */
  #shift(moving: readonly Move[]): void {
    for (const { key, entry, at } of moving.toReversed()) {
      const used = this.#keys.length * HASH;
      const place = at * HASH;
      if (entry === null) {
        this.#entries.copyWithin(place, place + HASH, used);
        this.#keys.splice(at, 1);
      } else {
        this.#entries.copyWithin(place + HASH, place, used);
        entry.copy(this.#entries, place);
        this.#keys.splice(at, 0, key);
      }
    }
  }
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

function lowerBound(keys: readonly ResourceKey[], key: ResourceKey): number {
  let low = 0;
  let high = keys.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (keys[middle]! < key) low = middle + 1;
    else high = middle;
  }
  return low;
}
