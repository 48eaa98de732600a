import type { Filter, HeaderChanges } from '../../model/filter.ts';
import type { HeaderPlan } from './header-plan.ts';
import { headerChangesFault, planHeaders } from './header-plan.ts';
import { pathChangeFault } from './path-change.ts';

export type Redirect = Extract<Filter, { type: 'Redirect' }>;
export type Rewrite = Extract<Filter, { type: 'Rewrite' }>;

/** The filters of a rule, merged; null parts cost nothing. */
export interface FilterPlan {
  readonly request: HeaderPlan | null;
  readonly response: HeaderPlan | null;
  readonly rewrite: Rewrite | null;
  readonly redirect: Redirect | null;
}

export const NO_FILTERS: FilterPlan = { request: null, response: null, rewrite: null, redirect: null };

/** `filters` in order of effect. The last redirect wins; rewrites are merged, the later part wins. */
export function planFilters(filters: readonly Filter[]): FilterPlan {
  if (filters.length === 0) return NO_FILTERS;
  const request: HeaderChanges[] = [];
  const response: HeaderChanges[] = [];
  let rewrite: Rewrite | null = null;
  let redirect: Redirect | null = null;
  for (const filter of filters) {
    if (filter.type === 'RequestHeaders') request.push(filter.changes);
    else if (filter.type === 'ResponseHeaders') response.push(filter.changes);
    else if (filter.type === 'Redirect') redirect = filter;
    else rewrite = merge(rewrite, filter);
  }
  return { request: planHeaders(request), response: planHeaders(response), rewrite, redirect };
}

function merge(earlier: Rewrite | null, later: Rewrite): Rewrite {
  if (earlier === null) return later;
  return {
    type: 'Rewrite',
    hostname: later.hostname ?? earlier.hostname,
    path: later.path ?? earlier.path,
  };
}

const HOSTNAME =
  /^[A-Za-z0-9_]([A-Za-z0-9._-]*[A-Za-z0-9])?(:[0-9]{1,5})?$|^\[[0-9A-Fa-f:.]+\](:[0-9]{1,5})?$/;

/** Why a filter cannot be carried out, with reason and message, or null. */
export function filterFault(filter: Filter): { reason: string; message: string } | null {
  if (filter.type === 'RequestHeaders' || filter.type === 'ResponseHeaders') {
    const message = headerChangesFault(filter.changes);
    return message === null ? null : { reason: 'InvalidHeader', message };
  }
  if (filter.hostname !== null && !HOSTNAME.test(filter.hostname)) {
    return { reason: 'InvalidHostname', message: `hostname "${filter.hostname}" is not a host name` };
  }
  const message = filter.path === null ? null : pathChangeFault(filter.path);
  return message === null ? null : { reason: 'InvalidPath', message };
}
