/** A client that is too slow from the start is cut after one window; one that had been quick before, after two. */
export const WINDOW_MS = 5000;

/**
 * Whether a client sends, or takes, bytes fast enough, over the time in which it could:
 *
 *     it could   ████████░░░░░░░░██████████      ░ somebody else kept it from it: that does not count
 *     windows    ├────── 5 s of it ───┤──        at the end of each: at least rate × 5 s, else it is too slow
 *
 * What a window has over carries on to the next, but never more than one window's worth: so a client may pause for
 * a window when it has been quick, and nobody can send much at first to be slow for long. (Kestrel's minimum data
 * rates, from which rate and grace are, take the average from the start.)
 */
export class Pace {
  /** When the stretch that runs began, or -1. */
  #from = -1;
  /** Of this window, before that. */
  #before = 0;
  /** Bytes at the window's start. */
  #mark = 0;
  #carried = 0;
  #seen = 0;
  #movedAt = 0;

  /** A new message: `total` bytes have moved so far. It does not run yet. */
  reset(total: number): void {
    this.#from = -1;
    this.#before = 0;
    this.#mark = total;
    this.#carried = 0;
    this.#seen = total;
  }

  /** From now on the client could. */
  run(now: number, total: number): void {
    if (this.#from !== -1) return;
    this.#from = now;
    this.#seen = total;
    this.#movedAt = now;
    if (this.#before > 0) return;
    // What moved before a window began is no part of it.
    this.#carried += total - this.#mark;
    this.#mark = total;
  }

  pause(now: number): void {
    if (this.#from === -1) return;
    this.#before += now - this.#from;
    this.#from = -1;
  }

  get runs(): boolean {
    return this.#from !== -1;
  }

  /** Who knows when bytes moved says so; else `isTooSlow` finds out, when it is called. */
  moved(now: number, total: number): void {
    this.#seen = total;
    this.#movedAt = now;
  }

  /** `rate` in bytes a second and `stallMs` without a byte at all; 0 is off. Only while it runs. */
  isTooSlow(now: number, total: number, rate: number, stallMs: number): boolean {
    if (total !== this.#seen) this.moved(now, total);
    else if (stallMs > 0 && now - this.#movedAt >= stallMs) return true;
    const spent = this.#before + now - this.#from;
    if (spent < WINDOW_MS) return false;
    const wanted = (rate * WINDOW_MS) / 1000;
    const over = Math.min(this.#carried, wanted) + total - this.#mark - wanted;
    if (rate > 0 && over < 0) return true;
    this.#carried = Math.max(over, 0);
    this.#mark = total;
    this.#before = 0;
    this.#from = now;
    return false;
  }

  /** Milliseconds until `isTooSlow` can say something else; 0: never. */
  nextLook(now: number, rate: number, stallMs: number): number {
    const window = rate > 0 ? Math.max(1, WINDOW_MS - this.#before - (now - this.#from)) : 0;
    const stall = stallMs > 0 ? Math.max(1, stallMs - (now - this.#movedAt)) : 0;
    return soonest(window, stall);
  }
}

/** The shorter of two times; 0 is never. */
export function soonest(one: number, other: number): number {
  if (one === 0) return other;
  return other === 0 ? one : Math.min(one, other);
}
