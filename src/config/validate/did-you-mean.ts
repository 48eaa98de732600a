/** `; did you mean "x"?` for the nearest of `known`, or nothing where none is near. */
export function didYouMean(given: string, known: readonly string[]): string {
  let best = '';
  let distance = Math.max(1, Math.floor(given.length / 3)) + 1;
  for (const candidate of known) {
    const found = editDistance(given.toLowerCase(), candidate.toLowerCase());
    if (found < distance) {
      distance = found;
      best = candidate;
    }
  }
  // `Prefix` for `PathPrefix`.
  if (best === '' && given.length >= 4) {
    best = known.find((candidate) => candidate.toLowerCase().includes(given.toLowerCase())) ?? '';
  }
  return best === '' ? '' : `; did you mean "${best}"?`;
}

/** Optimal string alignment: insertions, deletions, substitutions and swaps of neighbours. */
export function editDistance(a: string, b: string): number {
  let before: number[] = [];
  let previous = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i += 1) {
    const row = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const same = a[i - 1] === b[j - 1];
      let cost = Math.min(row[j - 1]! + 1, previous[j]! + 1, previous[j - 1]! + (same ? 0 : 1));
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1])
        cost = Math.min(cost, before[j - 2]! + 1);
      row.push(cost);
    }
    before = previous;
    previous = row;
  }
  return previous[b.length]!;
}
