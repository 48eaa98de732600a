/** What is fuzzed: how samples are drawn, judged, made smaller and kept. */
export interface Fuzzer<Sample> {
  draw(): Sample;
  /** What is wrong with it, as `kind: more`; null: nothing. */
  find(sample: Sample): string | null | Promise<string | null>;
  /** A smaller one with a find of the same kind. */
  shrink(sample: Sample, isAlike: (find: string | null) => boolean): Sample | Promise<Sample>;
  /** Writes it among the finds. Returns the file. */
  keep(sample: Sample, kind: string): string;
  show(sample: Sample): string;
}

export interface FuzzResult {
  readonly executions: number;
  /** Files of what was found, one a kind. */
  readonly finds: readonly string[];
}

export function kindOf(find: string): string {
  return find.slice(0, find.indexOf(':'));
}

/** Draws and judges until the time is over; each kind of find is made smaller and kept once. */
export async function fuzz<Sample>(
  fuzzer: Fuzzer<Sample>,
  milliseconds: number,
  say: (line: string) => void,
): Promise<FuzzResult> {
  const finds: string[] = [];
  const kinds = new Set<string>();
  const began = performance.now();
  let executions = 0;
  for (; performance.now() - began < milliseconds; executions += 1) {
    const sample = fuzzer.draw();
    const find = await fuzzer.find(sample);
    if (find === null || kinds.has(kindOf(find))) continue;
    const kind = kindOf(find);
    kinds.add(kind);
    const small = await fuzzer.shrink(sample, (again) => again !== null && kindOf(again) === kind);
    const file = fuzzer.keep(small, kind);
    finds.push(file);
    say(`${find}\n  ${fuzzer.show(small)}\n  ${file}`);
  }
  return { executions, finds };
}
