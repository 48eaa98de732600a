import { isNode, LineCounter, parseDocument as parseYaml } from 'yaml';
import type { FieldPath } from './field-path.ts';

export interface SyntaxFault {
  /** From 1, within the document. */
  readonly line: number;
  readonly message: string;
}

/** Plain data, so that it can come from another thread. */
export type ParsedDocument = { readonly value: unknown } | { readonly fault: SyntaxFault };

const OPTIONS = { prettyErrors: false, merge: true, logLevel: 'silent' } as const;

/** One YAML document. JSON is YAML too, and a hundred times faster to read as what it is. */
export function parseDocument(text: string): ParsedDocument {
  if (/^\s*\{/.test(text)) {
    try {
      return { value: JSON.parse(text) as unknown };
    } catch {
      // Perhaps a YAML flow mapping.
    }
  }
  const document = parseYaml(text, OPTIONS);
  const fault = document.errors[0];
  if (fault !== undefined)
    return { fault: { line: lineOf(text, fault.pos[0]), message: sentence(fault.message) } };
  try {
    return { value: document.toJS() as unknown };
  } catch (error) {
    // Too many aliases (a "billion laughs"), or one without its anchor.
    return { fault: { line: 1, message: sentence(error instanceof Error ? error.message : String(error)) } };
  }
}

/** Finds the line, from 1 within the document, of a field, or of the nearest parent that is there. Parses again: for problems only. */
export function fieldLocator(text: string): (path: FieldPath) => number {
  const lines = new LineCounter();
  const document = parseYaml(text, { ...OPTIONS, lineCounter: lines });
  return (path) => {
    for (let length = path.length; length > 0; length -= 1) {
      const prefix = path.slice(0, length);
      const parent = length === 1 ? document.contents : document.getIn(prefix.slice(0, -1), true);
      const offset = keyOffset(parent, prefix.at(-1)!);
      if (offset !== null) return lines.linePos(offset).line;
    }
    const range = document.contents?.range;
    return range === undefined || range === null ? 1 : lines.linePos(range[0]).line;
  };
}

/** Where the key of a pair, or an item of a sequence, starts. */
function keyOffset(parent: unknown, step: string | number): number | null {
  if (!isNode(parent) || !('items' in parent)) return null;
  for (const [index, item] of (parent.items as unknown[]).entries()) {
    if (typeof step === 'number') {
      if (index === step && isNode(item)) return item.range?.[0] ?? null;
      continue;
    }
    const key = (item as { key?: unknown }).key;
    if (isNode(key) && 'value' in key && String(key.value) === step) return key.range?.[0] ?? null;
  }
  return null;
}

function lineOf(text: string, offset: number): number {
  let line = 1;
  for (let index = text.indexOf('\n'); index !== -1 && index < offset; index = text.indexOf('\n', index + 1))
    line += 1;
  return line;
}

function sentence(message: string): string {
  // What the reader quotes may be a line of a key; the line's number says where it stands.
  const first = message.split('\n')[0]!.replace(/:.*$/, '');
  return first.charAt(0).toLowerCase() + first.slice(1);
}
