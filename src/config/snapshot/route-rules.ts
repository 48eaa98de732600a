import type { RouteMatch, RouteRule, ValueMatch, WeightedCluster } from '../../model/route.ts';
import { RULE_DEFAULTS } from '../../model/route.ts';
import type { BackendRefSpec, RouteMatchSpec, RouteRuleSpec } from '../crds/proxy-route.ts';
import { durationMs } from '../duration.ts';
import { serviceCluster } from '../graph/clusters.ts';
import { fullName, type TypedObject } from '../validate/typed-object.ts';
import { routeFilter } from './filters.ts';

type Route = TypedObject<'ProxyRoute'>;

const rulesOf = new WeakMap<Route, readonly RouteRule[]>();

/** The rules of a checked route; the same JS objects for the same route. */
export function routeRules(route: Route): readonly RouteRule[] {
  const known = rulesOf.get(route);
  if (known !== undefined) return known;
  const rules = route.content.spec.rules.map((rule) => translate(rule, route.ref.namespace));
  rulesOf.set(route, rules);
  return rules;
}

/** Name of the cluster that a reference means, whether it is there or not. */
export function clusterOf(backend: BackendRefSpec, namespace: string): string {
  const name = fullName(namespace, backend.name);
  return backend.kind === 'Service' ? serviceCluster(name, backend.port ?? 0) : name;
}

function translate(rule: RouteRuleSpec, namespace: string): RouteRule {
  const clusters: WeightedCluster[] =
    rule.backendRef === undefined
      ? (rule.backendRefs ?? []).map((backend) => ({
          cluster: clusterOf(backend, namespace),
          weight: backend.weight,
        }))
      : [{ cluster: clusterOf(rule.backendRef, namespace), weight: 1 }];
  const matches = rule.matches ?? [];
  return {
    matches: (matches.length === 0 ? [{}] : matches).map(translateMatch),
    filters: (rule.filters ?? []).map(routeFilter),
    clusters,
    ...RULE_DEFAULTS,
    requestTimeoutMs: durationMs(rule.timeouts?.request ?? ''),
    backendTimeoutMs: durationMs(rule.timeouts?.backendRequest ?? ''),
  };
}

function translateMatch(match: RouteMatchSpec): RouteMatch {
  const values = (entries: RouteMatchSpec['headers'], lower: boolean): ValueMatch[] =>
    (entries ?? [])
      .map(({ type, name, value }) => ({ type, name: lower ? name.toLowerCase() : name, value }))
      // All must match, so their order means nothing.
      .sort((a, b) => (a.name < b.name ? -1 : 1));
  return {
    path: match.path ?? { type: 'PathPrefix', value: '/' },
    method: match.method ?? null,
    headers: values(match.headers, true),
    queryParams: values(match.queryParams, false),
  };
}
