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
  /** `onTimer` threw. Must not throw itself. */
  onFault(error: unknown): void;
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
    this.setAt(timer, this.now + milliseconds + TICK_MS);
  }

  /** Fires with the first tick at or after `deadline` on the wheel's clock. */
  setAt(timer: Timer, deadline: number): void {
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

  /** Timers that are set. Looks at all that hang in slots: for tests and diagnosis. */
  get armed(): number {
    let count = 0;
    for (const head of this.#slots)
      for (let timer = head; timer !== null; timer = timer.next) if (timer.deadline !== OFF) count += 1;
    return count;
  }

  advance(now: number): void {
    this.now = now;
    const until = Math.floor(now / TICK_MS);
    if (until - this.#tick > SLOTS) this.#tick = until - SLOTS;
    while (this.#tick < until) {
      this.#tick += 1;
      const slot = this.#tick % SLOTS;
      // One at a time from the front: what a timer does may take others out of this very slot.
      for (let timer = this.#slots[slot]!; timer !== null; timer = this.#slots[slot]!) {
        this.#unlink(timer);
        if (timer.deadline <= now) {
          timer.deadline = OFF;
          this.#fire(timer);
        } else if (timer.deadline !== OFF) this.#link(timer, Math.floor(timer.deadline / TICK_MS));
      }
    }
  }

  #fire(timer: Timer): void {
    try {
      timer.owner.onTimer(timer);
    } catch (error) {
      timer.owner.onFault(error);
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
