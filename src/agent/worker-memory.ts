import { totalmem } from 'node:os';

const MEBIBYTE = 1024 * 1024;
/** Of the memory that the process may use; the rest is for buffers, the main thread and the system. */
const SHARE = 0.5;
/** Less than this and a large configuration does not fit; more than this and collecting takes too long. */
const LEAST_MB = 128;
const MOST_MB = 4_096;

/**
 * How large the JavaScript heap of each dataplane worker may become, in MiB, if nobody says: a worker that leaks is to
 * end alone, before the system ends the whole process. `memory` in bytes.
 */
export function workerHeapMb(workers: number, memory = processMemory()): number {
  const share = (memory * SHARE) / MEBIBYTE / workers;
  return Math.round(Math.min(MOST_MB, Math.max(LEAST_MB, share)));
}

/** The limit of the control group, or all that the machine has. */
function processMemory(): number {
  const constrained = process.constrainedMemory();
  return constrained > 0 ? Math.min(constrained, totalmem()) : totalmem();
}
