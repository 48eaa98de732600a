import { TOKEN } from '../../wire/http1/characters.ts';

/** One proxy's word on one request (RFC 7239 section 4). */
export interface ForwardedElement {
  /** As it came, without the white space around it. */
  readonly text: string;
  /** By name in lower case; quoted values without their quotes. */
  readonly parameters: ReadonlyMap<string, string>;
}

const COMMA = 44;
const SEMICOLON = 59;
const EQUALS = 61;
const QUOTE = 34;
const BACKSLASH = 92;

/**
 * The last `most` elements of one Forwarded field, the last one first, or null where the field as a whole does not
 * follow the grammar: no white space but around commas, each name once an element, quotes closed. What lies within
 * an open quote cannot be told, so half a field tells nothing.
 *
 *     for=192.0.2.60;proto=http;by=203.0.113.43, for="[2001:db8:cafe::17]:4711"
 */
export function parseForwarded(value: string, most: number): ForwardedElement[] | null {
  const elements: ForwardedElement[] = [];
  let at = 0;
  while (at < value.length) {
    const start = skipSpace(value, at);
    const parameters = new Map<string, string>();
    at = readElement(value, start, parameters);
    if (at === -1) return null;
    const text = value.slice(start, at);
    at = skipSpace(value, at);
    if (at < value.length && value.charCodeAt(at) !== COMMA) return null;
    at += 1;
    // RFC 9110 section 5.6.1.2: empty elements of a list are passed over.
    if (text === '') continue;
    if (elements.length === most) elements.shift();
    elements.push({ text, parameters });
  }
  return elements.reverse();
}

function skipSpace(value: string, from: number): number {
  let at = from;
  while (value.charCodeAt(at) === 32 || value.charCodeAt(at) === 9) at += 1;
  return at;
}

/** Position after the element, or -1. */
function readElement(value: string, start: number, parameters: Map<string, string>): number {
  let at = start;
  for (;;) {
    const nameStart = at;
    at = skipToken(value, at);
    if (at > nameStart) {
      const name = value.slice(nameStart, at).toLowerCase();
      if (value.charCodeAt(at) !== EQUALS || parameters.has(name)) return -1;
      at += 1;
      const end = value.charCodeAt(at) === QUOTE ? skipQuoted(value, at) : skipToken(value, at);
      if (end <= at) return -1;
      parameters.set(name, unquoted(value.slice(at, end)));
      at = end;
    }
    if (value.charCodeAt(at) !== SEMICOLON) return at;
    at += 1;
  }
}

function skipToken(value: string, from: number): number {
  let at = from;
  while (at < value.length && TOKEN[value.charCodeAt(at)] === 1) at += 1;
  return at;
}

/** Position after the closing quote, or -1. */
function skipQuoted(value: string, from: number): number {
  for (let at = from + 1; at < value.length; at += 1) {
    const code = value.charCodeAt(at);
    if (code === QUOTE) return at + 1;
    if (code === BACKSLASH) at += 1;
  }
  return -1;
}

function unquoted(value: string): string {
  if (value.charCodeAt(0) !== QUOTE) return value;
  return value.slice(1, -1).replace(/\\(.)/g, '$1');
}

/** A parameter's value as it has to be written: as it is where it is a token, else quoted. */
export function parameterValue(value: string): string {
  if (value !== '' && skipToken(value, 0) === value.length) return value;
  return `"${value.replace(/["\\]/g, '\\$&')}"`;
}
