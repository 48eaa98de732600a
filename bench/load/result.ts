export interface LoadResult {
  /** How many of the work's unit were done. */
  readonly units: number;
  readonly seconds: number;
  /** Microseconds of one request or message; null where the load does not measure it. */
  readonly latency: { readonly p50: number; readonly p99: number; readonly p999: number } | null;
  readonly errors: number;
}

export const BYTES_PER_MB = 1e6;
