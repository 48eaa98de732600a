import type { FieldPath } from '../parse/field-path.ts';
import type { ConfigReason } from '../reasons.ts';

/** Something wrong with one object, wherever that object stands. */
export interface Issue {
  readonly severity: 'error' | 'unresolved' | 'warning';
  readonly path: FieldPath;
  /** As written, shortened; set where it says more than the message. */
  readonly value: string;
  readonly reason: ConfigReason;
  readonly message: string;
}

export type Report = (path: FieldPath, reason: ConfigReason, message: string, value?: unknown) => void;

const LONGEST = 80;

/** A value for people: strings in quotes, the rest as JSON, shortened. */
export function valueText(value: unknown): string {
  if (value === undefined) return '';
  const json = JSON.stringify(value) ?? String(value);
  // A key that was pasted into the wrong field.
  if (json.includes('-----BEGIN')) return '<redacted>';
  return json.length <= LONGEST ? json : `${json.slice(0, LONGEST - 1)}…`;
}
