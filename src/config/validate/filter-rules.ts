import type { RouteRuleSpec } from '../crds/proxy-route.ts';
import type { PathChangeSpec, RouteFilterSpec } from '../crds/route-filter.ts';
import type { FieldPath } from '../parse/field-path.ts';
import { hostnameFault } from './address-rules.ts';
import { backendRefRules } from './backend-ref-rules.ts';
import { headerChangesRules, headerNameRules } from './header-rules.ts';
import type { Report } from './issue.ts';

const FIELD_OF_TYPE = {
  AddHeader: 'add',
  RequestHeaderModifier: 'requestHeaderModifier',
  ResponseHeaderModifier: 'responseHeaderModifier',
  RequestRedirect: 'requestRedirect',
  URLRewrite: 'urlRewrite',
  RequestMirror: 'requestMirror',
} as const satisfies Record<RouteFilterSpec['type'], keyof RouteFilterSpec>;

export function filterRules(rule: RouteRuleSpec, namespace: string, path: FieldPath, report: Report): void {
  const seen = new Set<string>();
  for (const [index, filter] of (rule.filters ?? []).entries()) {
    const here = [...path, 'filters', index];
    const field = FIELD_OF_TYPE[filter.type];
    for (const other of Object.values(FIELD_OF_TYPE)) {
      if (other !== field && filter[other] !== undefined) {
        report(
          [...here, other],
          'InvalidValue',
          `does not go with type ${filter.type}, which takes "${field}"`,
        );
      }
    }
    if (filter[field] === undefined) {
      report([...here, field], 'MissingField', `must be given for type ${filter.type}`);
      continue;
    }
    if ((filter.type === 'RequestRedirect' || filter.type === 'URLRewrite') && seen.has(filter.type)) {
      report([...here, 'type'], 'InvalidValue', `a rule takes ${filter.type} once`, filter.type);
    }
    seen.add(filter.type);
    contentRules(filter, rule, here, report);
    if (filter.requestMirror !== undefined)
      mirrorRules(filter.requestMirror, namespace, [...here, 'requestMirror'], report);
  }
  if (seen.has('RequestRedirect') && seen.has('URLRewrite')) {
    report([...path, 'filters'], 'InvalidValue', 'RequestRedirect and URLRewrite exclude each other');
  }
}

function contentRules(filter: RouteFilterSpec, rule: RouteRuleSpec, path: FieldPath, report: Report): void {
  for (const name of Object.keys(filter.add ?? {})) headerNameRules(name, [...path, 'add', name], report);
  for (const field of ['requestHeaderModifier', 'responseHeaderModifier'] as const) {
    const changes = filter[field];
    if (changes !== undefined) headerChangesRules(changes, [...path, field], report);
  }
  for (const field of ['requestRedirect', 'urlRewrite'] as const) {
    const target = filter[field];
    if (target?.hostname !== undefined) {
      const fault = hostnameFault(target.hostname);
      if (fault !== null)
        report(
          [...path, field, 'hostname'],
          'InvalidValue',
          `"${target.hostname}" ${fault}`,
          target.hostname,
        );
    }
    if (target?.path !== undefined) pathChangeRules(target.path, rule, [...path, field, 'path'], report);
  }
}

function mirrorRules(
  { backendRef, percent, fraction }: NonNullable<RouteFilterSpec['requestMirror']>,
  namespace: string,
  path: FieldPath,
  report: Report,
): void {
  backendRefRules(backendRef, namespace, [...path, 'backendRef'], report);
  if (percent !== undefined && fraction !== undefined)
    report([...path, 'fraction'], 'InvalidValue', 'percent and fraction exclude each other');
  if (fraction !== undefined && fraction.numerator > fraction.denominator) {
    report(
      [...path, 'fraction', 'numerator'],
      'InvalidValue',
      `${fraction.numerator} of ${fraction.denominator} is more than all`,
      fraction.numerator,
    );
  }
}

function pathChangeRules(change: PathChangeSpec, rule: RouteRuleSpec, path: FieldPath, report: Report): void {
  const [field, other] =
    change.type === 'ReplaceFullPath'
      ? (['replaceFullPath', 'replacePrefixMatch'] as const)
      : (['replacePrefixMatch', 'replaceFullPath'] as const);
  if (change[field] === undefined)
    report([...path, field], 'MissingField', `must be given for type ${change.type}`);
  if (change[other] !== undefined) {
    report([...path, other], 'InvalidValue', `does not go with type ${change.type}, which takes "${field}"`);
  }
  const prefixOnly = (rule.matches ?? []).every(
    (match) => match.grpc === undefined && (match.path?.type ?? 'PathPrefix') === 'PathPrefix',
  );
  if (change.type === 'ReplacePrefixMatch' && !prefixOnly) {
    report(
      [...path, 'type'],
      'InvalidValue',
      'ReplacePrefixMatch needs a rule whose matches are all of type PathPrefix',
      change.type,
    );
  }
}
