import type { PathMatch } from '../../model/route.ts';
import type { RequestTarget } from '../../wire/http1/target.ts';
import type { Redirect } from './filter-plan.ts';
import { changePath } from './path-change.ts';

const WELL_KNOWN = { http: 80, https: 443 } as const;

/** The field line that says where a redirected request, received on `port` in clear text or not, goes. */
export function locationOf(
  redirect: Redirect,
  match: PathMatch,
  { authority, path, query }: RequestTarget,
  port: number,
  isSecure: boolean,
): string {
  const received = isSecure ? 'https' : 'http';
  const host = hostWithoutPort(authority);
  const location = redirectLocation(redirect, match, { received, host, path, query, port });
  return `Location: ${location}\r\n`;
}

/**
 * Location of a redirect (Gateway API, HTTPRequestRedirectFilter): what the filter leaves out is taken from the
 * request; a port that is not given is the scheme's where a scheme is given, else the listener's; a scheme's own
 * port is not written. The query stays.
 */
function redirectLocation(
  redirect: Redirect,
  match: PathMatch,
  request: {
    readonly received: 'http' | 'https';
    readonly host: string;
    readonly path: string;
    readonly query: string;
    readonly port: number;
  },
): string {
  const scheme = redirect.scheme ?? request.received;
  const port = redirect.port ?? (redirect.scheme === null ? request.port : WELL_KNOWN[redirect.scheme]);
  const host = redirect.hostname ?? request.host;
  const path = redirect.path === null ? request.path : changePath(request.path, redirect.path, match);
  return `${scheme}://${host}${port === WELL_KNOWN[scheme] ? '' : `:${port}`}${path}${request.query}`;
}

function hostWithoutPort(authority: string): string {
  const port = authority.lastIndexOf(':');
  return port > authority.lastIndexOf(']') ? authority.slice(0, port) : authority;
}
