import type { BudgetLimit } from './abuse-limits.ts';

const MS_PER_SECOND = 1000;

/** A bucket of tokens that time and useful work fill again, up to its burst. Reads no clock. */
export class WorkBudget {
  readonly #limit: BudgetLimit;
  #left: number;
  #since: number;

  /** `now` in milliseconds, of any beginning, as everywhere here. */
  constructor(limit: BudgetLimit, now: number) {
    this.#limit = limit;
    this.#left = limit.burst;
    this.#since = now;
  }

  earn(count: number): void {
    const left = this.#left + count;
    this.#left = left > this.#limit.burst ? this.#limit.burst : left;
  }

  /** False: there was not so much left. */
  spend(cost: number, now: number): boolean {
    if (this.#left < cost && now > this.#since) {
      this.earn(((now - this.#since) * this.#limit.perSecond) / MS_PER_SECOND);
      this.#since = now;
    }
    this.#left -= cost;
    return this.#left >= 0;
  }
}
