/**
 * Steps of the pipeline are pure functions; these remember what they gave, so that unchanged inputs (the same JS
 * objects) give the same JS object again and whatever is built on it needs no work either.
 */

/** Remembers the last call. */
export function lastCall<A extends readonly unknown[], R>(step: (...inputs: A) => R): (...inputs: A) => R {
  let last: { readonly inputs: A; readonly result: R } | null = null;
  return (...inputs) => {
    if (last === null || !sameItems(last.inputs, inputs)) last = { inputs, result: step(...inputs) };
    return last.result;
  };
}

/** Remembers the last call for each key; a round drops the keys that were not asked for. */
export class KeyedMemo<A extends readonly unknown[], R> {
  #known = new Map<string, { readonly inputs: A; readonly result: R }>();
  #round = new Map<string, { readonly inputs: A; readonly result: R }>();

  get(key: string, inputs: A, step: (...inputs: A) => R): R {
    const last = this.#round.get(key) ?? this.#known.get(key);
    const entry =
      last !== undefined && sameItems(last.inputs, inputs) ? last : { inputs, result: step(...inputs) };
    this.#round.set(key, entry);
    return entry.result;
  }

  endRound(): void {
    this.#known = this.#round;
    this.#round = new Map();
  }
}

export function sameItems(a: readonly unknown[], b: readonly unknown[]): boolean {
  if (a.length !== b.length) return false;
  for (let index = 0; index < a.length; index += 1) if (a[index] !== b[index]) return false;
  return true;
}
