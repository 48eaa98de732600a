import type { Balancer, Target } from './balancer.ts';
import { eligible, haveEqualWeights } from './balancer.ts';

/**
 * Smooth weighted round robin by earliest deadline first, as Envoy and gRPC do it (`EdfScheduler`): the k-th pick of a
 * target is due at (k - ½) ÷ weight, and the earliest is next. So each has exactly its weight in a round of all weights,
 * in the middle of its parts of the round; that is the order of nginx's smooth round robin (weights 5, 1, 1: A A A B C A
 * A), from a heap instead of a scan of all targets for each pick. With equal weights it is plain rotation.
 */
export class RoundRobin<T extends Target> implements Balancer<T> {
  readonly isTimed = false;
  #targets: T[] = [];
  #equal = true;
  /** Of plain rotation. */
  #next = 0;
  /** Places of targets, a binary heap by when they are due. */
  #heap = new Uint32Array(0);
  #due = new Float64Array(0);
  #picks = new Float64Array(0);
  #weights = new Float64Array(0);
  /** When the last pick was due. */
  #now = 0;

  update(targets: readonly T[]): void {
    const before = new Map(this.#targets.map((target, place) => [target, place]));
    const [picks, weights] = [this.#picks, this.#weights];
    this.#targets = eligible(targets);
    const count = this.#targets.length;
    this.#equal = haveEqualWeights(this.#targets);
    if (this.#next >= count) this.#next = 0;
    this.#picks = new Float64Array(count);
    this.#due = new Float64Array(count);
    this.#weights = Float64Array.from(this.#targets, ({ weight }) => weight);
    for (const [place, target] of this.#targets.entries()) {
      const known = before.get(target);
      // Who is new, or counts differently now, has missed nothing.
      this.#picks[place] =
        known !== undefined && weights[known] === target.weight
          ? picks[known]!
          : Math.max(0, Math.ceil(this.#now * target.weight - 0.5));
      this.#due[place] = (this.#picks[place]! + 0.5) / target.weight;
    }
    this.#heap = Uint32Array.from(this.#targets, (_, place) => place);
    for (let at = (count >> 1) - 1; at >= 0; at -= 1) this.#sink(at);
  }

  pick(avoid: readonly T[] | null): T | null {
    if (this.#targets.length === 0) return null;
    const picked = this.#equal ? this.#rotate() : this.#earliest();
    if (avoid === null || !avoid.includes(picked)) return picked;
    for (let turn = 0; turn < this.#targets.length; turn += 1) {
      const other = this.#rotate();
      if (!avoid.includes(other)) return other;
    }
    return picked;
  }

  observe(): void {}

  #rotate(): T {
    const index = this.#next;
    this.#next = index + 1 === this.#targets.length ? 0 : index + 1;
    return this.#targets[index]!;
  }

  #earliest(): T {
    const place = this.#heap[0]!;
    this.#now = this.#due[place]!;
    this.#picks[place]! += 1;
    this.#due[place] = (this.#picks[place]! + 0.5) / this.#weights[place]!;
    this.#sink(0);
    return this.#targets[place]!;
  }

  /** Down to where it is due before both below it; of two that are due at once the first in order goes first. */
  #sink(start: number): void {
    const heap = this.#heap;
    const due = this.#due;
    const place = heap[start]!;
    let at = start;
    for (let below = 2 * at + 1; below < heap.length; below = 2 * at + 1) {
      if (below + 1 < heap.length && isBefore(due, heap[below + 1]!, heap[below]!)) below += 1;
      if (!isBefore(due, heap[below]!, place)) break;
      heap[at] = heap[below]!;
      at = below;
    }
    heap[at] = place;
  }
}

function isBefore(due: Float64Array, one: number, other: number): boolean {
  return due[one]! < due[other]! || (due[one]! === due[other]! && one < other);
}
