/** Between two looks at the threads. */
export const LOOK_MS = 100;

/**
 * Looks in a row without a beat after which a thread is taken for hung. Looks are counted, not time: where the whole
 * process stands still (SIGSTOP, a suspended machine) the looks stand still with it, and nobody is blamed.
 */
const SILENT_LOOKS = 5;
/** The same while the thread has a change of configuration as a whole to work on: 60,000 objects take it half a second. */
const SILENT_LOOKS_CONFIGURING = 50;
/**
 * What a look counts before which the thread was ready to run but mostly had no processor. To end workers of an
 * overloaded machine would make it worse; but one that loops for good is to be found there too.
 */
const STARVED_LOOK = 0.25;

/** Finds out from a thread's signs of life, counted, that it no longer turns. */
export class HeartbeatWatch {
  #beats = -1;
  #looks = 0;
  #silence = 0;

  /**
   * One look. Returns for how many milliseconds the thread has been silent where that is too long, else 0. `starved`:
   * it has mostly had no processor since the last look.
   */
  look(beats: number, configuring: boolean, starved = false): number {
    const silent = beats === this.#beats;
    this.#beats = beats;
    this.#looks = silent ? this.#looks + 1 : 0;
    this.#silence = silent ? this.#silence + (starved ? STARVED_LOOK : 1) : 0;
    const most = configuring ? SILENT_LOOKS_CONFIGURING : SILENT_LOOKS;
    return this.#silence >= most ? this.#looks * LOOK_MS : 0;
  }
}
