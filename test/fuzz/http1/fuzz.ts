import { Draw } from '../../draw.ts';
import { RequestOracle } from '../../wire/http1/llhttp-oracle.ts';
import { findIn } from './checks.ts';
import { corpus, keepFind } from './corpus.ts';
import { mutated } from './mutate.ts';
import { shrunk } from './shrink.ts';

export interface FuzzResult {
  readonly executions: number;
  /** Files of what was found, one a kind. */
  readonly finds: readonly string[];
}

const SHRINK_SEED = 1;

function kindOf(find: string): string {
  return find.slice(0, find.indexOf(':'));
}

/** Reads mutated messages until the time is over; each kind of find is shrunk and kept once. */
export async function fuzzHttp1(
  seed: number,
  milliseconds: number,
  say: (line: string) => void,
): Promise<FuzzResult> {
  const samples = corpus();
  const texts = {
    request: samples.filter(({ role }) => role === 'request').map(({ text }) => text),
    response: samples.filter(({ role }) => role === 'response').map(({ text }) => text),
  };
  const oracle = new RequestOracle();
  const draw = new Draw(seed);
  const files: string[] = [];
  const kinds = new Set<string>();
  const began = performance.now();
  let executions = 0;
  for (; performance.now() - began < milliseconds; executions += 1) {
    const role = draw.below(3) === 0 ? 'response' : 'request';
    const text = mutated(draw.of(texts[role]), draw, texts[role]);
    const find = await findIn(role, text, draw, oracle);
    if (find === null) continue;
    const kind = `${role} ${kindOf(find)}`;
    if (kinds.has(kind)) continue;
    kinds.add(kind);
    const small = await shrunk(text, async (candidate) => {
      const again = await findIn(role, candidate, new Draw(SHRINK_SEED), oracle);
      return again !== null && `${role} ${kindOf(again)}` === kind;
    });
    const file = keepFind(role, kindOf(find), small);
    files.push(file);
    say(`${role} ${find}\n  ${JSON.stringify(small)}\n  ${file}`);
  }
  return { executions, finds: files };
}
