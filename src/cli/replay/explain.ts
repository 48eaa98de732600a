import { culprit } from '../../../actors/rollout-memory.ts';
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
  const chosen = new Set<JournalRecord>();
  const quiet: JournalRecord[] = [];
  const standing: Standing[] = [];
  let earlier = 0;
  for (const address of [...subject.actors].sort()) {
    const life = lastLife(records, address);
    const own = life.filter((record) => did(record) && concerns(record, subject));
    const end = subject.endpoint === '' ? endOf(records, life) : undefined;
    const state = subject.endpoint === '' ? standingOf(address, life, end) : endpointStanding(address, own);
    if (state !== null) standing.push(state);
    if (end !== undefined) chosen.add(end);
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
    if (end === undefined) continue;
    // How a round went that did no harm to it explains nothing.
    if (keysIn(end.event).includes(subject.key)) chosen.add(end);
    else quiet.push(end);
  }
  earlier += Math.max(0, mentions.length - most);
  const { all, lost } = withCauses(records, chosen);
  const shown = new Set([...all, ...quiet]);
  return { standing, chain: records.filter((record) => shown.has(record)), earlier, lost };
}

export interface EventExplanation {
  /** Its causes, itself, and what came of it, oldest first. */
  readonly chain: readonly JournalRecord[];
  /** More of what came of it than is shown. */
  readonly later: number;
  readonly lost: number;
}

/** Why something happened, and the first `most` events that it led to. */
export function explainEvent(
  records: readonly JournalRecord[],
  event: JournalRecord,
  most: number,
): EventExplanation {
  const { all, lost } = withCauses(records, new Set([event]));
  const led = new Set([idOf(event)]);
  const later = records.filter((record) => {
    const follows = led.has(causeId(record)) && !all.has(record);
    if (follows) led.add(idOf(record));
    return follows;
  });
  const shown = new Set([...all, ...later.slice(0, most)]);
  return {
    chain: records.filter((record) => shown.has(record)),
    later: Math.max(0, later.length - most),
    lost,
  };
}

function idOf(record: JournalRecord): string {
  return `${recordNode(record)}/${recordId(record)}`;
}

function causeId(record: JournalRecord): string {
  return `${recordNode(record)}/${record.cause}`;
}

/** Events since the actor was last started, or since the journal begins. */
function lastLife(records: readonly JournalRecord[], address: ActorAddress): JournalRecord[] {
  const own = records.filter((record) => record.actor === address);
  const start = own.findLastIndex((record) => record.event.type === 'actor.start');
  return start === -1 ? own : own.slice(start);
}

/**
 * How its life ended: what its supervisor made of that, or how its thread ended, which takes along all that live on it.
 * Undefined: it lives, or ended as it should.
 */
function endOf(records: readonly JournalRecord[], life: readonly JournalRecord[]): JournalRecord | undefined {
  const last = life.at(-1);
  if (last === undefined) return undefined;
  const node = recordNode(last);
  const owner = `${node}/main/${last.thread.replace(/^dataplane-/, 'dataplane-worker/')}`;
  const after = records.slice(records.indexOf(last) + 1);
  const end = after.find(({ actor, event }) =>
    event.type === 'child.exited'
      ? (event as { child?: unknown }).child === last.actor
      : actor === owner && last.actor !== owner && event.type === 'worker.exited',
  );
  return (end?.event as { outcome?: unknown } | undefined)?.outcome === 'normal' ? undefined : end;
}

/** By what a supervisor decided, as `novactl actors` says it. */
const ABSENT: Readonly<Record<string, string>> = {
  child_isolated: 'given_up',
  child_failed: 'restart_waits',
};

function standingOf(
  address: ActorAddress,
  life: readonly JournalRecord[],
  end: JournalRecord | undefined,
): Standing | null {
  if (end !== undefined) {
    const thread = end.event.type === 'worker.exited';
    const state = thread ? 'gone with its thread' : ABSENT[end.reason ?? ''];
    const { message, reason } = end.event as { message?: unknown; reason?: unknown };
    if (state !== undefined)
      return { address, state, reason: String(message ?? reason ?? ''), since: end.wall };
  }
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
  records: readonly JournalRecord[],
  chosen: ReadonlySet<JournalRecord>,
): { readonly all: ReadonlySet<JournalRecord>; readonly lost: number } {
  const byId = new Map(records.map((record) => [idOf(record), record]));
  const implied = impliedCauses(records);
  const all = new Set<JournalRecord>();
  const unknown = new Set<string>();
  const open = [...chosen];
  for (let record = open.pop(); record !== undefined; record = open.pop()) {
    if (all.has(record)) continue;
    all.add(record);
    const cause = implied.get(record) ?? byId.get(causeId(record));
    if (cause !== undefined) open.push(cause);
    else if (record.cause !== '') unknown.add(causeId(record));
  }
  return { all, lost: unknown.size };
}

/**
 * Causes that the journal does not name, by their effects. Why there was a round is what staged its changes, and not the
 * answer after which there was time for it; which it is where nothing has been staged since the round before. And a
 * worker that ended over an object was asked by the rollout to take it.
 */
function impliedCauses(records: readonly JournalRecord[]): ReadonlyMap<JournalRecord, JournalRecord> {
  const found = new Map<JournalRecord, JournalRecord>();
  const staged = new Map<ActorAddress, JournalRecord>();
  const asked = new Map<string, JournalRecord>();
  for (const record of records) {
    const { actor, cause, event, effects } = record;
    if (event.type === 'changes.staged') staged.set(actor, record);
    if (effects?.some((effect) => ASKING.has(effect)) === true) asked.set(recordNode(record), record);
    const { doing } = event as { doing?: unknown };
    if (cause === '' && typeof doing === 'string' && culprit(doing) !== null) {
      const asking = asked.get(recordNode(record));
      if (asking !== undefined) found.set(record, asking);
    }
    if (effects?.includes('takeChanges') !== true) continue;
    const staging = staged.get(actor);
    if (staging !== undefined && staging !== record) found.set(record, staging);
    staged.delete(actor);
  }
  return found;
}

/** Effects with which a rollout asks workers to take objects. */
const ASKING: ReadonlySet<string> = new Set(['prepareWorkers', 'commitWorkers', 'fitWorkers', 'loadWorkers']);
