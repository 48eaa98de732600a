/**
 * The text with as much taken away as goes while `stillFails` (Zeller and Hildebrandt, "Simplifying and Isolating
 * Failure-Inducing Input", 2002: halves first, then ever smaller pieces).
 */
export async function shrunk(text: string, stillFails: (text: string) => Promise<boolean>): Promise<string> {
  let best = text;
  for (let size = Math.ceil(best.length / 2); size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2)) {
    for (let at = 0; at < best.length; ) {
      const without = best.slice(0, at) + best.slice(at + size);
      if (await stillFails(without)) best = without;
      else at += size;
    }
  }
  return best;
}
