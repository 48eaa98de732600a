import { type Resource, type ResourceKey, resourceKey } from '../../model/resource.ts';
import type { Kind } from '../crds/kinds.ts';
import type { FieldPath } from '../parse/field-path.ts';
import type { ConfigReason } from '../reasons.ts';
import { type Issue, valueText } from '../validate/issue.ts';
import type { TypedObject } from '../validate/typed-object.ts';

/** All valid objects, by kind and then by `namespace/name`. A map that did not change is the same JS object. */
export type ObjectSet = { readonly [K in Kind]: ReadonlyMap<string, TypedObject<K>> };

export interface Verdict {
  readonly status: 'True' | 'False';
  readonly reason: ConfigReason;
  readonly message: string;
}

export interface KeyedResource {
  readonly key: ResourceKey;
  readonly resource: Resource;
}

/** What became of one object among the others. */
export interface Finding {
  readonly accepted: Verdict;
  readonly resolvedRefs: Verdict;
  readonly issues: readonly Issue[];
  /** Resources that are there because of the object. */
  readonly resources: readonly KeyedResource[];
  /** Resources of other objects that it cannot do without: what becomes of them on nodes is told of it too. */
  readonly uses?: readonly ResourceKey[];
}

export const ACCEPTED: Verdict = { status: 'True', reason: 'Accepted', message: '' };
export const RESOLVED: Verdict = { status: 'True', reason: 'ResolvedRefs', message: '' };

/** For kinds that are only read by others. */
export const PLAIN: Finding = { accepted: ACCEPTED, resolvedRefs: RESOLVED, issues: [], resources: [] };

export const keyed = (resource: Resource): KeyedResource => ({ key: resourceKey(resource), resource });

export function unresolved(path: FieldPath, reason: ConfigReason, message: string, value?: unknown): Issue {
  return { severity: 'unresolved', path, reason, message, value: valueText(value) };
}

/** ResolvedRefs from the references that do not resolve. */
export function resolution(issues: readonly Issue[]): Verdict {
  const missing = issues.filter((issue) => issue.severity === 'unresolved');
  const first = missing[0];
  if (first === undefined) {
    const soon = issues.filter((issue) => issue.reason === 'CertificateExpiresSoon');
    return soon.length === 0
      ? RESOLVED
      : {
          status: 'True',
          reason: 'CertificateExpiresSoon',
          message: allMessages(soon),
        };
  }
  return { status: 'False', reason: first.reason, message: allMessages(missing) };
}

/** Each once: two listeners may name the same Secret. */
const allMessages = (issues: readonly Issue[]): string =>
  [...new Set(issues.map(({ message }) => message))].join('; ');
