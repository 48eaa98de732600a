import { Draw } from '../../draw.ts';
import type { FuzzResult } from '../http1/fuzz.ts';
import { shrunk } from '../http1/shrink.ts';
import { findIn } from './checks.ts';
import { corpus, keepFind } from './corpus.ts';
import { mutated } from './mutate.ts';

function kindOf(find: string): string {
  return find.slice(0, find.indexOf(':'));
}

/** Reads mutated blocks until the time is over; each kind of find is shrunk and kept once. */
export async function fuzzHpack(
  seed: number,
  milliseconds: number,
  say: (line: string) => void,
): Promise<FuzzResult> {
  const texts = corpus().map(({ text }) => text);
  const draw = new Draw(seed);
  const files: string[] = [];
  const kinds = new Set<string>();
  const began = performance.now();
  let executions = 0;
  for (; performance.now() - began < milliseconds; executions += 1) {
    const text = mutated(draw.of(texts), draw, texts);
    const find = findIn(text);
    if (find === null || kinds.has(kindOf(find))) continue;
    kinds.add(kindOf(find));
    const small = await shrunk(text, async (candidate) => {
      const again = findIn(candidate);
      return again !== null && kindOf(again) === kindOf(find);
    });
    const file = keepFind(kindOf(find), small);
    files.push(file);
    say(`${find}\n  ${Buffer.from(small, 'latin1').toString('hex')}\n  ${file}`);
  }
  return { executions, finds: files };
}
