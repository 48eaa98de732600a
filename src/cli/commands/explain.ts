import { existsSync } from 'node:fs';
import { type Command, InvalidArgumentError } from 'commander';
import type { JournalRecord } from '../../../supervisors/record.ts';
import { recordId } from '../../../supervisors/record.ts';
import { describeCommand, type Run } from '../command.ts';
import { CommandFailure, didYouMean, EXIT } from '../failure.ts';
import { plural, printStructured, printTable, shortList } from '../print.ts';
import { eventDetails, eventText } from '../replay/event-text.ts';
import { type Explanation, explainEvent, explain as explainSubject } from '../replay/explain.ts';
import type { MergedJournal } from '../replay/journal-reader.ts';
import { recordNode } from '../replay/merge.ts';
import { MOMENT_FORMS } from '../replay/moment.ts';
import { clock, openJournals, upTo } from '../replay/open.ts';
import {
  findEvents,
  findSubject,
  keysIn,
  type Subject,
  shownAddress,
  unnamedUpdates,
} from '../replay/subject.ts';
import type { Session } from '../session.ts';
import { displayWidth, visible } from '../width.ts';

interface ExplainOptions {
  readonly at?: string;
  readonly last: number;
}

/** Where an agent's data directory is looked for when none is named. */
const DEFAULT_DATA = 'data';
/** Of the table: the time, and five gaps. */
const CLOCK_AND_GAPS = 27;

export function explain(run: Run): Command {
  return describeCommand(
    'explain',
    'The events that led something to where it is, oldest first, with their causes across threads, from a journal. Needs no server.',
    [
      ['novactl explain listener/default/edge/http data', 'why a listener is as it is, on every worker'],
      [
        'novactl explain 10.0.0.1:8080 --at 2026-11-20T10:45:54Z data',
        'why an endpoint was passed over then',
      ],
      ['novactl explain route/default/app data', 'which change brought a route, and what came of it'],
      ['novactl explain dataplane-1 data', 'why a worker was replaced'],
      [
        'novactl explain main.1:18 data',
        'what led to an event that a status or the log names, and what came of it',
      ],
    ],
  )
    .argument(
      '<what>',
      'an actor, listener, gateway, backend, endpoint, route, worker: its name, or the end of it; or an event by its id',
    )
    .argument(
      '[file...]',
      `journal files, or directories of them (default: NOVAEDGE_DATA, or ./${DEFAULT_DATA})`,
    )
    .option('--at <moment>', `as it stood then: ${MOMENT_FORMS}`)
    .option(
      '--last <n>',
      'how many of its own last events; of one event, how many that came of it',
      wholeNumber,
      10,
    )
    .action((what: string, paths: string[], options: ExplainOptions, command: Command) =>
      run(command, (session) => explainWhat(session, what, paths, options)),
    );
}

async function explainWhat(
  session: Session,
  what: string,
  paths: readonly string[],
  options: ExplainOptions,
): Promise<void> {
  const journal = await openJournals(paths.length > 0 ? paths : [defaultData(session)]);
  const records = upTo(journal.records, '--at', options.at);
  const events = findEvents(records, what);
  if (events !== null) {
    explainOne(session, records, oneEvent(records, events, what), options);
    noteDamage(session, journal);
    return;
  }
  const subject = find(records, what);
  const explanation = explainSubject(records, subject, options.last);
  const { standing, chain, earlier, lost } = explanation;
  if (
    printStructured(session, { subject: subject.name, standing, earlier, lost, chain: chain.map(structured) })
  )
    return;
  printStanding(session, subject, explanation);
  printChain(session, chain, (record) => subject.actors.has(record.actor), subject.key);
  if (earlier > 0)
    session.note(`${plural(earlier, 'earlier event')} of it: --last ${earlier + options.last} shows them`);
  noteLost(session, lost);
  if (subject.actors.size === 0) noteUnnamed(session, records, subject.key);
  noteDamage(session, journal);
}

function explainOne(
  session: Session,
  records: readonly JournalRecord[],
  event: JournalRecord,
  { last }: ExplainOptions,
): void {
  const { chain, later, lost } = explainEvent(records, event, last);
  const id = recordId(event);
  if (printStructured(session, { event: structured(event), later, lost, chain: chain.map(structured) }))
    return;
  const came = `${event.state ?? '-'} (${outcomeText(event)})`;
  session.print(
    `${session.paint('strong', id)}, ${shownAddress(event.actor)}: ${event.event.type}, ${came}\n`,
  );
  for (const [name, text] of eventDetails(event.event)) session.print(`  ${name}: ${text}\n`);
  session.print('\n');
  printChain(session, chain, (record) => record === event);
  if (later > 0) session.note(`${plural(later, 'more event')} came of it: --last ${last + later} shows them`);
  noteLost(session, lost);
}

