import type { RouteMatch } from '../../model/route.ts';
import { routeRules } from '../snapshot/route-rules.ts';
import { type Issue, valueText } from '../validate/issue.ts';
import { bySeniority, type TypedObject } from '../validate/typed-object.ts';
import type { Attachment } from './attachments.ts';

type Route = TypedObject<'ProxyRoute'>;

export interface Conflicts {
  readonly issues: readonly Issue[];
  /** `rule.match` of matches that lost everywhere. */
  readonly lost: ReadonlySet<string>;
}

export const NO_CONFLICTS: Conflicts = { issues: [], lost: new Set() };

interface Claim {
  readonly route: Route;
  readonly rule: number;
}

interface Place {
  readonly id: string;
  readonly listener: string;
  readonly host: string;
}

const places = new WeakMap<Attachment, readonly Place[]>();

function placesOf(attachment: Attachment | undefined): readonly Place[] {
  if (attachment === undefined) return [];
  const known = places.get(attachment);
  if (known !== undefined) return known;
  const made = attachment.attachments.flatMap(({ listener, hostnames }) =>
    (hostnames.length === 0 ? ['*'] : hostnames).map((host) => ({
      id: `${listener} ${host}`,
      listener,
      host,
    })),
  );
  places.set(attachment, made);
  return made;
}

const matchKeys = new WeakMap<Route, readonly (readonly string[])[]>();

function keysOf(route: Route): readonly (readonly string[])[] {
  const known = matchKeys.get(route);
  if (known !== undefined) return known;
  const keys = routeRules(route).map((rule) => rule.matches.map(matchKey));
  matchKeys.set(route, keys);
  return keys;
}

/** Equal for matches that take the same requests by the same words. */
function matchKey(match: RouteMatch): string {
  const { path, method, headers, queryParams } = match;
  // "/v1/" and "/v1" are the same prefix (Gateway API, PathPrefix).
  const value = path.type === 'PathPrefix' && path.value !== '/' ? path.value.replace(/\/$/, '') : path.value;
  return JSON.stringify([path.type, value, method, headers, queryParams]);
}

/**
 * Who has which match for which host of which listener: the oldest route, then the first by name, then the first
 * rule. A match that another has for only some of its hosts stays, because the data plane, which follows the same
 * order, gives those hosts to the other; a match that another has for all of its hosts is lost.
 */
export function routeConflicts(
  routes: readonly Route[],
  attachments: ReadonlyMap<string, Attachment>,
): ReadonlyMap<string, Conflicts> {
  // By place and then by match: these strings are kept, so that they need not be hashed again.
  const claims = new Map<string, Map<string, Claim>>();
  const conflicts = new Map<string, Conflicts>();
  for (const route of [...routes].sort(bySeniority)) {
    const where = placesOf(attachments.get(route.name));
    if (where.length === 0) continue;
    const issues: Issue[] = [];
    const lost = new Set<string>();
    for (const [rule, keys] of keysOf(route).entries()) {
      for (const [match, key] of keys.entries()) {
        let taken = 0;
        let first: { claim: Claim; host: string; listener: string } | null = null;
        for (const place of where) {
          const there = claims.get(place.id) ?? new Map<string, Claim>();
          const claim = there.get(key);
          if (claim === undefined) claims.set(place.id, there.set(key, { route, rule }));
          else {
            taken += 1;
            first ??= { claim, ...place };
          }
        }
        if (first === null) continue;
        const all = taken === where.length;
        if (all) lost.add(`${rule}.${match}`);
        issues.push(conflictIssue(route, rule, match, first, all));
      }
    }
    if (issues.length > 0) conflicts.set(route.name, { issues, lost });
  }
  return conflicts;
}

function conflictIssue(
  route: Route,
  rule: number,
  match: number,
  first: { readonly claim: Claim; readonly host: string; readonly listener: string },
  all: boolean,
): Issue {
  const { claim, host, listener } = first;
  const winner =
    claim.route === route ? `spec.rules[${claim.rule}] of the same route` : `ProxyRoute ${claim.route.name}`;
  const where = `${host === '*' ? 'every host' : `host ${host}`} of listener ${listener}`;
  const written = route.content.spec.rules[rule]?.matches?.[match];
  return {
    severity: all ? 'error' : 'warning',
    path: written === undefined ? ['spec', 'rules', rule] : ['spec', 'rules', rule, 'matches', match],
    reason: 'RouteConflict',
    message: `${winner} has the same match for ${where} and wins${all ? '' : '; elsewhere this match serves'}`,
    value: valueText(written?.path?.value ?? written?.grpc),
  };
}
