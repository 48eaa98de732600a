import type { World } from '../../supervisors/world.ts';

interface Timer {
  readonly at: number;
  readonly callback: () => void;
}

/** Time that moves when it is told to; timers that are due at one time run in the order they were set. */
export class SteppingWorld implements World {
  #now = 0;
  #timers: Timer[] = [];
  readonly #draw: () => number;

  constructor(draw: () => number = () => 0.5) {
    this.#draw = draw;
  }

  now(): number {
    return this.#now;
  }
  wallClock(): number {
    return 1_000_000 + this.#now;
  }
  draw(): number {
    return this.#draw();
  }
  after(ms: number, callback: () => void): () => void {
    const timer = { at: this.#now + ms, callback };
    this.#timers.push(timer);
    return () => {
      this.#timers = this.#timers.filter((one) => one !== timer);
    };
  }

  get pending(): number {
    return this.#timers.length;
  }

  /** Goes to the next timer and runs it; false: there is none. */
  step(): boolean {
    const next = this.#timers.reduce<Timer | null>(
      (first, one) => (first === null || one.at < first.at ? one : first),
      null,
    );
    if (next === null) return false;
    this.#timers = this.#timers.filter((one) => one !== next);
    this.#now = Math.max(this.#now, next.at);
    next.callback();
    return true;
  }

  advance(ms: number): void {
    const end = this.#now + ms;
    while (this.#timers.some((timer) => timer.at <= end)) this.step();
    this.#now = end;
  }
}
