import type { ObjectRef } from '../../model/object.ts';
import { isKind, KIND_DEFINITIONS, KINDS, type Kind } from '../crds/kinds.ts';
import { API_VERSION } from '../crds/schema.ts';
import type { ConfigReason } from '../reasons.ts';
import type { SourceItem } from '../source/source.ts';
import { didYouMean } from '../validate/did-you-mean.ts';
import type { FieldPath } from './field-path.ts';
import { fieldLocator, type ParsedDocument, parseDocument } from './parse-document.ts';
import { splitDocuments } from './split-documents.ts';

export type Manifest = Readonly<Record<string, unknown>>;

/** One object as it stands in a source. */
export interface Definition {
  /** `Kind/namespace/name` */
  readonly key: string;
  readonly kind: Kind;
  readonly ref: ObjectRef;
  /** The same JS object as long as its document's text is the same. */
  readonly manifest: Manifest;
  readonly file: string;
  /** Position among the objects of its file. */
  readonly order: number;
  /** Line of a field of the object, from 1; 0 where the source has no lines. `exact` false: only of its document. */
  readonly line: (path: FieldPath, exact: boolean) => number;
  /** Set where the file no longer holds the object, but is broken: what is wrong with the file. */
  readonly lost: ItemFault | null;
}

/** Something wrong with an item that belongs to no object. */
export interface ItemFault {
  readonly severity: 'error' | 'warning';
  readonly line: number;
  readonly field: string;
  readonly value: string;
  readonly reason: ConfigReason;
  readonly message: string;
}

export interface ParsedItem {
  readonly id: string;
  readonly documents: readonly ParsedText[];
  /** What the item holds, then what it held before and may still mean to. */
  readonly definitions: readonly Definition[];
  readonly faults: readonly ItemFault[];
}

interface ParsedText {
  readonly text: string;
  readonly parsed: ParsedDocument;
  locate: ((path: FieldPath) => number) | null;
}

export type DocumentParser = (text: string) => ParsedDocument;

/**
 * Reads one item. Documents whose text did not change since `previous` are taken over. Objects of `previous` that
 * are missing now are kept as lost where a document cannot be read or says not what it is, because it may be theirs.
 */
export function parseItem(
  item: SourceItem,
  previous: ParsedItem | null,
  parse: DocumentParser = parseDocument,
): ParsedItem {
  const definitions: Definition[] = [];
  const faults: ItemFault[] = [];
  const documents: ParsedText[] = [];

  const add = (value: unknown, prefix: FieldPath, line: Definition['line']): void => {
    const kind = identify(value);
    if (kind.type === 'list') {
      for (const [index, entry] of kind.items.entries()) add(entry, [...prefix, 'items', index], line);
    } else if (kind.type === 'fault') {
      faults.push({ ...kind.fault, line: line([...prefix, ...kind.path], true) });
    } else {
      definitions.push({
        key: `${kind.ref.kind}/${kind.ref.namespace}/${kind.ref.name}`,
        kind: kind.ref.kind as Kind,
        ref: kind.ref,
        manifest: value as Manifest,
        file: item.id,
        order: definitions.length,
        line: prefix.length === 0 ? line : (path, exact) => line([...prefix, ...path], exact),
        lost: null,
      });
    }
  };

  if (item.type === 'object') add(item.manifest, [], () => 0);
  else if (item.type === 'unreadable') {
    faults.push({
      severity: 'error',
      line: 0,
      field: '',
      value: '',
      reason: 'Unreadable',
      message: item.message,
    });
  } else {
    const known = new Map(previous?.documents.map((document) => [document.text, document]));
    for (const { text, line: first } of splitDocuments(item.text)) {
      const document: ParsedText = known.get(text) ?? { text, parsed: parse(text), locate: null };
      documents.push(document);
      if ('fault' in document.parsed) {
        const { line, message } = document.parsed.fault;
        faults.push({
          severity: 'error',
          line: first + line - 1,
          field: '',
          value: '',
          reason: 'InvalidSyntax',
          message,
        });
        continue;
      }
      add(document.parsed.value, [], (path, exact) => {
        if (document.locate === null) {
          if (!exact) return first + firstContentLine(text);
          document.locate = fieldLocator(text);
        }
        return first + document.locate(path) - 1;
      });
    }
  }

  const fault = faults.find((one) => one.severity === 'error');
  if (fault !== undefined && previous !== null) {
    const here = new Set(definitions.map((definition) => definition.key));
    for (const definition of previous.definitions) {
      if (here.has(definition.key)) continue;
      here.add(definition.key);
      definitions.push({ ...definition, order: definitions.length, line: () => fault.line, lost: fault });
    }
  }
  return { id: item.id, documents, definitions, faults };
}

function firstContentLine(text: string): number {
  return text.split('\n').findIndex((row) => !/^(---\s*)?(#.*)?\s*$/.test(row));
}

type Identity =
  | { readonly type: 'object'; readonly ref: ObjectRef }
  | { readonly type: 'list'; readonly items: readonly unknown[] }
  | { readonly type: 'fault'; readonly path: FieldPath; readonly fault: Omit<ItemFault, 'line'> };

function identify(value: unknown): Identity {
  const fault = (
    reason: ConfigReason,
    path: FieldPath,
    message: string,
    given = '',
    severity: ItemFault['severity'] = 'error',
  ): Identity => ({
    type: 'fault',
    path,
    fault: { severity, field: path.join('.'), value: given, reason, message },
  });

  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return fault(
      'NotAnObject',
      [],
      'the document is not a Kubernetes object (a mapping with apiVersion, kind, metadata)',
    );
  }
  const { apiVersion, kind, metadata, items } = value as Record<string, unknown>;
  if (typeof kind !== 'string' || kind === '') return fault('NotAnObject', ['kind'], 'kind is missing');
  if (kind.endsWith('List') && Array.isArray(items)) return { type: 'list', items };
  const ours = typeof apiVersion === 'string' && apiVersion.startsWith('novaedge.io/');
  if (!isKind(kind)) {
    const known = KINDS.filter((name) => ours === (KIND_DEFINITIONS[name].apiVersion === API_VERSION));
    const hint = didYouMean(kind, ours ? known : KINDS);
    return hint !== '' || ours
      ? fault('UnknownKind', ['kind'], `there is no kind ${kind}${hint}`, kind)
      : fault('UnknownKind', ['kind'], `objects of kind ${kind} are not used`, kind, 'warning');
  }
  const expected = KIND_DEFINITIONS[kind].apiVersion;
  if (apiVersion !== expected) {
    const given = typeof apiVersion === 'string' ? apiVersion : '';
    return fault('UnsupportedVersion', ['apiVersion'], `${kind} must have apiVersion ${expected}`, given);
  }
  const { name, namespace } = (typeof metadata === 'object' && metadata !== null ? metadata : {}) as Record<
    string,
    unknown
  >;
  if (typeof name !== 'string' || name === '') {
    return fault(
      'NotAnObject',
      ['metadata', 'name'],
      `the ${kind} has no name (a string under metadata.name)`,
    );
  }
  const place = typeof namespace === 'string' && namespace !== '' ? namespace : 'default';
  return { type: 'object', ref: { kind, namespace: place, name } };
}
