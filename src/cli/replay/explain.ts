import type { JournalRecord } from '../../../supervisors/record.ts';
import { recordId } from '../../../supervisors/record.ts';
import type { ActorAddress } from '../../model/actor.ts';
import { recordNode } from './merge.ts';
import type { Subject } from './subject.ts';
import { endpointOf, keysIn } from './subject.ts';

export interface Standing {
  readonly address: ActorAddress;
  /** Empty: the journal has no completed event of it. */
  readonly state: string;
  readonly reason: string;
  /** Milliseconds since the epoch, as far back as the journal goes. */
  readonly since: number;
}

export interface Explanation {
  /** How its actors stand. */
  readonly standing: readonly Standing[];
  /** What led there, oldest first: its own events, and what caused these, on whichever thread. */
  readonly chain: readonly JournalRecord[];
  /** Own events before those that are shown. */
  readonly earlier: number;
  /** Causes that are not in the journal. */
  readonly lost: number;
}

/**
 * Why something is as it is: of each of its actors' present (or last) life the start and the last `most` events that
 * did something, all that names it in changes and failures with the end of the rollout that carried it, and the
 * causes of all these.
 *
 * @param records in causal order, up to the moment that is asked about
 */
export function explain(records: readonly JournalRecord[], subject: Subject, most: number): Explanation {
  const byId = new Map(records.map((record) => [idOf(record), record]));
  const chosen = new Set<JournalRecord>();
  const standing: Standing[] = [];
  let earlier = 0;
  for (const address of [...subject.actors].sort()) {
    const life = lastLife(records, address);
    const own = life.filter((record) => did(record) && concerns(record, subject));
    const state = subject.endpoint === '' ? standingOf(address, life) : endpointStanding(address, own);
    if (state !== null) standing.push(state);
    const shown = own.slice(-most);
    const [start] = life;
    if (start !== undefined && start.event.type === 'actor.start' && subject.endpoint === '')
      chosen.add(start);
    for (const record of shown) chosen.add(record);
    earlier += own.filter((record) => !chosen.has(record)).length;
  }
  const mentions =
    subject.key === '' ? [] : records.filter(({ event }) => keysIn(event).includes(subject.key));
  for (const mention of mentions.slice(-most)) {
    chosen.add(mention);
    const end = rolloutEnd(records, mention);
    if (end !== undefined) chosen.add(end);
  }
  earlier += Math.max(0, mentions.length - most);
  const { all, lost } = withCauses(chosen, byId);
  return { standing, chain: records.filter((record) => all.has(record)), earlier, lost };
}

function idOf(record: JournalRecord): string {
  return `${recordNode(record)}/${recordId(record)}`;
}

/** Events since the actor was last started, or since the journal begins. */
function lastLife(records: readonly JournalRecord[], address: ActorAddress): JournalRecord[] {
  const own = records.filter((record) => record.actor === address);
  const start = own.findLastIndex((record) => record.event.type === 'actor.start');
  return start === -1 ? own : own.slice(start);
}

function standingOf(address: ActorAddress, life: readonly JournalRecord[]): Standing | null {
  const last = life.findLast((record) => record.state !== undefined && record.outcome !== 'unexpected');
  if (last === undefined) return null;
  let { wall: since } = last;
  for (const record of life.toReversed()) {
    if (record.state !== undefined && record.state !== last.state) break;
    const { since: before } = record.event as { since?: unknown };
    since = record.event.type === 'actor.checkpoint' && typeof before === 'number' ? before : record.wall;
  }
  return { address, state: last.state ?? '', reason: last.reason ?? '', since };
}

/** An endpoint has no machine of its own: what last happened to it says how it stands. */
function endpointStanding(address: ActorAddress, own: readonly JournalRecord[]): Standing | null {
  const last = own.at(-1);
  if (last === undefined) return null;
  return { address, state: last.reason ?? '', reason: last.event.type, since: last.wall };
}

function did(record: JournalRecord): boolean {
  return record.outcome !== 'ignored' && record.event.type !== 'actor.checkpoint';
}

function concerns(record: JournalRecord, subject: Subject): boolean {
  return subject.endpoint === '' || endpointOf(record.event) === subject.endpoint;
}

/** What the controller was told in the end of the update that names the object. */
function rolloutEnd(records: readonly JournalRecord[], mention: JournalRecord): JournalRecord | undefined {
  const { nonce } = mention.event as { nonce?: unknown };
  if (mention.event.type !== 'update.received' || typeof nonce !== 'number') return undefined;
  const from = records.indexOf(mention);
  return records.find((record, index) => {
    const { type, nonce: carried } = record.event as { type: string; nonce?: unknown };
    return (
      index > from &&
      record.actor === mention.actor &&
      type === 'rollout.finished' &&
      typeof carried === 'number' &&
      carried >= nonce
    );
  });
}

function withCauses(
  chosen: ReadonlySet<JournalRecord>,
  byId: ReadonlyMap<string, JournalRecord>,
): { readonly all: ReadonlySet<JournalRecord>; readonly lost: number } {
  const all = new Set<JournalRecord>();
  const unknown = new Set<string>();
  const open = [...chosen];
  for (let record = open.pop(); record !== undefined; record = open.pop()) {
    if (all.has(record)) continue;
    all.add(record);
    if (record.cause === '') continue;
    const id = `${recordNode(record)}/${record.cause}`;
    const cause = byId.get(id);
    if (cause === undefined) unknown.add(id);
    else open.push(cause);
  }
  return { all, lost: unknown.size };
}
