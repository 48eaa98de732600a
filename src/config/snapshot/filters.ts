import type { Filter, HeaderChanges, PathChange } from '../../model/filter.ts';
import type { HeaderChangesSpec } from '../crds/header-changes.ts';
import type { PathChangeSpec, RedirectCode, RouteFilterSpec } from '../crds/route-filter.ts';

export function headerChanges(spec: HeaderChangesSpec): HeaderChanges {
  return { set: spec.set ?? [], add: spec.add ?? [], remove: spec.remove ?? [] };
}

/** One checked filter of a route; null for a mirror, which is part of the rule. */
export function routeFilter(spec: RouteFilterSpec): Filter | null {
  switch (spec.type) {
    case 'AddHeader':
      return {
        type: 'RequestHeaders',
        changes: {
          set: [],
          add: Object.entries(spec.add ?? {}).map(([name, value]) => ({ name, value })),
          remove: [],
        },
      };
    case 'RequestHeaderModifier':
      return { type: 'RequestHeaders', changes: headerChanges(spec.requestHeaderModifier ?? {}) };
    case 'ResponseHeaderModifier':
      return { type: 'ResponseHeaders', changes: headerChanges(spec.responseHeaderModifier ?? {}) };
    case 'RequestRedirect': {
      const { scheme, hostname, port, path, statusCode } = spec.requestRedirect ?? { statusCode: 302 };
      return {
        type: 'Redirect',
        scheme: scheme ?? null,
        hostname: hostname ?? null,
        port: port ?? null,
        path: pathChange(path),
        statusCode: statusCode as RedirectCode,
      };
    }
    case 'URLRewrite':
      return {
        type: 'Rewrite',
        hostname: spec.urlRewrite?.hostname ?? null,
        path: pathChange(spec.urlRewrite?.path),
      };
    case 'RequestMirror':
      return null;
  }
}

function pathChange(spec: PathChangeSpec | undefined): PathChange | null {
  if (spec === undefined) return null;
  return spec.type === 'ReplaceFullPath'
    ? { type: spec.type, value: spec.replaceFullPath ?? '/' }
    : { type: spec.type, value: spec.replacePrefixMatch ?? '/' };
}
