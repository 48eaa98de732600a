import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { literals } from '../../wire/h2/blocks.ts';
import { CASES } from '../../wire/h2/malformed-cases.ts';
import { huffman } from '../../wire/hpack/huffman-code.ts';
import { SEPARATOR } from './checks.ts';

const FINDS = fileURLToPath(new URL('../finds/hpack', import.meta.url));
const SHORT = 1024;

export interface Sample {
  readonly name: string;
  readonly text: string;
}

/** What was found before, each shrunk to what is needed for it. */
export function finds(): Sample[] {
  if (!existsSync(FINDS)) return [];
  return readdirSync(FINDS)
    .filter((name) => name.endsWith('.hpack'))
    .sort()
    .map((name) => ({ name, text: readFileSync(join(FINDS, name), 'latin1') }));
}

/** Blocks by hand, as literals and as entries that a second block refers to; strings in Huffman code; sizes. */
export function corpus(): Sample[] {
  const lines = CASES.filter((each) => each.lines.join().length < SHORT);
  const connection = (...blocks: Buffer[]): string =>
    blocks.map((block) => block.toString('latin1')).join(SEPARATOR);
  const coded = huffman(Buffer.from('text/html; charset=utf-8'));
  return [
    ...finds(),
    ...lines.map(({ name, lines: each }) => ({ name, text: connection(literals(each)) })),
    ...lines.map(({ name, lines: each }) => ({
      name: `${name}, indexed`,
      text: connection(literals(each, 64), Buffer.from(each.map((_, at) => 0xbe + (each.length - 1 - at)))),
    })),
    { name: 'Huffman', text: connection(Buffer.concat([Buffer.of(0x5f, 0x80 | coded.length), coded])) },
    { name: 'sizes', text: connection(Buffer.from('3fe11f82', 'hex'), Buffer.from('203f4582be', 'hex')) },
  ];
}

/** Path of the file it was written to. */
export function keepFind(kind: string, text: string): string {
  mkdirSync(FINDS, { recursive: true });
  const digest = createHash('sha256').update(text, 'latin1').digest('hex').slice(0, 8);
  const file = join(FINDS, `${kind.replaceAll(/[^A-Za-z_]+/g, '-').toLowerCase()}-${digest}.hpack`);
  writeFileSync(file, text, 'latin1');
  return file;
}
