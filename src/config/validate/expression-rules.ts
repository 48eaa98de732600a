import { RE2JS } from 're2js';
import type { FieldPath } from '../parse/field-path.ts';
import type { Report } from './issue.ts';

/** The engine the data plane matches with says what is an expression. */
export function expressionRules(value: string, path: FieldPath, report: Report): void {
  try {
    RE2JS.compile(value);
  } catch (error) {
    const why = error instanceof Error ? error.message.replace(/^error parsing regexp: /, '') : String(error);
    report(path, 'InvalidValue', `${JSON.stringify(value)} is not a regular expression (RE2): ${why}`, value);
  }
}
