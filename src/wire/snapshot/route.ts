import type { RetryPolicy, Route, RouteMatch, RouteRule, ValueMatch } from '../../model/route.ts';
import type { ResourceCodec } from './codec.ts';
import {
  count,
  each,
  FieldError,
  inside,
  name,
  oneOf,
  part,
  share,
  size,
  text,
  texts,
  time,
  weight,
} from './field.ts';
import { filterFromMessage, filterToMessage } from './filter.ts';
import type {
  RetryPolicyDecoded,
  RetryPolicy as RetryPolicyEncoded,
} from './generated/novaedge/v1/RetryPolicy.ts';
import type { RouteDecoded, Route as RouteEncoded } from './generated/novaedge/v1/Route.ts';
import type {
  RouteMatchDecoded,
  RouteMatch as RouteMatchEncoded,
} from './generated/novaedge/v1/RouteMatch.ts';
import type { RouteRuleDecoded, RouteRule as RouteRuleEncoded } from './generated/novaedge/v1/RouteRule.ts';
import type {
  ValueMatchDecoded,
  ValueMatch as ValueMatchEncoded,
} from './generated/novaedge/v1/ValueMatch.ts';
import type { Sparse } from './schema.ts';

const PATH_MATCHES = ['Exact', 'PathPrefix', 'RegularExpression'] as const;
const RETRY_CONDITIONS = ['Reset', 'Timeout', 'Status', 'GRPCStatus'] as const;
const RETRY_METHODS = ['Idempotent', 'All'] as const;
const VALUE_MATCHES = ['Exact', 'RegularExpression'] as const;

export const routeCodec: ResourceCodec<Route, RouteEncoded, RouteDecoded> = {
  toMessage: (route) => ({
    name: name(route.name, 'name'),
    createdAt: time(route.createdAt, 'createdAt') || undefined,
    attachments: each(route.attachments, 'attachments', (attachment) => ({
      listener: name(attachment.listener, 'listener'),
      hostnames: texts(attachment.hostnames, 'hostnames'),
    })),
    rules: each(route.rules, 'rules', ruleToMessage),
  }),
  fromMessage: (message) => ({
    name: name(message.name, 'name'),
    createdAt: time(message.createdAt, 'createdAt'),
    attachments: each(message.attachments, 'attachments', (attachment) => ({
      listener: name(attachment.listener, 'listener'),
      hostnames: attachment.hostnames,
    })),
    rules: each(message.rules, 'rules', ruleFromMessage),
  }),
};

function ruleToMessage(rule: RouteRule): Sparse<RouteRuleEncoded> {
  return {
    matches: each(atLeastOne(rule.matches), 'matches', matchToMessage),
    filters: each(rule.filters, 'filters', filterToMessage),
    clusters: each(rule.clusters, 'clusters', (weighted) => ({
      cluster: name(weighted.cluster, 'cluster'),
      weight: weight(weighted.weight, 'weight') || undefined,
    })),
    requestTimeoutMs: count(rule.requestTimeoutMs, 'requestTimeoutMs') || undefined,
    backendTimeoutMs: count(rule.backendTimeoutMs, 'backendTimeoutMs') || undefined,
    retry: rule.retry === null ? undefined : retryToMessage(rule.retry),
    mirrors: each(rule.mirrors, 'mirrors', (mirror) => ({
      cluster: name(mirror.cluster, 'cluster'),
      share: share(mirror.share, 'share') || undefined,
    })),
    bodyBytes: bodyBytes(rule.bodyBytes) || undefined,
    grpcWeb: rule.grpcWeb || undefined,
  };
}

function ruleFromMessage(message: RouteRuleDecoded): RouteRule {
  return {
    matches: each(atLeastOne(message.matches), 'matches', matchFromMessage),
    filters: each(message.filters, 'filters', filterFromMessage),
    clusters: each(message.clusters, 'clusters', (weighted) => ({
      cluster: name(weighted.cluster, 'cluster'),
      weight: weight(weighted.weight, 'weight'),
    })),
    requestTimeoutMs: message.requestTimeoutMs,
    backendTimeoutMs: message.backendTimeoutMs,
    retry: message.retry === null ? null : retryFromMessage(message.retry),
    mirrors: each(message.mirrors, 'mirrors', (mirror) => ({
      cluster: name(mirror.cluster, 'cluster'),
      share: share(Number(mirror.share), 'share'),
    })),
    bodyBytes: bodyBytes(Number(message.bodyBytes)),
    grpcWeb: message.grpcWeb,
  };
}

function bodyBytes(value: number): number {
  return value === -1 ? value : size(value, 'bodyBytes');
}

function retryToMessage(retry: RetryPolicy): Sparse<RetryPolicyEncoded> {
  return inside('retry', () => ({
    attempts: count(retry.attempts, 'attempts') || undefined,
    conditions: each(retry.conditions, 'conditions', (condition) =>
      oneOf(condition, RETRY_CONDITIONS, 'condition'),
    ),
    codes: each(retry.codes, 'codes', (code) => count(code, 'code', 100, 999)),
    methods: oneOf(retry.methods, RETRY_METHODS, 'methods'),
    backoffMs: count(retry.backoffMs, 'backoffMs') || undefined,
    maxBackoffMs: count(retry.maxBackoffMs, 'maxBackoffMs') || undefined,
    grpcCodes: each(retry.grpcCodes, 'grpcCodes', (code) => count(code, 'code')),
  }));
}

function retryFromMessage(message: RetryPolicyDecoded): RetryPolicy {
  return inside('retry', () => ({
    attempts: message.attempts,
    conditions: each(message.conditions, 'conditions', (condition) =>
      oneOf(condition, RETRY_CONDITIONS, 'condition'),
    ),
    codes: each(message.codes, 'codes', (code) => count(code, 'code', 100, 999)),
    grpcCodes: each(message.grpcCodes, 'grpcCodes', (code) => count(code, 'code')),
    methods: oneOf(message.methods, RETRY_METHODS, 'methods'),
    backoffMs: message.backoffMs,
    maxBackoffMs: message.maxBackoffMs,
  }));
}

function atLeastOne<T>(matches: readonly T[]): readonly T[] {
  if (matches.length === 0) throw new FieldError('matches', 'is empty, so the rule would match nothing');
  return matches;
}

function matchToMessage(match: RouteMatch): Sparse<RouteMatchEncoded> {
  const path = part(match.path, 'path');
  return {
    path: {
      type: oneOf(path.type, PATH_MATCHES, 'path.type'),
      value: text(path.value, 'path.value') || undefined,
    },
    method: text(match.method ?? '', 'method') || undefined,
    headers: each(match.headers, 'headers', valueToMessage),
    queryParams: each(match.queryParams, 'queryParams', valueToMessage),
  };
}

function matchFromMessage(message: RouteMatchDecoded): RouteMatch {
  const path = part(message.path, 'path');
  return {
    path: { type: oneOf(path.type, PATH_MATCHES, 'path.type'), value: path.value },
    method: message.method || null,
    headers: each(message.headers, 'headers', valueFromMessage),
    queryParams: each(message.queryParams, 'queryParams', valueFromMessage),
  };
}

function valueToMessage(match: ValueMatch): Sparse<ValueMatchEncoded> {
  return {
    type: oneOf(match.type, VALUE_MATCHES, 'type'),
    name: name(match.name, 'name'),
    value: text(match.value, 'value') || undefined,
  };
}

function valueFromMessage(message: ValueMatchDecoded): ValueMatch {
  return {
    type: oneOf(message.type, VALUE_MATCHES, 'type'),
    name: name(message.name, 'name'),
    value: message.value,
  };
}
