import { stringify } from 'yaml';
import type { Session } from './session.ts';
import { type Cell, type Column, renderTable } from './table.ts';

/** True where the answer was printed as JSON or YAML. */
export function printStructured(session: Session, value: unknown): boolean {
  if (session.output === 'json') session.print(`${JSON.stringify(value, null, 2)}\n`);
  else if (session.output === 'yaml')
    session.print(stringify(value, { lineWidth: 0, aliasDuplicateObjects: false }));
  else return false;
  return true;
}

export function printTable(
  session: Session,
  columns: readonly Column[],
  rows: readonly (readonly Cell[])[],
): void {
  session.print(renderTable(columns, rows, { paint: session.paint, columns: session.columns }));
}

export function count(value: number): string {
  return Math.round(value).toLocaleString('en-US');
}

export function plural(number: number, noun: string, nouns = `${noun}s`): string {
  return `${count(number)} ${number === 1 ? noun : nouns}`;
}

/** First `limit` of the values, and how many more there are. */
export function shortList(values: readonly string[], limit: number, separator = ','): string {
  if (values.length === 0) return '-';
  const shown = values.slice(0, limit).join(separator);
  return values.length > limit ? `${shown} +${values.length - limit}` : shown;
}