function oneEvent(
  records: readonly JournalRecord[],
  events: readonly JournalRecord[],
  what: string,
): JournalRecord {
  const [event] = events;
  if (event === undefined) {
    const life = what.slice(0, what.lastIndexOf(':')).replace(/^.*[( /]/, '');
    const numbers = records.flatMap((record) =>
      recordId(record).startsWith(`${life}:`) ? [record.seq] : [],
    );
    const [first, end] = [numbers[0], numbers.at(-1)];
    throw new CommandFailure(
      EXIT.failure,
      `there is no event ${what} in the journal: of ${life} it has ${first} to ${end}`,
    );
  }
  if (events.length === 1) return event;
  const names = events.map((one) => `${recordNode(one)}/${recordId(one)}`);
  throw new CommandFailure(EXIT.usage, `${what} can be ${names.join(', ')}; which one?`);
}

function printChain(
  session: Session,
  chain: readonly JournalRecord[],
  marked: (record: JournalRecord) => boolean,
  key = '',
): void {
  const rows = chain.map((record) => ({
    record,
    actor: { text: shownAddress(record.actor), tone: marked(record) ? 'strong' : 'plain' } as const,
    event: eventText(record.event, key),
    reason: { text: outcomeText(record), tone: tone(record) },
  }));
  const widest = (of: (row: (typeof rows)[number]) => string) =>
    Math.max(0, ...rows.map((row) => displayWidth(of(row))));
  const width =
    widest(({ record }) => recordId(record)) +
    widest(({ actor }) => actor.text) +
    widest(({ event }) => event) +
    widest(({ record }) => record.state ?? '-') +
    widest(({ reason }) => reason.text);
  if (session.columns !== undefined && width + CLOCK_AND_GAPS > session.columns) {
    // Two lines each, where one would be broken anywhere.
    for (const { record, actor, event, reason } of rows) {
      const address = session.paint(actor.tone, actor.text);
      session.print(`${clock(record.wall)}  ${recordId(record)}  ${address}\n`);
      const state = `${record.state ?? '-'} (${session.paint(reason.tone, reason.text)})`;
      session.print(`  ${event} ${session.glyphs.arrow} ${state}\n`);
    }
    return;
  }
  printTable(
    session,
    ['TIME', 'ID', 'ACTOR', 'EVENT', 'STATE', 'REASON'].map((title) => ({ title })),
    rows.map(({ record, actor, event, reason }) => [
      clock(record.wall),
      recordId(record),
      actor,
      event,
      record.state ?? '-',
      reason,
    ]),
  );
}

function outcomeText({ reason, outcome }: JournalRecord): string {
  return reason ?? outcome ?? 'never ended';
}

function noteLost(session: Session, lost: number): void {
  if (lost > 0) session.note(`${plural(lost, 'cause')} not in this journal`);
}

function noteDamage(session: Session, { damage }: MergedJournal): void {
  if (damage.length > 0)
    session.note(`${plural(damage.length, 'damaged line')} left out: novactl replay names them`);
}

/** What lives in the configuration alone may have been changed by updates that do not name it. */
function noteUnnamed(session: Session, records: readonly JournalRecord[], key: string): void {
  const text = unnamedText(records.filter(({ event }) => !keysIn(event).includes(key)));
  if (text !== '') session.note(`also perhaps in ${text}`);
}

function unnamedText(records: readonly JournalRecord[]): string {
  const large = unnamedUpdates(records);
  if (large.length === 0) return '';
  const ids = shortList(large.map(recordId), 4, ', ');
  return `${plural(large.length, 'large update')}, which ${large.length === 1 ? 'names' : 'name'} only the first of their objects: ${ids}`;
}

function find(records: readonly JournalRecord[], what: string): Subject {
  const found = findSubject(records, what);
  if (found.type === 'one') return found.subject;
  if (found.type === 'many')
    throw new CommandFailure(EXIT.usage, `${what} can be ${found.names.join(', ')}; which one?`);
  const kind = what.slice(0, what.indexOf('/') + 1);
  const alike = found.all.filter((name) => kind !== '' && name.startsWith(kind));
  const hint =
    found.nearest.length > 0
      ? didYouMean(found.nearest)
      : `; there is ${shortList(alike.length > 0 ? alike : found.all, 12, ', ')}`;
  const unnamed = unnamedText(records);
  const perhaps = unnamed === '' ? '' : `. It may be in ${unnamed}`;
  throw new CommandFailure(EXIT.failure, `the journal does not name ${what}${hint}${perhaps}`);
}

function defaultData(session: Session): string {
  const named = session.terminal.env.NOVAEDGE_DATA ?? '';
  if (named !== '') return named;
  if (existsSync(DEFAULT_DATA)) return DEFAULT_DATA;
  throw new CommandFailure(
    EXIT.usage,
    `no journal named, no NOVAEDGE_DATA, and no directory ./${DEFAULT_DATA}: name the agent's --data directory`,
  );
}

function printStanding(session: Session, subject: Subject, { standing, chain }: Explanation): void {
  for (const { address, state, reason, since } of standing)
    session.print(
      `${session.paint('strong', shownAddress(address))}: ${state} since ${new Date(since).toISOString()} (${visible(reason)})\n`,
    );
  if (standing.length === 0 && chain.length > 0)
    session.print(`${session.paint('strong', subject.name)} has no actor of its own; what names it:\n`);
  session.print('\n');
}

function structured(record: JournalRecord) {
  const { wall, actor, from, cause, event, state, reason, outcome, effects } = record;
  const time = new Date(wall).toISOString();
  return { id: recordId(record), time, actor, from, cause, event, state, reason, outcome, effects };
}

function tone(record: JournalRecord): 'plain' | 'bad' {
  return record.outcome === 'taken' || record.outcome === 'ignored' ? 'plain' : 'bad';
}

function wholeNumber(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1)
    throw new InvalidArgumentError('It is not a whole number from 1.');
  return value;
}
