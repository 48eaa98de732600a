import type { Target } from './balancer.ts';
import { eligible } from './balancer.ts';
import { hashText } from './xxhash32.ts';

/**
 * Rendezvous hashing with weights (Thaler, Ravishankar, "Using name-based mappings to increase hit rates", 1998; the
 * score of Resch's "New hashing algorithms for data storage", 2015): the target whose score with the key is the
 * greatest. Needs no table and looks at every target for each request: what serves until a table is there.
 */
export class Rendezvous<T extends Target> {
  #targets: readonly T[] = [];
  #hashes = new Uint32Array(0);

  update(targets: readonly T[]): void {
    this.#targets = eligible(targets);
    this.#hashes = Uint32Array.from(this.#targets, (target) => hashText(target.id));
  }

  pick(avoid: readonly T[] | null, key: number): T | null {
    let best: T | null = null;
    let most = Number.NEGATIVE_INFINITY;
    for (let index = 0; index < this.#targets.length; index += 1) {
      const target = this.#targets[index]!;
      if (avoid?.includes(target) === true) continue;
      const score = target.weight / -Math.log(fraction(this.#hashes[index]! ^ key));
      if (score > most || (score === most && target.id < best!.id)) {
        most = score;
        best = target;
      }
    }
    return best === null && avoid !== null ? this.pick(null, key) : best;
  }
}

/** Between 0 and 1, neither of them, from bits that are not spread yet (MurmurHash3's finalizer). */
function fraction(bits: number): number {
  let mixed = Math.imul(bits ^ (bits >>> 16), 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
  return (((mixed ^ (mixed >>> 16)) >>> 0) + 0.5) / 2 ** 32;
}
