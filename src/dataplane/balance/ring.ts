import type { HashTable } from './hash-table.ts';
import { ownersMemory } from './hash-table.ts';
import { hashText } from './xxhash32.ts';

/** Points of a target of middling weight: the share of one of several is then even to about 6 % (1 / √256). */
const POINTS_EACH = 256;
/** Very many targets get fewer, so that the ring stays small. */
export const MOST_POINTS = 262_144;
/** Parts of a halving in which the number of points follows the number of targets beyond that. */
const STEPS = 8;
/** Room for the place of a target beside a point: together they are exact in a double. */
const PLACES = 2 ** 20;

/**
 * A ring of hashes (Karger et al., "Consistent hashing and random trees", 1997) with many points for each target, as
 * ketama and Envoy's ring_hash have it: a key belongs to the target of the first point at or after its hash.
 *
 *     0 ──B──A────C─A──B─────C──A──> 2^32, and on at 0
 *              ^key: C
 *
 * Point i of a target is XXH32 of `<id>_<i>`, as Envoy names them. A target has points by weight, at least one; where two
 * hashes are the same, the first in the order of ids has it.
 *
 * `ids` in ascending order, `weights` above 0.
 */
export function buildRing(ids: readonly string[], weights: readonly number[]): HashTable {
  const counts = pointCounts(weights);
  const size = counts.reduce((sum, count) => sum + count, 0);
  const entries = new Float64Array(size);
  let at = 0;
  for (let target = 0; target < ids.length; target += 1) {
    const prefix = `${ids[target]!}_`;
    for (let point = 0; point < counts[target]!; point += 1) {
      entries[at] = hashText(prefix + point) * PLACES + target;
      at += 1;
    }
  }
  entries.sort();
  const points = new Uint32Array(new SharedArrayBuffer(size * Uint32Array.BYTES_PER_ELEMENT));
  const owners = ownersMemory(size, ids.length);
  for (let index = 0; index < size; index += 1) {
    const point = Math.floor(entries[index]! / PLACES);
    points[index] = point;
    owners[index] = entries[index]! - point * PLACES;
  }
  return { points, owners };
}

/**
 * How many points each target has. A target that comes or goes must not change the others' numbers, or their keys would
 * move too: points for a unit of weight are a power of two that fits the mean weight; only where all together would be more
 * than MOST_POINTS (some 1,000 targets) are they fewer, in steps of 8 %.
 */
export function pointCounts(weights: readonly number[]): number[] {
  const sum = weights.reduce((total, weight) => total + weight, 0);
  const fitting = 2 ** Math.round(Math.log2((POINTS_EACH * weights.length) / sum));
  const steps = Math.max(0, Math.ceil(STEPS * Math.log2((sum * fitting) / MOST_POINTS)));
  const each = fitting * 2 ** (-steps / STEPS);
  return weights.map((weight) => Math.max(1, Math.round(weight * each)));
}

/** Place of the first point at or after `hash`; 0 where there is none. */
export function findPoint(points: Uint32Array, hash: number): number {
  let from = 0;
  let to = points.length;
  while (from < to) {
    const middle = (from + to) >>> 1;
    if (points[middle]! < hash) from = middle + 1;
    else to = middle;
  }
  return from === points.length ? 0 : from;
}
