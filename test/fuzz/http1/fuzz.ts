import { Draw } from '../../draw.ts';
import { RequestOracle } from '../../wire/http1/llhttp-oracle.ts';
import type { Fuzzer } from '../fuzzer.ts';
import { findIn } from './checks.ts';
import { corpus, keepFind } from './corpus.ts';
import { mutated } from './mutate.ts';
import { shrunk } from './shrink.ts';

const SHRINK_SEED = 1;

interface Sample {
  readonly role: 'request' | 'response';
  readonly text: string;
}

/** Mutated messages of HTTP/1.1. */
export function http1Fuzzer(seed: number): Fuzzer<Sample> {
  const samples = corpus();
  const texts = {
    request: samples.filter(({ role }) => role === 'request').map(({ text }) => text),
    response: samples.filter(({ role }) => role === 'response').map(({ text }) => text),
  };
  const oracle = new RequestOracle();
  const draw = new Draw(seed);
  const judged = async ({ role, text }: Sample, by: Draw): Promise<string | null> => {
    const find = await findIn(role, text, by, oracle);
    return find === null ? null : `${role} ${find}`;
  };
  return {
    draw: () => {
      const role = draw.below(3) === 0 ? 'response' : 'request';
      return { role, text: mutated(draw.of(texts[role]), draw, texts[role]) };
    },
    find: (sample) => judged(sample, draw),
    shrink: async ({ role, text }, isAlike) => ({
      role,
      text: await shrunk(text, async (candidate) =>
        isAlike(await judged({ role, text: candidate }, new Draw(SHRINK_SEED))),
      ),
    }),
    keep: ({ role, text }, kind) => keepFind(role, kind.slice(role.length + 1), text),
    show: ({ text }) => JSON.stringify(text),
  };
}
