import type { Route } from '../../model/route.ts';
import { KeyedMemo, lastCall } from '../memo.ts';
import { routeRules } from '../snapshot/route-rules.ts';
import type { Issue } from '../validate/issue.ts';
import type { TypedObject } from '../validate/typed-object.ts';
import {
  type Attachment,
  attachRoute,
  listenersByNamespace,
  type NamespaceListeners,
} from './attachments.ts';
import { type Finding, keyed, type ObjectSet, resolution, type Verdict } from './finding.ts';
import type { GatewayGraph } from './gateways.ts';
import { missingBackends } from './references.ts';
import { type Conflicts, NO_CONFLICTS, routeConflicts } from './route-conflicts.ts';

type RouteObject = TypedObject<'ProxyRoute'>;

/** Attaches routes to listeners, finds their backends and decides between those that want the same. */
export class RouteGrapher {
  readonly #attach = new KeyedMemo<
    readonly [RouteObject, GatewayGraph['listeners'], NamespaceListeners],
    Attachment
  >();
  readonly #findings = new KeyedMemo<readonly [RouteObject, Attachment, Conflicts, string], Finding>();
  readonly #missing = new KeyedMemo<Parameters<typeof missingBackends>, readonly Issue[]>();
  readonly #namespaces = lastCall(listenersByNamespace);
  #conflicts: ReadonlyMap<string, Conflicts> = new Map();

  graph(
    routes: ObjectSet['ProxyRoute'],
    listeners: GatewayGraph['listeners'],
    backends: ObjectSet['ProxyBackend'],
    services: ObjectSet['Service'],
    withSlices: ReadonlySet<string>,
  ): ReadonlyMap<string, Finding> {
    const namespaces = this.#namespaces(listeners);
    const attachments = new Map<string, Attachment>();
    for (const route of routes.values()) {
      attachments.set(route.name, this.#attach.get(route.name, [route, listeners, namespaces], attachRoute));
    }
    this.#attach.endRound();

    this.#conflicts = keepEqual(this.#conflicts, routeConflicts([...routes.values()], attachments));
    const findings = new Map<string, Finding>();
    for (const route of routes.values()) {
      const missing = this.#missing.get(route.name, [route, backends, services, withSlices], missingBackends);
      const inputs = [
        route,
        attachments.get(route.name)!,
        this.#conflicts.get(route.name) ?? NO_CONFLICTS,
        missing.length === 0 ? '' : JSON.stringify(missing),
      ] as const;
      findings.set(
        route.name,
        this.#findings.get(route.name, inputs, (...given) =>
          graphRoute(given[0], given[1], given[2], missing),
        ),
      );
    }
    this.#missing.endRound();
    this.#findings.endRound();
    return findings;
  }
}

function keepEqual(
  before: ReadonlyMap<string, Conflicts>,
  now: ReadonlyMap<string, Conflicts>,
): ReadonlyMap<string, Conflicts> {
  return new Map(
    [...now].map(([name, conflicts]) => {
      const last = before.get(name);
      const same = last !== undefined && JSON.stringify(last.issues) === JSON.stringify(conflicts.issues);
      return [name, same ? last : conflicts];
    }),
  );
}

function graphRoute(
  route: RouteObject,
  attachment: Attachment,
  conflicts: Conflicts,
  missing: readonly Issue[],
): Finding {
  const rules = routeRules(route).flatMap((rule, index) => {
    const matches = rule.matches.filter((_match, position) => !conflicts.lost.has(`${index}.${position}`));
    if (matches.length === rule.matches.length) return [rule];
    return matches.length === 0 ? [] : [{ ...rule, matches }];
  });
  // A reference to a gateway is one of its references; a host that no listener takes is not.
  const references = [
    ...attachment.issues.filter((issue) => issue.reason !== 'NoMatchingListener'),
    ...missing,
  ];
  const value: Route = {
    name: route.name,
    createdAt: route.createdAt,
    attachments: attachment.attachments,
    rules,
  };
  const serves = attachment.attachments.length > 0 && rules.length > 0;
  return {
    accepted: acceptance(attachment.accepted, conflicts.issues, rules.length),
    resolvedRefs: resolution(references),
    issues: [...attachment.issues, ...missing, ...conflicts.issues],
    resources: serves ? [keyed({ kind: 'route', value })] : [],
  };
}

function acceptance(attached: Verdict, conflicts: readonly Issue[], rules: number): Verdict {
  if (attached.status === 'False' || conflicts.length === 0) return attached;
  return {
    status: rules === 0 ? 'False' : 'True',
    reason: 'RouteConflict',
    message: conflicts.map((issue) => issue.message).join('; '),
  };
}
