import {
  HEX,
  TARGET_BACKSLASH,
  TARGET_DOT,
  TARGET_FRAGMENT,
  TARGET_PERCENT,
  TARGET_QUERY,
  UNRESERVED,
} from './characters.ts';
import type { Fault } from './fault.ts';
import type { HeadParser } from './head-parser.ts';

/**
 * The request target as it is routed and forwarded (RFC 9112 section 3.2). The path that decides the route is
 * the path that is sent on, always:
 *
 * - `%41` of an unreserved character is decoded, other escapes get upper-case digits (RFC 3986 section 6.2.2);
 *   `%2F` and `%5C` stay as they are and separate nothing.
 * - `.` and `..` segments, escaped or not, are resolved; a path that leaves the root is refused.
 * - Refused: raw `\`, `#`, bytes over 0x7E, escapes that are no escapes, escaped control bytes.
 * - `//` is left alone: an empty segment is a segment.
 */
export class RequestTarget {
  path = '';
  /** With its `?`, or empty. As sent. */
  query = '';
  /** Bytes of path and query in the head are what is forwarded; then nothing has to be written anew. */
  verbatim = true;
  /** Start of the path (relative to the head's base) where `verbatim`. */
  start = 0;
  /** Lower case, without port and trailing dot; empty where HTTP/1.0 names none. */
  host = '';
  /** As forwarded in Host and X-Forwarded-Host. */
  authority = '';
  #lastAuthority = '';
  #lastHost = '';

  read(head: HeadParser): Fault | null {
    const framing = head.framing;
    this.verbatim = true;
    let authority = framing.hostStart === -1 ? '' : head.text(framing.hostStart, framing.hostEnd);
    let start = head.targetStart;
    const end = head.targetEnd;
    const flags = head.targetFlags;
    if ((flags & TARGET_FRAGMENT) !== 0) return 'invalid_target';
    if (head.bytes[head.base + start] !== 47) {
      const target = head.text(start, end);
      if (target === '*') {
        if (head.text(head.methodStart, head.methodEnd) !== 'OPTIONS') return 'invalid_target';
        this.path = '*';
        this.query = '';
        this.start = start;
        return this.#host(authority, framing.hostStart !== -1);
      }
      const match = /^https?:\/\/([^/?]*)/i.exec(target);
      if (match === null) return 'invalid_target';
      const named = match[1]!;
      if (framing.hostStart !== -1 && named.toLowerCase() !== authority.toLowerCase()) return 'host_conflict';
      if (named === '') return 'invalid_host';
      authority = named;
      start += match[0].length;
      if (start === end || head.bytes[head.base + start] === 63) {
        this.verbatim = false;
        this.path = '/';
        this.query = head.text(start, end);
        return this.#host(authority, true);
      }
    }
    const fault = this.#host(authority, framing.hostStart !== -1 || start !== head.targetStart);
    if (fault !== null) return fault;
    this.start = start;
    const target = head.text(start, end);
    if ((flags & TARGET_QUERY) === 0) {
      this.path = target;
      this.query = '';
    } else {
      const mark = target.indexOf('?');
      this.path = mark === -1 ? target : target.slice(0, mark);
      this.query = mark === -1 ? '' : target.slice(mark);
    }
    if ((flags & TARGET_BACKSLASH) !== 0 && this.path.includes('\\')) return 'invalid_path';
    if ((flags & (TARGET_DOT | TARGET_PERCENT)) === 0) return null;
    return this.#normalize(flags);
  }

  #normalize(flags: number): Fault | null {
    let path = this.path;
    if ((flags & TARGET_PERCENT) !== 0 && path.includes('%')) {
      const decoded = decodeUnreserved(path);
      if (decoded === null) return 'invalid_path';
      path = decoded;
    }
    if (path.includes('/.')) {
      const resolved = resolveDots(path);
      if (resolved === null) return 'invalid_path';
      path = resolved;
    }
    if (path !== this.path) {
      this.path = path;
      this.verbatim = false;
    }
    return null;
  }

  #host(authority: string, given: boolean): Fault | null {
    if (authority === this.#lastAuthority && (authority !== '' || !given)) {
      this.authority = authority;
      this.host = this.#lastHost;
      return null;
    }
    if (given && (authority.length > LONGEST_AUTHORITY || !AUTHORITY.test(authority))) return 'invalid_host';
    let host = authority.toLowerCase();
    const port = host.lastIndexOf(':');
    if (port > host.lastIndexOf(']')) {
      if (Number(host.slice(port + 1)) > 65_535) return 'invalid_host';
      host = host.slice(0, port);
    }
    if (host.endsWith('.')) host = host.slice(0, -1);
    this.authority = authority;
    this.host = host;
    this.#lastAuthority = authority;
    this.#lastHost = host;
    return null;
  }
}

/** 253 characters of a name (RFC 1035 section 3.1), a dot and a port. */
const LONGEST_AUTHORITY = 260;

/** A name or address and maybe a port; no user information, no list, nothing that needs an escape. */
const AUTHORITY = /^(?:[A-Za-z0-9_-][A-Za-z0-9._~-]*|\[[0-9A-Fa-f:.]{2,45}\])(?::[0-9]{0,5})?$/;

/** Null where an escape is malformed or stands for a control byte. */
export function decodeUnreserved(path: string): string | null {
  let result = '';
  let from = 0;
  for (let at = path.indexOf('%'); at !== -1; at = path.indexOf('%', at + 1)) {
    const high = HEX[path.charCodeAt(at + 1)];
    const low = HEX[path.charCodeAt(at + 2)];
    if (high === undefined || low === undefined || high > 15 || low > 15) return null;
    const byte = high * 16 + low;
    if (byte < 32 || byte === 127) return null;
    result += path.slice(from, at);
    result += UNRESERVED[byte] === 1 ? String.fromCharCode(byte) : path.slice(at, at + 3).toUpperCase();
    at += 2;
    from = at + 1;
  }
  return result + path.slice(from);
}

/** RFC 3986 section 5.2.4, but null where `..` would leave the root. */
export function resolveDots(path: string): string | null {
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
