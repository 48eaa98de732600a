import type { RetryPolicy, RouteMatch, RouteRule, ValueMatch, WeightedCluster } from '../../model/route.ts';
import { RULE_DEFAULTS } from '../../model/route.ts';
import type { BackendRefSpec } from '../crds/backend-ref.ts';
import type { RouteMatchSpec, RouteRuleSpec } from '../crds/proxy-route.ts';
import type { RouteFilterSpec } from '../crds/route-filter.ts';
import { durationMs } from '../duration.ts';
import { serviceCluster } from '../graph/clusters.ts';
import { fullName, type TypedObject } from '../validate/typed-object.ts';
import { routeFilter } from './filters.ts';
import { grpcPath, grpcStatusNumber } from './grpc.ts';

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
    filters: (rule.filters ?? []).flatMap((filter) => routeFilter(filter) ?? []),
    clusters,
    requestTimeoutMs: durationMs(rule.timeouts?.request ?? ''),
    backendTimeoutMs: durationMs(rule.timeouts?.backendRequest ?? ''),
    retry: rule.retry === undefined ? RULE_DEFAULTS.retry : retryPolicy(rule.retry),
    mirrors: (rule.filters ?? []).flatMap(({ requestMirror }) =>
      requestMirror === undefined
        ? []
        : [{ cluster: clusterOf(requestMirror.backendRef, namespace), share: mirrorShare(requestMirror) }],
    ),
    bodyBytes: rule.limits?.bodyBytes ?? RULE_DEFAULTS.bodyBytes,
    grpcWeb: rule.grpcWeb,
  };
}

/** Where a user has not said which answers of backends are asked for again. */
const RETRIED_CODES = [502, 503, 504];

function retryPolicy(spec: NonNullable<RouteRuleSpec['retry']>): RetryPolicy {
  return {
    attempts: spec.attempts,
    // In any order they mean the same.
    conditions: [...spec.conditions].sort(),
    codes: spec.conditions.includes('Status') ? [...(spec.codes ?? RETRIED_CODES)].sort((a, b) => a - b) : [],
    grpcCodes: (spec.grpcCodes ?? []).map(grpcStatusNumber).sort((a, b) => a - b),
    methods: spec.methods,
    backoffMs: durationMs(spec.backoff),
    maxBackoffMs: durationMs(spec.maxBackoff),
  };
}

function mirrorShare({ percent, fraction }: NonNullable<RouteFilterSpec['requestMirror']>): number {
  if (fraction !== undefined) return fraction.numerator / fraction.denominator;
  return (percent ?? 100) / 100;
}

function translateMatch(match: RouteMatchSpec): RouteMatch {
  const values = (entries: RouteMatchSpec['headers'], lower: boolean): ValueMatch[] =>
    (entries ?? [])
      .map(({ type, name, value }) => ({ type, name: lower ? name.toLowerCase() : name, value }))
      // All must match, so their order means nothing.
      .sort((a, b) => (a.name < b.name ? -1 : 1));
  return {
    path:
      match.grpc === undefined ? (match.path ?? { type: 'PathPrefix', value: '/' }) : grpcPath(match.grpc),
    method: match.method ?? null,
    headers: values(match.headers, true),
    queryParams: values(match.queryParams, false),
  };
}
