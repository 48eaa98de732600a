/**
 * `grpc-timeout` (gRPC over HTTP/2, Requests):
 *
 *     1 to 8 digits, then one of H M S m u n: hours, minutes, seconds, milli-, micro-, nanoseconds
 */
const MILLISECONDS = new Float64Array(128);
MILLISECONDS[72] = 3_600_000;
MILLISECONDS[77] = 60_000;
MILLISECONDS[83] = 1000;
MILLISECONDS[109] = 1;
MILLISECONDS[117] = 1e-3;
MILLISECONDS[110] = 1e-6;

const MOST_DIGITS = 8;
const MOST_VALUE = 99_999_999;
/** Below this many milliseconds the rest is passed on in microseconds. */
const FINE_MS = 100;

/** Milliseconds, whole or not; -1 where `bytes[start, end)` are no timeout. */
export function readGrpcTimeout(bytes: Uint8Array, start: number, end: number): number {
  const digits = end - start - 1;
  if (digits < 1 || digits > MOST_DIGITS) return -1;
  let value = 0;
  for (let at = start; at < end - 1; at += 1) {
    const digit = bytes[at]! - 48;
    if (digit < 0 || digit > 9) return -1;
    value = value * 10 + digit;
  }
  const unit = bytes[end - 1]!;
  const factor = unit < 128 ? MILLISECONDS[unit]! : 0;
  return factor === 0 ? -1 : value * factor;
}

/** The longest timeout that can be written and is not longer than `milliseconds`, but never none at all. */
export function encodeGrpcTimeout(milliseconds: number): string {
  if (milliseconds < FINE_MS) return `${Math.max(1, Math.floor(milliseconds * 1000))}u`;
  if (milliseconds <= MOST_VALUE) return `${Math.floor(milliseconds)}m`;
  if (milliseconds <= MOST_VALUE * 1000) return `${Math.floor(milliseconds / 1000)}S`;
  if (milliseconds <= MOST_VALUE * 60_000) return `${Math.floor(milliseconds / 60_000)}M`;
  return `${Math.min(MOST_VALUE, Math.floor(milliseconds / 3_600_000))}H`;
}

/** Bytes of a timeout that is always written with all its digits. */
export const TIMEOUT_BYTES: number = MOST_DIGITS + 1;

/** The same with leading zeros, into TIMEOUT_BYTES bytes: so it can be written again over itself. */
export function writeGrpcTimeout(bytes: Buffer, at: number, milliseconds: number): void {
  bytes.write(encodeGrpcTimeout(milliseconds).padStart(TIMEOUT_BYTES, '0'), at, 'latin1');
}
