import assert from 'node:assert/strict';
import type { Issued } from '../config/issued.ts';

const WINDOW = 16;

/**
 * Pieces of a key in every form it goes through: PEM, base64 of PEM, bytes as hex and as they are. From its second
 * half: what stands before is the same for all keys of a kind, or public.
 */
function pieces({ key }: Issued): readonly string[] {
  const lines = key.split('\n').slice(1, -2);
  const der = Buffer.from(lines.join(''), 'base64');
  const secret = der.length > 200 ? der.subarray(der.length / 2) : der.subarray(36, 68);
  const from = Math.ceil((der.length > 200 ? der.length / 2 : 36) / 3) * 4;
  const pem = lines.join('').slice(from, from + (der.length > 200 ? 800 : 40));
  const forms = [
    pem,
    secret.toString('hex'),
    secret.toString('latin1'),
    ...[0, 1, 2].map((shift) => secret.subarray(shift).toString('base64').slice(0, -4)),
    // A Secret holds base64 of the PEM with its line ends, at any of three alignments.
    ...[0, 1, 2].map((shift) =>
      Buffer.from(`${' '.repeat(shift)}${lines.at(-2) ?? ''}`)
        .toString('base64')
        .slice(4, -4),
    ),
    ...[0, 1, 2].map((shift) =>
      Buffer.from(`${' '.repeat(shift)}${pem}`)
        .toString('base64')
        .slice(4, -4),
    ),
  ];
  return forms.flatMap((form) => {
    const windows: string[] = [];
    for (let at = 0; at + WINDOW <= form.length; at += WINDOW / 2) windows.push(form.slice(at, at + WINDOW));
    return windows;
  });
}

/** Line ends may have been escaped, and lines broken elsewhere. */
const flat = (text: string): string => text.replace(/\\r|\\n|[\s"'|+>,]/g, '');

/** Whether something, of which this is the whole text, holds a piece of one of the keys, in whatever form. */
export function assertHolds(place: string, text: string, keys: readonly Issued[], holds: boolean): void {
  for (const each of [text, flat(text)]) {
    const found = keys.flatMap(pieces).filter((piece) => each.includes(piece));
    if (holds && found.length > 0) return;
    if (!holds) assert.equal(found.length, 0, `${place} holds ${found.length} pieces of a key`);
  }
  if (holds) assert.fail(`${place} holds no key`);
}
