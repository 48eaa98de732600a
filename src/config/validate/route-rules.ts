import type { RouteMatchSpec, RouteRuleSpec } from '../crds/proxy-route.ts';
import { durationMs } from '../duration.ts';
import type { FieldPath } from '../parse/field-path.ts';
import { hostnameFault } from './address-rules.ts';
import { backendRefRules, sameNamespace } from './backend-ref-rules.ts';
import { expressionRules } from './expression-rules.ts';
import { filterRules } from './filter-rules.ts';
import { grpcMatchRules, grpcRetryRules } from './grpc-rules.ts';
import type { Report } from './issue.ts';
import type { TypedObject } from './typed-object.ts';

export function routeRules(route: TypedObject<'ProxyRoute'>, report: Report): void {
  const { spec } = route.content;
  for (const [index, parent] of (spec.parentRefs ?? []).entries()) {
    sameNamespace(parent.namespace, route.ref.namespace, ['spec', 'parentRefs', index, 'namespace'], report);
  }
  for (const [index, hostname] of (spec.hostnames ?? []).entries()) {
    const fault = hostnameFault(hostname);
    if (fault !== null)
      report(['spec', 'hostnames', index], 'InvalidValue', `"${hostname}" ${fault}`, hostname);
  }
  const names = new Set<string>();
  for (const [index, rule] of spec.rules.entries()) {
    const path = ['spec', 'rules', index];
    if (rule.name !== undefined && names.has(rule.name)) {
      report([...path, 'name'], 'InvalidValue', `another rule is called "${rule.name}" too`, rule.name);
    }
    if (rule.name !== undefined) names.add(rule.name);
    for (const [position, match] of (rule.matches ?? []).entries()) {
      matchRules(match, [...path, 'matches', position], report);
    }
    targetRules(rule, route.ref.namespace, path, report);
    filterRules(rule, route.ref.namespace, path, report);
    retryRules(rule, path, report);
    if (rule.grpcWeb && rule.backendRef === undefined && rule.backendRefs === undefined)
      report([...path, 'grpcWeb'], 'InvalidValue', 'does not go with a rule that asks no backend', true);
  }
}

const PATH = /^(?:[-A-Za-z0-9/._~!$&'()*+,;=:@]|%[0-9a-fA-F]{2})+$/;
const DOTS_OR_SLASHES = /\/\/|\/\.\.?(\/|$)|%2f/i;

function matchRules(match: RouteMatchSpec, path: FieldPath, report: Report): void {
  if (match.grpc !== undefined) grpcMatchRules(match, path, report);
  if (match.path !== undefined) {
    const { type, value } = match.path;
    const here = [...path, 'path', 'value'];
    if (type === 'RegularExpression') expressionRules(value, here, report);
    else if (!value.startsWith('/'))
      report(here, 'InvalidValue', `${JSON.stringify(value)} must start with "/"`, value);
    else if (!PATH.test(value)) {
      report(
        here,
        'InvalidValue',
        `${JSON.stringify(value)} has characters that a path never has (RFC 3986)`,
        value,
      );
    } else if (DOTS_OR_SLASHES.test(value)) {
      report(
        here,
        'InvalidValue',
        `${JSON.stringify(value)} must not contain "//", "/./", "/../" or "%2F"`,
        value,
      );
    }
  }
  for (const list of ['headers', 'queryParams'] as const) {
    const names = new Set<string>();
    for (const [index, entry] of (match[list] ?? []).entries()) {
      const here = [...path, list, index];
      const name = list === 'headers' ? entry.name.toLowerCase() : entry.name;
      if (names.has(name))
        report([...here, 'name'], 'InvalidValue', `"${entry.name}" is named twice`, entry.name);
      names.add(name);
      if (entry.type === 'RegularExpression') expressionRules(entry.value, [...here, 'value'], report);
    }
  }
}

function retryRules({ retry }: RouteRuleSpec, path: FieldPath, report: Report): void {
  if (retry === undefined) return;
  const here = [...path, 'retry'];
  if (retry.conditions.includes('Status') && retry.codes?.length === 0)
    report([...here, 'codes'], 'MissingField', 'must be given for the condition Status');
  if (retry.codes !== undefined && !retry.conditions.includes('Status')) {
    report(
      [...here, 'codes'],
      'InvalidValue',
      `does not go with the conditions ${retry.conditions.join(', ')}; Status takes it`,
    );
  }
  grpcRetryRules(retry, here, report);
  if (durationMs(retry.maxBackoff) < durationMs(retry.backoff)) {
    report(
      [...here, 'maxBackoff'],
      'InvalidValue',
      `${retry.maxBackoff} is less than backoff, ${retry.backoff}`,
      retry.maxBackoff,
    );
  }
}

function targetRules(rule: RouteRuleSpec, namespace: string, path: FieldPath, report: Report): void {
  if (rule.backendRef !== undefined && rule.backendRefs !== undefined) {
    report([...path, 'backendRefs'], 'InvalidValue', 'backendRef and backendRefs exclude each other');
  }
  const redirects = (rule.filters ?? []).some((filter) => filter.type === 'RequestRedirect');
  const none = rule.backendRef === undefined && rule.backendRefs === undefined;
  if (none && !redirects) {
    report(
      [...path, 'backendRef'],
      'MissingField',
      'must be given (or backendRefs, or a RequestRedirect filter)',
    );
  }
  if (!none && redirects) {
    report(
      [...path, rule.backendRef === undefined ? 'backendRefs' : 'backendRef'],
      'InvalidValue',
      'a rule that redirects asks no backend',
    );
  }
  if (rule.backendRef !== undefined)
    backendRefRules(rule.backendRef, namespace, [...path, 'backendRef'], report);
  for (const [index, backend] of (rule.backendRefs ?? []).entries())
    backendRefRules(backend, namespace, [...path, 'backendRefs', index], report);
  if (rule.backendRefs?.every((backend) => backend.weight === 0) === true) {
    report([...path, 'backendRefs'], 'InvalidValue', 'one weight must be more than 0');
  }
}
