import { setImmediate } from 'node:timers/promises';

const SLICE_MS = 4;

/** Cuts long work into slices, for threads that have other things to do meanwhile: `if (turns.due) await turns.next()`. */
export class Turns {
  readonly #sliceMs: number;
  #since = performance.now();

  /** `sliceMs`: work before others get their turn. */
  constructor(sliceMs = SLICE_MS) {
    this.#sliceMs = sliceMs;
  }

  get due(): boolean {
    return performance.now() - this.#since >= this.#sliceMs;
  }

  async next(): Promise<void> {
    await setImmediate();
    this.#since = performance.now();
  }
}

/** Values sorted at once before they are merged; about a millisecond. */
const RUN = 1024;

/** As `[...values].sort()`, in slices. */
export async function sortInTurns(values: Iterable<string>, turns: Turns): Promise<string[]> {
  const all = [...values];
  if (turns.due) await turns.next();
  let runs: string[][] = [];
  for (let start = 0; start < all.length; start += RUN) {
    runs.push(all.slice(start, start + RUN).sort());
    if (turns.due) await turns.next();
  }
  while (runs.length > 1) {
    const merged: string[][] = [];
    for (let index = 0; index < runs.length; index += 2)
      merged.push(await merge(runs[index]!, runs[index + 1] ?? [], turns));
    runs = merged;
  }
  return runs[0] ?? [];
}

async function merge(a: readonly string[], b: readonly string[], turns: Turns): Promise<string[]> {
  const merged: string[] = [];
  let fromA = 0;
  let fromB = 0;
  while (fromA < a.length || fromB < b.length) {
    const next =
      fromB === b.length || (fromA < a.length && a[fromA]! <= b[fromB]!) ? a[fromA++]! : b[fromB++]!;
    merged.push(next);
    if (merged.length % RUN === 0 && turns.due) await turns.next();
  }
  return merged;
}
