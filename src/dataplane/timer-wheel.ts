/*
 * One interval for all timeouts of a thread. A timer that is set later than the slot it hangs in is not moved: when
 * the slot comes up, it is hung into the right one. So setting a timeout again, as every request does, is a store.
 *
 *   slot   0     1     2   …  511        one slot = TICK_MS
 *          ▼           ▼
 *          t1 ⇄ t7     t3                 t1.deadline may be far beyond slot 0
 */
export const TICK_MS = 50;
const SLOTS = 512;
const OFF = Number.POSITIVE_INFINITY;

export interface TimerOwner {
  onTimer(timer: Timer): void;
}

export class Timer {
  readonly owner: TimerOwner;
  deadline = OFF;
  /** Tick of the slot it hangs in, or -1. */
  tick = -1;
  next: Timer | null = null;
  previous: Timer | null = null;

  constructor(owner: TimerOwner) {
    this.owner = owner;
  }
}

export class TimerWheel {
  /** Of the last tick, in the clock's milliseconds. */
  now: number;
  readonly #slots: (Timer | null)[] = new Array<Timer | null>(SLOTS).fill(null);
  #tick: number;

  constructor(now: number) {
    this.now = now;
    this.#tick = Math.floor(now / TICK_MS);
  }

  /** Fires not before `milliseconds` and at most two ticks later. */
  set(timer: Timer, milliseconds: number): void {
    const deadline = this.now + milliseconds + TICK_MS;
    timer.deadline = deadline;
    const tick = Math.floor(deadline / TICK_MS);
    if (timer.tick !== -1) {
      if (timer.tick <= tick) return;
      this.#unlink(timer);
    }
    this.#link(timer, tick);
  }

  /** Stays in its slot until that comes up. */
  clear(timer: Timer): void {
    timer.deadline = OFF;
  }

  /** Takes the timer out at once, for owners that go away. */
  remove(timer: Timer): void {
    timer.deadline = OFF;
    if (timer.tick !== -1) this.#unlink(timer);
  }

  advance(now: number): void {
    this.now = now;
    const until = Math.floor(now / TICK_MS);
    if (until - this.#tick > SLOTS) this.#tick = until - SLOTS;
    while (this.#tick < until) {
      this.#tick += 1;
      const slot = this.#tick % SLOTS;
      let timer = this.#slots[slot]!;
      this.#slots[slot] = null;
      while (timer !== null) {
        const following = timer.next!;
        timer.next = null;
        timer.previous = null;
        timer.tick = -1;
        if (timer.deadline <= now) {
          timer.deadline = OFF;
          timer.owner.onTimer(timer);
        } else if (timer.deadline !== OFF) this.#link(timer, Math.floor(timer.deadline / TICK_MS));
        timer = following;
      }
    }
  }

  #link(timer: Timer, wanted: number): void {
    const tick = Math.min(Math.max(wanted, this.#tick + 1), this.#tick + SLOTS - 1);
    timer.tick = tick;
    const slot = tick % SLOTS;
    const head = this.#slots[slot]!;
    timer.next = head;
    timer.previous = null;
    if (head !== null) head.previous = timer;
    this.#slots[slot] = timer;
  }

  #unlink(timer: Timer): void {
    const slot = timer.tick % SLOTS;
    if (timer.previous !== null) timer.previous.next = timer.next;
    else this.#slots[slot] = timer.next;
    if (timer.next !== null) timer.next.previous = timer.previous;
    timer.next = null;
    timer.previous = null;
    timer.tick = -1;
  }
}
