import type { PathSettings } from '../../model/http-settings.ts';
import { HEX, TARGET_BACKSLASH, TARGET_DOT, TARGET_PERCENT, UNRESERVED } from './characters.ts';
import type { Fault } from './fault.ts';

/** Whether `normalizePath` could change or refuse a path; `flags` are the TARGET_* of its bytes, or-ed. */
export function needsNormalizing(flags: number, path: string): boolean {
  return (flags & (TARGET_DOT | TARGET_PERCENT | TARGET_BACKSLASH)) !== 0 || path.includes('//');
}

/**
 * The one reading of a path, for routing and for the backend. In this order:
 *
 * 1. Escapes: `%41` of an unreserved character is decoded, others get upper-case digits (RFC 3986 section 6.2.2).
 *    Refused: what is no escape, escaped control bytes, UTF-8 that is longer than it need be (`%C0%AF` is `/` to
 *    careless decoders). Nothing is decoded twice: `%252F` stays.
 * 2. `%2F` and `%5C` as `escapedSlashes` says; kept ones separate nothing, but the path is refused where it would
 *    have dot segments if they did. A `\` is refused however it came, since some servers read it as `/`.
 * 3. `//` as `doubleSlashes` says.
 * 4. `.` and `..` as `dotSegments` says (RFC 3986 section 5.2.4); leaving the root is refused, and so is `..;x`,
 *    which servers with path parameters read as `..`.
 *
 * The result is a fixed point: another reading by the same rules changes nothing. Null: refused.
 */
export function normalizePath(path: string, settings: PathSettings): string | null {
  let result = path;
  let keptSlash = false;
  if (result.includes('%')) {
    const decoded = decodeUnreserved(result);
    if (decoded === null) return null;
    result = decoded;
    if (result.includes('%2F') || result.includes('%5C')) {
      if (settings.escapedSlashes === 'Refuse') return null;
      if (settings.escapedSlashes === 'Decode') {
        if (result.includes('%5C')) return null;
        result = result.replaceAll('%2F', '/');
      } else keptSlash = true;
    }
  }
  if (result.includes('\\')) return null;
  if (result.includes('//')) {
    if (settings.doubleSlashes === 'Refuse') return null;
    if (settings.doubleSlashes === 'Merge') result = result.replaceAll(SLASHES, '/');
  }
  if (keptSlash && HIDDEN_DOTS.test(result)) return null;
  if (!result.includes('/.')) return result;
  if (DOTS_WITH_PARAMETERS.test(result)) return null;
  if (settings.dotSegments === 'Resolve') return resolveDots(result);
  return DOTS.test(result) ? null : result;
}

/** Why `normalizePath` has refused a path: a setting of the listener, or that nobody should take it. */
export function pathFault(path: string, settings: PathSettings): Fault {
  const others: PathSettings = { escapedSlashes: 'Keep', doubleSlashes: 'Keep', dotSegments: 'Resolve' };
  if (normalizePath(path, others) === null) return 'invalid_path';
  if (settings.escapedSlashes === 'Refuse' && /%(?:2f|5c)/i.test(path)) return 'escaped_slash_in_path';
  if (
    settings.doubleSlashes === 'Refuse' &&
    normalizePath(path, { ...settings, doubleSlashes: 'Keep' }) !== null
  )
    return 'double_slash_in_path';
  return settings.dotSegments === 'Refuse' ? 'dot_segment_in_path' : 'invalid_path';
}

const SLASHES = /\/{2,}/g;
const DOTS = /\/\.\.?(?:\/|$)/;
const DOTS_WITH_PARAMETERS = /\/\.\.?;/;
/** A dot segment of which at least one side is an escaped slash. */
const HIDDEN_DOTS = /%(?:2F|5C)\.\.?(?:\/|;|%2F|%5C|$)|\/\.\.?(?:%2F|%5C)/;

/** Null where an escape is malformed, stands for a control byte, or begins UTF-8 that is longer than it need be. */
function decodeUnreserved(path: string): string | null {
  let result = '';
  let from = 0;
  for (let at = path.indexOf('%'); at !== -1; at = path.indexOf('%', at + 1)) {
    const high = HEX[path.charCodeAt(at + 1)];
    const low = HEX[path.charCodeAt(at + 2)];
    if (high === undefined || low === undefined || high > 15 || low > 15) return null;
    const byte = high * 16 + low;
    if (byte < 32 || byte === 127) return null;
    if (byte >= 0xc0 && isOverlong(byte, path, at + 3)) return null;
    result += path.slice(from, at);
    result += UNRESERVED[byte] === 1 ? String.fromCharCode(byte) : path.slice(at, at + 3).toUpperCase();
    at += 2;
    from = at + 1;
  }
  return result + path.slice(from);
}

/** Whether the byte escaped at `at` continues `first` to a character that a shorter sequence stands for. */
function isOverlong(first: number, path: string, at: number): boolean {
  if (path[at] !== '%') return false;
  const second = HEX[path.charCodeAt(at + 1)]! * 16 + HEX[path.charCodeAt(at + 2)]!;
  if (second < 0x80 || second > 0xbf) return false;
  return first <= 0xc1 || (first === 0xe0 && second < 0xa0) || (first === 0xf0 && second < 0x90);
}

/** RFC 3986 section 5.2.4, but null where `..` would leave the root. */
function resolveDots(path: string): string | null {
  const segments = path.split('/');
  const kept: string[] = [];
  for (let index = 1; index < segments.length; index += 1) {
    const segment = segments[index]!;
    const last = index === segments.length - 1;
    if (segment === '.') {
      if (last) kept.push('');
    } else if (segment === '..') {
      if (kept.length === 0) return null;
      kept.pop();
      if (last) kept.push('');
    } else kept.push(segment);
  }
  return `/${kept.join('/')}`;
}
