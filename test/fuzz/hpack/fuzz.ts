import { Draw } from '../../draw.ts';
import type { Fuzzer } from '../fuzzer.ts';
import { shrunk } from '../http1/shrink.ts';
import { findIn } from './checks.ts';
import { corpus, keepFind } from './corpus.ts';
import { mutated } from './mutate.ts';

/** Mutated header blocks. */
export function hpackFuzzer(seed: number): Fuzzer<string> {
  const texts = corpus().map(({ text }) => text);
  const draw = new Draw(seed);
  return {
    draw: () => mutated(draw.of(texts), draw, texts),
    find: findIn,
    shrink: (text, isAlike) => shrunk(text, async (candidate) => isAlike(findIn(candidate))),
    keep: (text, kind) => keepFind(kind, text),
    show: (text) => Buffer.from(text, 'latin1').toString('hex'),
  };
}
