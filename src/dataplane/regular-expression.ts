import { RE2JS } from 're2js';

/** A pattern of RE2's syntax, matched in linear time whatever the input: patterns come from users of a cluster. */
export interface RegularExpression {
  /** Whether the whole text matches. */
  matches(text: string): boolean;
}

/** Throws an Error that names the fault. */
export function compileRegularExpression(pattern: string): RegularExpression {
  const compiled = RE2JS.compile(pattern);
  return { matches: (text) => compiled.matches(text) };
}
