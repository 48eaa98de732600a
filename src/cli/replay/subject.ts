import { addressKind, addressName, addressThread } from '../../../supervisors/address.ts';
import { type JournalRecord, recordId } from '../../../supervisors/record.ts';
import type { ActorAddress } from '../../model/actor.ts';
import { nearestNames } from '../../observe/nearest.ts';
import { recordNode } from './merge.ts';

/** Something that a journal can tell the story of. */
export interface Subject {
  /** As it can be typed: `listener/default/web/http`, `endpoint/default/api/10.0.0.1:80`, `dataplane-1`. */
  readonly name: string;
  /** Its actors, on whichever threads; none: it lives in the configuration alone. */
  readonly actors: ReadonlySet<ActorAddress>;
  /** Its key in configurations and failures; empty: it has none. */
  readonly key: string;
  /** Of these actors only what concerns this endpoint; empty: all. */
  readonly endpoint: string;
}

export type Found =
  | { readonly type: 'one'; readonly subject: Subject }
  /** More than one thing can be meant. */
  | { readonly type: 'many'; readonly names: readonly string[] }
  /** `nearest`, or where nothing is near, all that there is. */
  | { readonly type: 'none'; readonly nearest: readonly string[]; readonly all: readonly string[] };

const ALIASES: Readonly<Record<string, string>> = {
  backend: 'cluster',
  pool: 'upstream-pool',
  breaker: 'circuit-breaker',
  worker: 'dataplane-worker',
};

/**
 * The events that a person means by an id: `main.1:18`, also as statuses and logs write it, `(event main.1:18)`, and
 * with its node, `edge-1/main.1:18`. More than one where several nodes have it; null: it is no id of an event.
 */
export function findEvents(
  records: readonly JournalRecord[],
  typed: string,
): readonly JournalRecord[] | null {
  const [, node, id, life] = /^\(?(?:event )?(?:([^/]+)\/)?(([^/]+\.\d+):\d+)\)?$/.exec(typed.trim()) ?? [];
  // An endpoint looks the same, but no thread has its name.
  if (id === undefined || !records.some((record) => recordId(record).startsWith(`${life}:`))) return null;
  return records.filter(
    (record) => recordId(record) === id && (node === undefined || recordNode(record) === node),
  );
}

/** Finds what a person means: a whole address, kind and name, a name or the end of one, an endpoint, a thread. */
export function findSubject(records: readonly JournalRecord[], typed: string): Found {
  const text = typed.replace(/^\/+|\/+$/g, '');
  const subjects = subjectsOf(records);
  const slash = text.indexOf('/');
  const alias = slash === -1 ? undefined : ALIASES[text.slice(0, slash)];
  const kindAndName = alias === undefined ? text : `${alias}${text.slice(slash)}`;
  const exact = subjects.get(kindAndName);
  if (exact !== undefined) return { type: 'one', subject: exact };
  for (const subject of subjects.values())
    for (const address of subject.actors)
      if (address === text || address.slice(address.indexOf('/') + 1) === kindAndName)
        return { type: 'one', subject: { ...subject, name: text, actors: new Set([address]) } };
  const names = [...subjects.keys()].filter((name) => !isPart(name));
  const unqualified = (name: string) => name.slice(name.indexOf('/') + 1);
  for (const matches of [
    names.filter((name) => unqualified(name) === text),
    names.filter((name) => name.endsWith(`/${text}`)),
  ]) {
    if (matches.length === 1) return { type: 'one', subject: subjects.get(matches[0]!)! };
    if (matches.length > 1) return { type: 'many', names: matches.sort() };
  }
  const all = [...subjects.keys()].sort();
  const near = nearestNames(text, all);
  return { type: 'none', nearest: near.length > 0 ? near : nearestNames(text, all.map(unqualified)), all };
}

/** Pool and breaker of a cluster can be asked for by their kinds; the name alone means both. */
function isPart(name: string): boolean {
  return /^(upstream-pool|circuit-breaker)\//.test(name);
}

function subjectsOf(records: readonly JournalRecord[]): Map<string, Subject> {
  const subjects = new Map<
    string,
    { -readonly [Field in keyof Subject]: Subject[Field] } & { actors: Set<string> }
  >();
  const subject = (name: string, key = '', endpoint = '') => {
    let found = subjects.get(name);
    if (found === undefined) {
      found = { name, key, endpoint, actors: new Set<string>() };
      subjects.set(name, found);
    }
    return found;
  };
  for (const { actor, event } of records) {
    const kind = addressKind(actor);
    const name = addressName(actor);
    if (kind === '' || kind === 'journal' || kind === 'world') continue;
    subject(name === '' ? kind : `${kind}/${name}`, kind === 'listener' ? `listener/${name}` : '').actors.add(
      actor,
    );
    if (kind === 'dataplane-worker') subject(`dataplane-${name}`).actors.add(actor);
    if (kind === 'listener') subject(`gateway/${name.slice(0, name.lastIndexOf('/'))}`).actors.add(actor);
    if (kind === 'upstream-pool' || kind === 'circuit-breaker')
      subject(`cluster/${name}`, `cluster/${name}`).actors.add(actor);
    if (kind === 'upstream-pool') {
      const endpoint = endpointOf(event);
      if (endpoint !== '')
        subject(`endpoint/${name}/${endpoint}`, `endpoint/${name}/${endpoint}`, endpoint).actors.add(actor);
    }
    for (const key of keysIn(event)) subject(key, key, key.startsWith('endpoint/') ? lastPart(key) : '');
  }
  for (const { name, endpoint, actors } of subjects.values()) {
    if (endpoint === '' || actors.size > 0) continue;
    const cluster = name.slice('endpoint/'.length, name.length - endpoint.length - 1);
    for (const address of subjects.get(`upstream-pool/${cluster}`)?.actors ?? []) actors.add(address);
  }
  return subjects;
}

/** The endpoint that an event of a pool is about; empty: none. */
export function endpointOf(event: JournalRecord['event']): string {
  const { endpoint, timer } = event as { endpoint?: unknown; timer?: unknown };
  if (typeof endpoint === 'string') return endpoint;
  return typeof timer === 'string' && timer.startsWith('endpoint:') ? timer.slice('endpoint:'.length) : '';
}

/** Keys of configuration objects that an event names. */
export function keysIn(event: JournalRecord['event']): readonly string[] {
  const { keys, failures, standing, failure } = event as unknown as Readonly<Record<string, unknown>>;
  const failed = [...list(failures), ...list(standing), failure] as (
    | { readonly key?: unknown }
    | undefined
  )[];
  return [...list(keys), ...failed.map((one) => one?.key)].filter((key) => typeof key === 'string');
}

/** Updates that changed more objects than they name. */
export function unnamedUpdates(records: readonly JournalRecord[]): readonly JournalRecord[] {
  return records.filter(({ event }) => {
    if (event.type !== 'update.received') return false;
    const { upserts, removals, keys } = event as unknown as Readonly<Record<string, unknown>>;
    return Number(upserts) + Number(removals) > list(keys).length;
  });
}

function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

/** `dataplane-0` for an actor on that thread, to tell the same actors of several workers apart. */
export function shownAddress(address: ActorAddress): string {
  return `${addressThread(address)}/${address.split('/').slice(2).join('/')}`;
}

function lastPart(key: string): string {
  return key.slice(key.lastIndexOf('/') + 1);
}
