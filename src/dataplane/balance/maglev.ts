import type { Owners } from './hash-table.ts';
import { ownersMemory } from './hash-table.ts';
import { hashText } from './xxhash32.ts';

/** Slots: a prime, so that every step leads through all of them; the paper's and Envoy's size. */
export const MAGLEV_SLOTS = 65_537;

/**
 * Maglev's lookup table (Eisenbud et al., "Maglev: A fast and reliable software network load balancer", 2016, section
 * 3.4). Each target has its own order of all slots, from two hashes of its id; in turn each takes the first slot of its
 * order that is free, until none is.
 *
 *     order of A   3 0 4 1 2        turn of  A B C A B
 *     order of B   0 2 4 1 3        takes    3 0 4 1 2      slots  B A B A C
 *     order of C   3 4 0 1 2
 *
 * Weights as in Envoy (`MaglevTable`): the heaviest target has a turn in every round, others in every so manieth; all of
 * them in the first. So each has at least one slot, where there are as many slots as targets.
 *
 * `ids` in ascending order, `weights` above 0. Takes about MAGLEV_SLOTS × ln(MAGLEV_SLOTS) steps.
 */
export function buildMaglev(ids: readonly string[], weights: readonly number[]): Owners {
  const count = ids.length;
  const owners = ownersMemory(MAGLEV_SLOTS, count);
  if (count === 0) return owners;
  const position = Uint32Array.from(ids, (id) => hashText(id) % MAGLEV_SLOTS);
  const step = Uint32Array.from(ids, (id) => (hashText(id, 1) % (MAGLEV_SLOTS - 1)) + 1);
  const taken = new Uint8Array(MAGLEV_SLOTS);
  const turns = new Turns(weights);
  for (let left = MAGLEV_SLOTS; left > 0; left -= 1) {
    const target = turns.next();
    const by = step[target]!;
    let slot = position[target]!;
    while (taken[slot] === 1) {
      slot += by;
      if (slot >= MAGLEV_SLOTS) slot -= MAGLEV_SLOTS;
    }
    taken[slot] = 1;
    owners[slot] = target;
    position[target] = slot;
  }
  return owners;
}

/**
 * Whose turn it is. In round r it is, in order of the targets, the turn of each whose number of turns so far, k, is at
 * most r × weight ÷ greatest weight. Instead of asking all targets in each round, each waits in the list of the round
 * in which its next turn is: a light target among heavy ones would be asked in vain 65,537 times.
 */
class Turns {
  readonly #weights: readonly number[];
  readonly #greatest: number;
  readonly #had: Float64Array;
  /** First target of each round's list, and the one after each target; -1 is none. */
  readonly #lists = new Int32Array(MAGLEV_SLOTS + 2).fill(-1);
  readonly #after: Int32Array;
  readonly #round: Uint32Array;
  #number = 1;
  #length = 0;
  #at = 0;

  constructor(weights: readonly number[]) {
    this.#weights = weights;
    this.#greatest = weights.reduce((most, weight) => Math.max(most, weight), 0);
    this.#had = new Float64Array(weights.length);
    this.#after = new Int32Array(weights.length).fill(-1);
    this.#round = Uint32Array.from(weights, (_, target) => target);
    this.#length = weights.length;
  }

  next(): number {
    if (this.#at === this.#length) this.#nextRound();
    const target = this.#round[this.#at]!;
    this.#at += 1;
    this.#wait(target);
    return target;
  }

  #wait(target: number): void {
    const had = this.#had[target]! + 1;
    this.#had[target] = had;
    const round = this.#roundOf(had, this.#weights[target]!);
    if (round > MAGLEV_SLOTS) return;
    this.#after[target] = this.#lists[round]!;
    this.#lists[round] = target;
  }

  /** The first round after this one with round × weight ≥ had × greatest. Exact: all of it is below 2^53. */
  #roundOf(had: number, weight: number): number {
    const next = this.#number + 1;
    if (weight === this.#greatest) return next;
    const wanted = had * this.#greatest;
    let round = Math.ceil(wanted / weight);
    if ((round - 1) * weight >= wanted) round -= 1;
    else if (round * weight < wanted) round += 1;
    return Math.max(next, round);
  }

  #nextRound(): void {
    this.#number += 1;
    let length = 0;
    for (let target = this.#lists[this.#number]!; target !== -1; target = this.#after[target]!) {
      this.#round[length] = target;
      length += 1;
    }
    // Who came late to the list stands first in it.
    this.#round.subarray(0, length).sort();
    this.#length = length;
    this.#at = 0;
  }
}
