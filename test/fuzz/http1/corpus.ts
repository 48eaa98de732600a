import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { DISAGREEMENTS } from '../../wire/http1/disagreements.ts';
import { NASTY_ANSWERS } from '../../wire/http1/nasty-answers.ts';
import { NASTY_REQUESTS } from '../../wire/http1/nasty-requests.ts';
import type { Role } from '../../wire/http1/stream.ts';

const FINDS = fileURLToPath(new URL('../finds/http1', import.meta.url));
const CORPUS = fileURLToPath(new URL('../../wire/http1/corpus', import.meta.url));
const SHORT = 2048;

export interface Sample {
  readonly name: string;
  readonly role: Role;
  readonly text: string;
}

/** `NAME.request.http` and `NAME.response.http`, bytes as they are. */
function samplesIn(directory: string): Sample[] {
  return readdirSync(directory)
    .filter((name) => name.endsWith('.http'))
    .sort()
    .map((name) => ({
      name,
      role: name.includes('.response.') ? 'response' : 'request',
      text: readFileSync(join(directory, name), 'latin1'),
    }));
}

/** What was found before, each shrunk to what is needed for it. */
export function finds(): Sample[] {
  return samplesIn(FINDS);
}

/** Everything to mutate: messages of real clients and servers, the tables of the tests, what was found before. */
export function corpus(): Sample[] {
  const tables = (role: Role, rows: readonly { readonly text: string }[]): Sample[] =>
    rows
      .filter(({ text }) => text.length < SHORT)
      .map(({ text }, index) => ({ name: `${role} ${index}`, role, text }));
  return [
    ...samplesIn(CORPUS),
    ...finds(),
    ...tables('request', NASTY_REQUESTS),
    ...tables('response', NASTY_ANSWERS),
    ...DISAGREEMENTS.filter(({ example }) => example.length < SHORT).map(({ role, key, example }) => ({
      name: key,
      role,
      text: example,
    })),
  ];
}

/** Path of the file it was written to. */
export function keepFind(role: Role, kind: string, text: string): string {
  mkdirSync(FINDS, { recursive: true });
  const digest = createHash('sha256').update(text, 'latin1').digest('hex').slice(0, 8);
  const file = join(FINDS, `${kind.replaceAll(/[^A-Za-z_]+/g, '-').toLowerCase()}-${digest}.${role}.http`);
  writeFileSync(file, text, 'latin1');
  return file;
}
