/** Between two looks at the threads. */
export const LOOK_MS = 100;

/**
 * Looks in a row without a beat after which a thread is taken for hung. Looks are counted, not time: where the whole
 * process stands still (SIGSTOP, a suspended machine, no CPU) the looks stand still with it, and nobody is blamed.
 */
const SILENT_LOOKS = 5;
/** The same while the thread has a change of configuration to compile: 60,000 objects take it twice half a second. */
const SILENT_LOOKS_CONFIGURING = 50;

/** Finds out from a thread's beats that it no longer turns. */
export class HeartbeatWatch {
  #beats = -1;
  #silent = 0;

  /** One look. Returns for how many milliseconds the thread has been silent where that is too long, else 0. */
  look(beats: number, configuring: boolean): number {
    this.#silent = beats === this.#beats ? this.#silent + 1 : 0;
    this.#beats = beats;
    const most = configuring ? SILENT_LOOKS_CONFIGURING : SILENT_LOOKS;
    return this.#silent >= most ? this.#silent * LOOK_MS : 0;
  }
}
