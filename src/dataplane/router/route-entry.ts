import type { PathMatch, RouteMatch, ValueMatch } from '../../model/route.ts';
import type { MessageHead } from '../../wire/message/message-head.ts';
import type { RegularExpression } from '../regular-expression.ts';
import { compileRegularExpression } from '../regular-expression.ts';

/** What a match may ask of a request besides its host and path. */
export interface RequestView {
  readonly method: string;
  /** All values of a header in lower-case `name`, or null. */
  header(name: string): string | null;
  /** First value of a query parameter, decoded, or null. */
  query(name: string): string | null;
}

interface ValueTest {
  readonly name: string;
  readonly exact: string | null;
  readonly pattern: RegularExpression | null;
}

/** One match of one rule as it hangs in the tables of a host; `rule` is what a request gets. */
export interface RouteEntry<R> {
  readonly path: PathMatch;
  readonly pathPattern: RegularExpression | null;
  readonly method: string | null;
  readonly headers: readonly ValueTest[];
  readonly queries: readonly ValueTest[];
  readonly createdAt: number;
  readonly route: string;
  readonly ruleIndex: number;
  readonly matchIndex: number;
  readonly rule: R;
}

/** Throws where a regular expression does not compile; the message names field and value. */
export function routeEntry<R>(
  match: RouteMatch,
  rule: R,
  place: {
    readonly createdAt: number;
    readonly route: string;
    readonly ruleIndex: number;
    readonly matchIndex: number;
  },
): RouteEntry<R> {
  const field = `rules[${place.ruleIndex}].matches[${place.matchIndex}]`;
  return {
    path: match.path,
    pathPattern:
      match.path.type === 'RegularExpression' ? compile(`${field}.path.value`, match.path.value) : null,
    method: match.method,
    headers: match.headers.map((test, index) => valueTest(`${field}.headers[${index}].value`, test)),
    queries: match.queryParams.map((test, index) => valueTest(`${field}.queryParams[${index}].value`, test)),
    ...place,
    rule,
  };
}

function valueTest(field: string, match: ValueMatch): ValueTest {
  return match.type === 'Exact'
    ? { name: match.name, exact: match.value, pattern: null }
    : { name: match.name, exact: null, pattern: compile(field, match.value) };
}

function compile(field: string, pattern: string): RegularExpression {
  try {
    return compileRegularExpression(pattern);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new Error(`${field} "${pattern}" is not a regular expression: ${why}`);
  }
}

/**
 * Order of matches on the same path (Gateway API, HTTPRouteRule): with a method first, then more headers, then more
 * query parameters, then the older route, the name, the order within the route.
 */
export function comparePrecedence<R>(a: RouteEntry<R>, b: RouteEntry<R>): number {
  return (
    Number(b.method !== null) - Number(a.method !== null) ||
    b.headers.length - a.headers.length ||
    b.queries.length - a.queries.length ||
    a.createdAt - b.createdAt ||
    (a.route < b.route ? -1 : a.route > b.route ? 1 : 0) ||
    a.ruleIndex - b.ruleIndex ||
    a.matchIndex - b.matchIndex
  );
}

/** Inserts in order; entries of equal precedence cannot exist (name and indices differ). */
export function insertEntry<R>(entries: RouteEntry<R>[], entry: RouteEntry<R>): void {
  let low = 0;
  let high = entries.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (comparePrecedence(entries[middle]!, entry) <= 0) low = middle + 1;
    else high = middle;
  }
  entries.splice(low, 0, entry);
}

export function removeEntry<R>(entries: RouteEntry<R>[], entry: RouteEntry<R>): void {
  const index = entries.indexOf(entry);
  if (index !== -1) entries.splice(index, 1);
}

/** Whether everything but host and path fits. */
export function accepts<R>(entry: RouteEntry<R>, request: RequestView): boolean {
  if (entry.method !== null && entry.method !== request.method) return false;
  for (const test of entry.headers) if (!passes(test, request.header(test.name))) return false;
  for (const test of entry.queries) if (!passes(test, request.query(test.name))) return false;
  return true;
}

function passes(test: ValueTest, value: string | null): boolean {
  if (value === null) return false;
  return test.exact !== null ? value === test.exact : test.pattern!.matches(value);
}

/** A request as the head parser left it. Reused for each request. */
export class HeadView implements RequestView {
  method = '';
  head: MessageHead | null = null;
  /** With its `?`. */
  rawQuery = '';

  header(name: string): string | null {
    return this.head!.combined(name);
  }

  query(name: string): string | null {
    return queryParameter(this.rawQuery, name);
  }
}

/** First value of `name` in `?a=b&c=d`, percent-decoded where it can be; `+` is a space (WHATWG URL, 5.1). */
export function queryParameter(query: string, name: string): string | null {
  let at = 1;
  while (at < query.length) {
    const ampersand = query.indexOf('&', at);
    const end = ampersand === -1 ? query.length : ampersand;
    const equals = query.indexOf('=', at);
    const nameEnd = equals === -1 || equals > end ? end : equals;
    if (nameEnd > at && decode(query.slice(at, nameEnd)) === name) {
      return nameEnd === end ? '' : decode(query.slice(nameEnd + 1, end));
    }
    at = end + 1;
  }
  return null;
}

function decode(text: string): string {
  const spaced = text.includes('+') ? text.replaceAll('+', ' ') : text;
  if (!spaced.includes('%')) return spaced;
  try {
    return decodeURIComponent(spaced);
  } catch {
    return spaced;
  }
}
