import type { PathSettings } from '../../model/http-settings.ts';
import type { MessageHead } from '../message/message-head.ts';
import { TARGET_FRAGMENT, TARGET_QUERY } from './characters.ts';
import type { Fault } from './fault.ts';
import { hostFault, hostOf } from './host.ts';
import { needsNormalizing, normalizePath, pathFault } from './path.ts';

/**
 * The request target as it is routed and forwarded (RFC 9112 section 3.2). The path that decides the route is the
 * path that is sent on, always: it is read once, by `normalizePath`, and written anew where that changes it. The
 * query goes on as sent, and so does the scheme of an absolute target nowhere: it decides nothing.
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

  read(head: MessageHead, settings: PathSettings): Fault | null {
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
        this.query = head.text(start, end);
        // RFC 9112 section 3.2.4: the last proxy turns an empty path of OPTIONS into `*`.
        const isServer = this.query === '' && head.text(head.methodStart, head.methodEnd) === 'OPTIONS';
        this.path = isServer ? '*' : '/';
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
    if (!needsNormalizing(flags, this.path)) return null;
    const path = normalizePath(this.path, settings);
    if (path === null) return pathFault(this.path, settings);
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
    if (given && hostFault(authority)) return 'invalid_host';
    const host = hostOf(authority);
    this.authority = authority;
    this.host = host;
    this.#lastAuthority = authority;
    this.#lastHost = host;
    return null;
  }
}
