import type { Filter } from '../../model/filter.ts';
import { KeyedMemo } from '../memo.ts';
import { headerChanges } from '../snapshot/filters.ts';
import { fullName, type TypedObject } from '../validate/typed-object.ts';
import { ACCEPTED, type Finding, keyed, type ObjectSet, resolution, unresolved } from './finding.ts';

/** Finds the target of each policy. */
export class PolicyGrapher {
  readonly #memo = new KeyedMemo<readonly [TypedObject<'ProxyPolicy'>, boolean], Finding>();

  graph(
    policies: ObjectSet['ProxyPolicy'],
    gateways: ObjectSet['ProxyGateway'],
    routes: ObjectSet['ProxyRoute'],
  ): ReadonlyMap<string, Finding> {
    const findings = new Map<string, Finding>();
    for (const policy of policies.values()) {
      const { kind, name } = policy.content.spec.targetRef;
      const targets: ReadonlyMap<string, unknown> = kind === 'ProxyGateway' ? gateways : routes;
      const there = targets.has(fullName(policy.ref.namespace, name));
      findings.set(policy.name, this.#memo.get(policy.name, [policy, there], graphPolicy));
    }
    this.#memo.endRound();
    return findings;
  }
}

function graphPolicy(policy: TypedObject<'ProxyPolicy'>, there: boolean): Finding {
  const { targetRef, headers } = policy.content.spec;
  const target = fullName(policy.ref.namespace, targetRef.name);
  const issues = there
    ? []
    : [
        unresolved(
          ['spec', 'targetRef', 'name'],
          'TargetNotFound',
          `there is no ${targetRef.kind} ${target}`,
          targetRef.name,
        ),
      ];
  const filters: Filter[] = [];
  if (headers?.requestHeaders !== undefined)
    filters.push({ type: 'RequestHeaders', changes: headerChanges(headers.requestHeaders) });
  if (headers?.responseHeaders !== undefined)
    filters.push({ type: 'ResponseHeaders', changes: headerChanges(headers.responseHeaders) });
  return {
    accepted: ACCEPTED,
    resolvedRefs: resolution(issues),
    issues,
    resources: [
      keyed({
        kind: 'policy',
        value: {
          name: policy.name,
          target: { kind: targetRef.kind === 'ProxyGateway' ? 'gateway' : 'route', name: target },
          createdAt: policy.createdAt,
          filters,
        },
      }),
    ],
  };
}
