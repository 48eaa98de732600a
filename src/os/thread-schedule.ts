import { readFileSync, readlinkSync } from 'node:fs';

/** Where the system tells how the calling thread is scheduled; empty where it does not (other than Linux). */
export function ownSchedule(): string {
  try {
    return `/proc/${readlinkSync('/proc/thread-self')}/schedstat`;
  } catch {
    return '';
  }
}

/**
 * Milliseconds that a thread of this process has been ready to run so far, and had no processor (Linux
 * Documentation/scheduler/sched-stats.rst: the second field). 0 where that is not known.
 */
export function waitedForProcessor(schedule: string): number {
  if (schedule === '') return 0;
  try {
    return Number(readFileSync(schedule, 'latin1').split(' ')[1]) / 1e6;
  } catch {
    // The thread has ended.
    return 0;
  }
}
