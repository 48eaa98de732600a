interface Timer {
  readonly at: number;
  readonly order: number;
  callback: (() => void) | null;
}

/**
 * Simulated time. It stands still until `step`, which goes to the next timer that is due and runs that one alone;
 * timers due at the same time run in the order in which they were set, those that they set themselves included.
 */
export class SteppingClock {
  /** A heap: the next timer first. */
  readonly #timers: Timer[] = [];
  #now = 0;
  #order = 0;

  /** Milliseconds since the start. */
  get now(): number {
    return this.#now;
  }

  /** When the next timer is due; Infinity: there is none. */
  get next(): number {
    this.#dropCancelled();
    return this.#timers[0]?.at ?? Number.POSITIVE_INFINITY;
  }

  /** Timers that wait. */
  get pending(): number {
    return this.#timers.reduce((count, timer) => count + (timer.callback === null ? 0 : 1), 0);
  }

  /** Runs `callback` once after `ms`. Returns how to cancel it. */
  after(ms: number, callback: () => void): () => void {
    const timer: Timer = { at: this.#now + Math.max(0, ms), order: this.#order, callback };
    this.#order += 1;
    this.#push(timer);
    return () => {
      timer.callback = null;
    };
  }

  /** Goes to the next timer and runs it; false: there is none. */
  step(): boolean {
    this.#dropCancelled();
    const timer = this.#pop();
    if (timer === undefined) return false;
    this.#now = timer.at;
    const { callback } = timer;
    timer.callback = null;
    callback?.();
    return true;
  }

  /** Goes to a time before the next timer; there is nothing to run on the way. */
  skipTo(time: number): void {
    if (time > this.next) throw new Error('there is a timer on the way');
    this.#now = Math.max(this.#now, time);
  }

  #dropCancelled(): void {
    while (this.#timers[0]?.callback === null) this.#pop();
  }

  #push(timer: Timer): void {
    const heap = this.#timers;
    let index = heap.push(timer) - 1;
    while (index > 0) {
      const parent = (index - 1) >>> 1;
      if (before(heap[parent]!, timer)) break;
      heap[index] = heap[parent]!;
      index = parent;
    }
    heap[index] = timer;
  }

  #pop(): Timer | undefined {
    const heap = this.#timers;
    const first = heap[0];
    const last = heap.pop();
    if (first === undefined || last === undefined || heap.length === 0) return first;
    let index = 0;
    for (;;) {
      let child = index * 2 + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && before(heap[child + 1]!, heap[child]!)) child += 1;
      if (before(last, heap[child]!)) break;
      heap[index] = heap[child]!;
      index = child;
    }
    heap[index] = last;
    return first;
  }
}

function before(one: Timer, other: Timer): boolean {
  return one.at < other.at || (one.at === other.at && one.order < other.order);
}
