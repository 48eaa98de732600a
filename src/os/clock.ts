/** Milliseconds from an arbitrary start, with fractions; never goes back. */
export function monotonicNow(): number {
  return performance.now();
}

/** Milliseconds since the epoch. */
export function wallNow(): number {
  return Date.now();
}
