import type { Difference } from './disagreements.ts';
import { compare, DISAGREEMENTS } from './disagreements.ts';
import type { RequestOracle } from './llhttp-oracle.ts';
import { readAnswer } from './llhttp-oracle.ts';
import type { Role } from './stream.ts';
import { readStream } from './stream.ts';

export function isListed(role: Role, { side, key }: Difference, text: string): boolean {
  return DISAGREEMENTS.some(
    (listed) =>
      listed.role === role && listed.side === side && listed.key === key && (listed.when?.test(text) ?? true),
  );
}

/** What we and llhttp do not agree on about `bytes`, or null. Answers are read up to the first final one. */
export async function difference(
  role: Role,
  bytes: Buffer,
  oracle: RequestOracle,
): Promise<Difference | null> {
  const mine = readStream(role, bytes);
  if (role === 'request') return compare(role, mine, await oracle.read(bytes));
  const last = mine.messages.findIndex(
    ({ start }) => !/^1\.[01] 1/.test(start) || /^1\.[01] 101/.test(start),
  );
  const messages = last === -1 ? mine.messages : mine.messages.slice(0, last + 1);
  const theirs = await readAnswer(bytes, 'GET');
  return compare(role, { ...mine, messages }, theirs);
}
