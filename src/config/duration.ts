const UNITS = { h: 3_600_000, m: 60_000, s: 1000, ms: 1 } as const;

/** Milliseconds of a checked duration (GEP-2257): `1m30s` is 90,000. */
export function durationMs(text: string): number {
  let sum = 0;
  for (const [, digits, unit] of text.matchAll(/([0-9]+)(ms|h|m|s)/g)) {
    sum += Number(digits) * UNITS[unit as keyof typeof UNITS];
  }
  return sum;
}
