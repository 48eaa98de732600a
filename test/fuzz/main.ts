/**
 * `npm run fuzz -- http1|hpack|h2|… [--minutes N] [--seed S]`: reads mutated messages and compares readers, or sends
 * drawn frames to the HTTP/2 engine and holds what it says against the RFC. What is found is shrunk and written to
 * test/fuzz/finds, from where `npm test` reads it ever after.
 * Exit codes: 0 nothing found, 1 something found, 2 wrong usage.
 */
import { parseArgs } from 'node:util';
import type { FuzzResult } from './fuzzer.ts';
import { fuzz } from './fuzzer.ts';
import { http2Fuzzer } from './h2/fuzz.ts';
import { hpackFuzzer } from './hpack/fuzz.ts';
import { http1Fuzzer } from './http1/fuzz.ts';

type Run = (seed: number, milliseconds: number, say: (line: string) => void) => Promise<FuzzResult>;

const RUNS: Readonly<Record<string, Run>> = {
  http1: (seed, milliseconds, say) => fuzz(http1Fuzzer(seed), milliseconds, say),
  hpack: (seed, milliseconds, say) => fuzz(hpackFuzzer(seed), milliseconds, say),
  h2: (seed, milliseconds, say) => fuzz(http2Fuzzer(seed), milliseconds, say),
};

const MINUTE_MS = 60_000;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { minutes: { type: 'string', default: '1' }, seed: { type: 'string' } },
});
const minutes = Number(values.minutes);
const seed = values.seed === undefined ? Math.floor(Math.random() * 2 ** 31) : Number(values.seed);
const [name = ''] = positionals;
const run = Object.hasOwn(RUNS, name) ? RUNS[name] : undefined;
if (positionals.length !== 1 || run === undefined || !(minutes > 0) || !Number.isInteger(seed)) {
  console.error(`usage: npm run fuzz -- ${Object.keys(RUNS).join('|')} [--minutes N] [--seed S]`);
  process.exit(2);
}
console.log(`${name}, ${minutes} minutes, seed ${seed}`);
const began = performance.now();
const { executions, finds } = await run(seed, minutes * MINUTE_MS, (line) => console.log(line));
const seconds = (performance.now() - began) / 1000;
console.log(
  `${executions} executions in ${seconds.toFixed(0)} s, ${Math.round(executions / seconds)}/s; ${finds.length} kinds of finds`,
);
process.exit(finds.length === 0 ? 0 : 1);
