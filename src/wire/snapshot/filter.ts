import type { Filter, HeaderChanges, PathChange } from '../../model/filter.ts';
import type { Policy } from '../../model/policy.ts';
import type { ResourceCodec } from './codec.ts';
import { each, FieldError, inside, name, oneOf, part, port, text, texts, time } from './field.ts';
import type { FilterDecoded, Filter as FilterEncoded } from './generated/novaedge/v1/Filter.ts';
import type {
  HeaderChangesDecoded,
  HeaderChanges as HeaderChangesEncoded,
} from './generated/novaedge/v1/HeaderChanges.ts';
import type {
  PathChangeDecoded,
  PathChange as PathChangeEncoded,
} from './generated/novaedge/v1/PathChange.ts';
import type { PolicyDecoded, Policy as PolicyEncoded } from './generated/novaedge/v1/Policy.ts';
import type { Sparse } from './schema.ts';

const PATH_CHANGES = ['ReplaceFullPath', 'ReplacePrefixMatch'] as const;
const SCHEMES = ['http', 'https'] as const;
const REDIRECTS = [301, 302, 303, 307, 308] as const;
const TARGETS = ['gateway', 'route'] as const;

export function filterToMessage(filter: Filter): Sparse<FilterEncoded> {
  switch (filter.type) {
    case 'RequestHeaders':
      return { requestHeaders: changesToMessage(filter.changes) };
    case 'ResponseHeaders':
      return { responseHeaders: changesToMessage(filter.changes) };
    case 'Rewrite':
      return {
        rewrite: {
          hostname: text(filter.hostname ?? '', 'rewrite.hostname') || undefined,
          path: pathToMessage(filter.path),
        },
      };
    case 'Redirect':
      return {
        redirect: {
          scheme: filter.scheme === null ? undefined : oneOf(filter.scheme, SCHEMES, 'redirect.scheme'),
          hostname: text(filter.hostname ?? '', 'redirect.hostname') || undefined,
          port: filter.port === null ? undefined : port(filter.port, 'redirect.port'),
          path: pathToMessage(filter.path),
          statusCode: oneOf(filter.statusCode, REDIRECTS, 'redirect.statusCode'),
        },
      };
    default:
      throw new FieldError('filter', `type ${JSON.stringify((filter as Filter).type)} is not known`);
  }
}

export function filterFromMessage(message: FilterDecoded): Filter {
  const { requestHeaders, responseHeaders, rewrite, redirect } = message;
  if (requestHeaders) return { type: 'RequestHeaders', changes: changesFromMessage(requestHeaders) };
  if (responseHeaders) return { type: 'ResponseHeaders', changes: changesFromMessage(responseHeaders) };
  if (rewrite) {
    return { type: 'Rewrite', hostname: rewrite.hostname || null, path: pathFromMessage(rewrite.path) };
  }
  if (redirect) {
    return {
      type: 'Redirect',
      scheme: redirect.scheme === '' ? null : oneOf(redirect.scheme, SCHEMES, 'redirect.scheme'),
      hostname: redirect.hostname || null,
      port: redirect.port === 0 ? null : port(redirect.port, 'redirect.port'),
      path: pathFromMessage(redirect.path),
      statusCode: oneOf(redirect.statusCode, REDIRECTS, 'redirect.statusCode'),
    };
  }
  throw new FieldError('filter', 'is of a type that this version does not know');
}

function changesToMessage(changes: HeaderChanges): Sparse<HeaderChangesEncoded> {
  const header = (value: { name: string; value: string }) => ({
    name: name(value.name, 'name'),
    value: text(value.value, 'value') || undefined,
  });
  return {
    set: each(changes.set, 'set', header),
    add: each(changes.add, 'add', header),
    remove: texts(changes.remove, 'remove'),
  };
}

function changesFromMessage(message: HeaderChangesDecoded): HeaderChanges {
  const header = (value: { name: string; value: string }) => ({
    name: name(value.name, 'name'),
    value: value.value,
  });
  return {
    set: each(message.set, 'set', header),
    add: each(message.add, 'add', header),
    remove: message.remove,
  };
}

function pathToMessage(path: PathChange | null): Sparse<PathChangeEncoded> | undefined {
  if (path === null) return undefined;
  return {
    type: oneOf(path.type, PATH_CHANGES, 'path.type'),
    value: text(path.value, 'path.value') || undefined,
  };
}

function pathFromMessage(message: PathChangeDecoded | null): PathChange | null {
  if (message === null) return null;
  return { type: oneOf(message.type, PATH_CHANGES, 'path.type'), value: message.value };
}

export const policyCodec: ResourceCodec<Policy, PolicyEncoded, PolicyDecoded> = {
  toMessage: (policy) => ({
    name: name(policy.name, 'name'),
    targetKind: oneOf(part(policy.target, 'target').kind, TARGETS, 'target.kind'),
    targetName: name(policy.target.name, 'target.name'),
    createdAt: time(policy.createdAt, 'createdAt') || undefined,
    filters: each(policy.filters, 'filters', filterToMessage),
  }),
  fromMessage: (message) => ({
    name: name(message.name, 'name'),
    target: inside('target', () => ({
      kind: oneOf(message.targetKind, TARGETS, 'kind'),
      name: name(message.targetName, 'name'),
    })),
    createdAt: time(message.createdAt, 'createdAt'),
    filters: each(message.filters, 'filters', filterFromMessage),
  }),
};
