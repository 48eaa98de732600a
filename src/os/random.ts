import { randomFillSync } from 'node:crypto';

/** Fills `target` with the system's randomness. */
export function randomBits(target: Uint32Array<ArrayBuffer>): void {
  randomFillSync(target);
}
