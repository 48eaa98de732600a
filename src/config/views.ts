import type { ObjectView } from '../model/configuration.ts';
import type { Condition, ConditionType, Problem } from '../model/object.ts';
import type { ResourceKey } from '../model/resource.ts';
import type { Entry } from './collection.ts';
import type { Finding, KeyedResource, Verdict } from './graph/finding.ts';
import { fieldText } from './parse/field-path.ts';
import type { Definition, ItemFault, Manifest } from './parse/parse-item.ts';
import type { Issue } from './validate/issue.ts';

/** Lines of this many problems are looked up to the field; of the others the line of the object must do. */
const EXACT_LINES = 200;

/** How many exact lines one build may still look up. */
export interface LineBudget {
  left: number;
}

export const lineBudget = (): LineBudget => ({ left: EXACT_LINES });

export function itemProblem(file: string, fault: ItemFault): Problem {
  const { severity, line, field, value, reason, message } = fault;
  return { severity, file, line, object: null, field, value, reason, message, lastGoodServes: false };
}

/** What a user is told of one object. */
export function viewOf(
  entry: Entry,
  finding: Finding,
  before: ObjectView | null,
  now: number,
  budget: LineBudget,
): ObjectView {
  const { definition } = entry;
  const problems = [
    ...lostProblems(entry),
    ...entry.issues.map((issue) => issueProblem(issue, definition, entry.lastGoodServes, budget)),
    ...finding.issues.map((issue) => issueProblem(issue, definition, false, budget)),
    ...entry.duplicates.map((duplicate) => duplicateProblem(duplicate, definition, budget)),
  ];
  return {
    object: definition.ref,
    manifest: shownManifest(definition),
    conditions: conditionsOf(entry, finding, before?.conditions ?? [], now),
    problems,
    resources: keysOf(finding.resources, finding.uses),
  };
}

function issueProblem(
  issue: Issue,
  definition: Definition,
  lastGoodServes: boolean,
  budget: LineBudget,
): Problem {
  const { severity, path, value, reason, message } = issue;
  return {
    severity,
    file: definition.file,
    line: lineOf(definition, path, budget),
    object: definition.ref,
    field: fieldText(path),
    value,
    reason,
    message,
    lastGoodServes: lastGoodServes && severity === 'error',
  };
}

function lineOf(definition: Definition, path: Issue['path'], budget: LineBudget): number {
  budget.left -= 1;
  return definition.line(path, budget.left >= 0);
}

function lostProblems({ definition, lastGoodServes }: Entry): Problem[] {
  if (definition.lost === null) return [];
  return [{ ...itemProblem(definition.file, definition.lost), object: definition.ref, lastGoodServes }];
}

function duplicateProblem(duplicate: Definition, winner: Definition, budget: LineBudget): Problem {
  const place =
    winner.line([], true) === 0 ? winner.file : `${winner.file}:${lineOf(winner, ['kind'], budget)}`;
  return {
    severity: 'error',
    file: duplicate.file,
    line: lineOf(duplicate, ['metadata', 'name'], budget),
    object: duplicate.ref,
    field: 'metadata.name',
    value: JSON.stringify(duplicate.ref.name),
    reason: 'DuplicateObject',
    message: `is defined in ${place} already, which is used; this definition is not`,
    lastGoodServes: false,
  };
}

function conditionsOf(
  entry: Entry,
  finding: Finding,
  before: readonly Condition[],
  now: number,
): readonly Condition[] {
  const made = [
    condition('Accepted', acceptance(entry, finding), entry, before, now),
    condition('ResolvedRefs', references(entry, finding), entry, before, now),
  ];
  const same = made.length === before.length && made.every((one, index) => one === before[index]);
  return same ? before : made;
}

type AnyVerdict = Omit<Verdict, 'status'> & { readonly status: Condition['status'] };

function acceptance(entry: Entry, finding: Finding): AnyVerdict {
  const { lost } = entry.definition;
  const first = lost ?? entry.issues.find((issue) => issue.severity === 'error');
  if (first === undefined) return finding.accepted;
  const field = 'path' in first ? fieldText(first.path) : first.field;
  const tail = entry.lastGoodServes ? '; the last good version serves on' : '';
  return {
    status: 'False',
    reason: first.reason,
    message: `${field === '' ? '' : `${field}: `}${first.message}${tail}`,
  };
}

function references(entry: Entry, finding: Finding): AnyVerdict {
  const refused = entry.issues.find((issue) => issue.reason === 'RefNotPermitted');
  if (refused !== undefined) return { status: 'False', reason: 'RefNotPermitted', message: refused.message };
  if (entry.object === null)
    return { status: 'Unknown', reason: 'Refused', message: 'the object itself was refused' };
  return finding.resolvedRefs;
}

/** The condition of before, if nothing but time has passed; its time stays as long as its status does (metav1.Condition). */
function condition(
  type: ConditionType,
  verdict: AnyVerdict,
  entry: Entry,
  before: readonly Condition[],
  now: number,
): Condition {
  const last = before.find((one) => one.type === type);
  const { metadata } = entry.definition.manifest as { metadata?: { generation?: unknown } };
  const generation = typeof metadata?.generation === 'number' ? metadata.generation : 0;
  if (
    last !== undefined &&
    last.status === verdict.status &&
    last.reason === verdict.reason &&
    last.message === verdict.message &&
    last.observedGeneration === generation
  ) {
    return last;
  }
  return {
    type,
    ...verdict,
    observedGeneration: generation,
    lastTransitionTime:
      last?.status === verdict.status ? last.lastTransitionTime : new Date(now).toISOString(),
  };
}

const keys = new WeakMap<readonly KeyedResource[], readonly ResourceKey[]>();

function keysOf(
  resources: readonly KeyedResource[],
  uses: readonly ResourceKey[] = [],
): readonly ResourceKey[] {
  const known = keys.get(resources);
  if (known !== undefined) return known;
  const made = [...resources.map((resource) => resource.key), ...uses];
  keys.set(resources, made);
  return made;
}

const LAST_APPLIED = 'kubectl.kubernetes.io/last-applied-configuration';
const shown = new WeakMap<Manifest, Manifest>();

/** A Secret without what is secret. */
function shownManifest({ kind, manifest }: Definition): Manifest {
  if (kind !== 'Secret') return manifest;
  const known = shown.get(manifest);
  if (known !== undefined) return known;
  const made: Record<string, unknown> = {};
  for (const [name, field] of Object.entries(manifest)) {
    // Whatever else stands in a Secret is no more anyone's business.
    made[name] = ['apiVersion', 'kind', 'type', 'immutable'].includes(name)
      ? field
      : name === 'metadata'
        ? withoutLastApplied(field)
        : redacted(field);
  }
  shown.set(manifest, made);
  return made;
}

function redacted(field: unknown): unknown {
  if (typeof field !== 'object' || field === null || Array.isArray(field)) return '<redacted>';
  return Object.fromEntries(Object.keys(field).map((name) => [name, '<redacted>']));
}

function withoutLastApplied(metadata: unknown): unknown {
  if (typeof metadata !== 'object' || metadata === null) return metadata;
  const { annotations } = metadata as { annotations?: unknown };
  if (typeof annotations !== 'object' || annotations === null || !(LAST_APPLIED in annotations))
    return metadata;
  return { ...metadata, annotations: { ...annotations, [LAST_APPLIED]: '<redacted>' } };
}
