import type { Xoshiro128 } from '../xoshiro128.ts';
import type { Balancer, Target } from './balancer.ts';
import { eligible, NO_KEY } from './balancer.ts';
import type { BuildTable, HashPolicy, HashTable, OrderedTable } from './hash-table.ts';
import { MAGLEV_SLOTS } from './maglev.ts';
import { RandomChoice } from './random.ts';
import { Rendezvous } from './rendezvous.ts';
import { findPoint } from './ring.ts';

/**
 * The target that a key belongs to, by a table (RingHash, Maglev) that holds all targets with weight. Where its target
 * takes no requests (not ready, ejected, tried already, gone), a key goes to that of the next slot that does; the slots
 * after those of one target are everybody's, so its keys spread over all others, and nobody else's move.
 *
 * A new table is asked for when targets or weights change; the old one serves until it is there, and Rendezvous until
 * the first one is. A request without a key goes anywhere, by weight.
 */
export class HashedChoice<T extends Target> implements Balancer<T> {
  readonly isTimed = false;
  readonly #policy: HashPolicy;
  readonly #build: BuildTable;
  readonly #random: RandomChoice<T>;
  readonly #rendezvous = new Rendezvous<T>();
  #eligible: ReadonlySet<T> = new Set();
  /** That the newest table, in use or under way, is for. */
  #members: readonly T[] = [];
  #weights: readonly number[] = [];
  #building = false;
  #outdated = false;
  #table: HashTable | null = null;
  /** By the places in the table. */
  #targets: readonly T[] = [];
  /** 1: takes requests. */
  #open = new Uint8Array(0);
  #openCount = 0;

  constructor(policy: HashPolicy, random: Xoshiro128, build: BuildTable) {
    this.#policy = policy;
    this.#random = new RandomChoice(random);
    this.#build = build;
  }

  update(targets: readonly T[]): void {
    this.#eligible = new Set(eligible(targets));
    this.#random.update(targets);
    if (this.#changed(targets.filter((target) => target.weight > 0))) this.#renew();
    if (this.#table === null) this.#rendezvous.update(targets);
    else this.#look();
  }

  pick(avoid: readonly T[] | null, key: number): T | null {
    if (key === NO_KEY) return this.#random.pick(avoid);
    const table = this.#table;
    if (table === null) return this.#rendezvous.pick(avoid, key);
    if (this.#openCount > 0) {
      const tried = avoid === null || this.#allTried(avoid) ? null : avoid;
      const found = this.#walk(table, tried, key);
      if (found !== null) return found;
    }
    return this.#random.pick(avoid);
  }

  observe(): void {}

  #walk(table: HashTable, tried: readonly T[] | null, key: number): T | null {
    const { points, owners } = table;
    let slot = points === null ? key % MAGLEV_SLOTS : findPoint(points, key);
    for (let step = 0; step < owners.length; step += 1) {
      const owner = owners[slot]!;
      if (this.#open[owner] === 1) {
        const target = this.#targets[owner]!;
        if (tried?.includes(target) !== true) return target;
      }
      slot = slot + 1 === owners.length ? 0 : slot + 1;
    }
    return null;
  }

  #allTried(avoid: readonly T[]): boolean {
    if (avoid.length < this.#eligible.size) return false;
    for (const target of this.#eligible) if (!avoid.includes(target)) return false;
    return true;
  }

  #changed(members: readonly T[]): boolean {
    const same =
      members.length === this.#members.length &&
      members.every((target, at) => target === this.#members[at] && target.weight === this.#weights[at]);
    if (same) return false;
    this.#members = members;
    this.#weights = members.map((target) => target.weight);
    return true;
  }

  /** At most one table is under way; what changes meanwhile is in the next one. */
  #renew(): void {
    if (this.#building) {
      this.#outdated = true;
      return;
    }
    this.#outdated = false;
    const members = this.#members;
    if (members.length === 0) {
      this.#table = null;
      return;
    }
    this.#building = true;
    this.#build(
      { policy: this.#policy, ids: members.map((target) => target.id), weights: this.#weights },
      (built) => this.#built(built, members),
    );
  }

  #built({ table, order }: OrderedTable, members: readonly T[]): void {
    this.#building = false;
    this.#table = table;
    this.#targets = Array.from(order, (place) => members[place]!);
    this.#open = new Uint8Array(this.#targets.length);
    this.#look();
    this.#rendezvous.update([]);
    if (this.#outdated) this.#renew();
  }

  #look(): void {
    let count = 0;
    for (let place = 0; place < this.#targets.length; place += 1) {
      const open = this.#eligible.has(this.#targets[place]!) ? 1 : 0;
      this.#open[place] = open;
      count += open;
    }
    this.#openCount = count;
  }
}
