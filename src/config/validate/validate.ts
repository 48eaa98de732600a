import { Compile, type Validator } from 'typebox/compile';
import { Settings } from 'typebox/system';
import { Default } from 'typebox/value';
import type { ObjectRef } from '../../model/object.ts';
import { KIND_DEFINITIONS, type Kind } from '../crds/kinds.ts';
import type { Manifest } from '../parse/parse-item.ts';
import { backendRules } from './backend-rules.ts';
import { coreRules } from './core-rules.ts';
import { gatewayRules } from './gateway-rules.ts';
import { type Issue, type Report, valueText } from './issue.ts';
import { policyRules } from './policy-rules.ts';
import { routeRules } from './route-rules.ts';
import { schemaIssues } from './schema-issues.ts';
import type { TypedObject } from './typed-object.ts';
import { vipRules } from './vip-rules.ts';

export interface Validated {
  /** Null where an issue of severity `error` was found. */
  readonly object: TypedObject | null;
  readonly issues: readonly Issue[];
}

// A user wants to hear of everything at once; the default ends after eight.
Settings.Set({ maxErrors: 256 });

const validators = new Map<Kind, Validator>();

function validatorOf(kind: Kind): Validator {
  const known = validators.get(kind);
  if (known !== undefined) return known;
  const made = Compile(KIND_DEFINITIONS[kind].schema) as Validator;
  validators.set(kind, made);
  return made;
}

/**
 * Checks one object alone, against its schema first and then against what a schema cannot say.
 * @param source id of the item that the object stands in.
 */
export function validate(kind: Kind, ref: ObjectRef, manifest: Manifest, source: string): Validated {
  const { schema, custom } = KIND_DEFINITIONS[kind];
  const validator = validatorOf(kind);
  let content = manifest;
  if (custom) content = Default(schema, withoutNulls(manifest)) as Manifest;
  else if (!validator.Check(content)) content = withoutNulls(manifest) as Manifest;

  if (!validator.Check(content)) {
    return { object: null, issues: redacted(kind, schemaIssues(schema, validator.Errors(content), content)) };
  }
  const issues: Issue[] = [];
  const report: Report = (path, reason, message, value) =>
    issues.push({ severity: 'error', path, reason, message, value: valueText(value) });
  const warn: Report = (path, reason, message, value) =>
    issues.push({ severity: 'warning', path, reason, message, value: valueText(value) });

  const metadata = content.metadata as {
    creationTimestamp?: string;
    generation?: number;
    labels?: Record<string, string>;
  };
  const createdAt = metadata.creationTimestamp === undefined ? 0 : Date.parse(metadata.creationTimestamp);
  if (Number.isNaN(createdAt)) {
    report(
      ['metadata', 'creationTimestamp'],
      'InvalidValue',
      'is not an RFC 3339 time such as 2026-01-31T12:00:00Z',
      metadata.creationTimestamp,
    );
  }
  const object = {
    kind,
    ref,
    name: `${ref.namespace}/${ref.name}`,
    createdAt,
    generation: metadata.generation ?? 0,
    labels: metadata.labels ?? {},
    source,
    content,
  } as unknown as TypedObject;
  (RULES[kind] ?? coreRules)(object, report, warn);
  const refused = issues.some((issue) => issue.severity === 'error');
  return { object: refused ? null : object, issues: redacted(kind, issues) };
}

const RULES: Partial<Record<Kind, (object: TypedObject, report: Report, warn: Report) => void>> = {
  ProxyGateway: (object, report, warn) => gatewayRules(object as TypedObject<'ProxyGateway'>, report, warn),
  ProxyRoute: (object, report) => routeRules(object as TypedObject<'ProxyRoute'>, report),
  ProxyBackend: (object, report, warn) => backendRules(object as TypedObject<'ProxyBackend'>, report, warn),
  ProxyPolicy: (object, report) => policyRules(object as TypedObject<'ProxyPolicy'>, report),
  ProxyVIP: (object, report) => vipRules(object as TypedObject<'ProxyVIP'>, report),
};

function redacted(kind: Kind, issues: readonly Issue[]): readonly Issue[] {
  if (kind !== 'Secret') return issues;
  return issues.map((issue) => ({
    ...issue,
    value: '',
    message: issue.path[0] === 'data' || issue.path[0] === 'stringData' ? 'is not valid' : issue.message,
  }));
}

/** A copy in which fields without a value are not there, as an API server sees them. */
function withoutNulls(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutNulls);
  if (typeof value !== 'object' || value === null) return value;
  const copy: Record<string, unknown> = {};
  for (const [name, field] of Object.entries(value)) {
    if (field === null) continue;
    if (name === '__proto__')
      Object.defineProperty(copy, name, { value: withoutNulls(field), enumerable: true });
    else copy[name] = withoutNulls(field);
  }
  return copy;
}
