import { existsSync } from 'node:fs';
import { type Command, InvalidArgumentError } from 'commander';
import type { JournalRecord } from '../../../supervisors/record.ts';
import { recordId } from '../../../supervisors/record.ts';
import { describeCommand, type Run } from '../command.ts';
import { CommandFailure, didYouMean, EXIT } from '../failure.ts';
import { plural, printStructured, printTable, shortList } from '../print.ts';
import { type Explanation, explain as explainSubject } from '../replay/explain.ts';
import { MOMENT_FORMS } from '../replay/moment.ts';
import { clock, openJournals, upTo } from '../replay/open.ts';
import { findSubject, type Subject, shownAddress } from '../replay/subject.ts';
import type { Session } from '../session.ts';

interface ExplainOptions {
  readonly at?: string;
  readonly last: number;
}

/** Where an agent's data directory is looked for when none is named. */
const DEFAULT_DATA = 'data';
const EVENT_TEXT = 72;

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
    ],
  )
    .argument(
      '<what>',
      'an actor, listener, gateway, backend, endpoint, route, worker: its name, or the end of it',
    )
    .argument(
      '[file...]',
      `journal files, or directories of them (default: NOVAEDGE_DATA, or ./${DEFAULT_DATA})`,
    )
    .option('--at <moment>', `as it stood then: ${MOMENT_FORMS}`)
    .option('--last <n>', 'how many of its own last events', wholeNumber, 10)
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
  const subject = find(records, what);
  const explanation = explainSubject(records, subject, options.last);
  const { standing, chain, earlier, lost } = explanation;
  if (
    printStructured(session, { subject: subject.name, standing, earlier, lost, chain: chain.map(structured) })
  )
    return;
  printStanding(session, subject, explanation);
  printTable(
    session,
    [
      { title: 'TIME' },
      { title: 'ID' },
      { title: 'ACTOR' },
      { title: 'EVENT' },
      { title: 'STATE' },
      { title: 'REASON' },
    ],
    chain.map((record) => [
      clock(record.wall),
      recordId(record),
      { text: shownAddress(record.actor), tone: isOwn(record, subject) ? 'strong' : 'plain' },
      eventText(record),
      record.state ?? '-',
      { text: record.reason ?? record.outcome ?? 'never ended', tone: tone(record) },
    ]),
  );
  if (earlier > 0)
    session.note(`${plural(earlier, 'earlier event')} of it: --last ${earlier + options.last} shows them`);
  if (lost > 0) session.note(`${plural(lost, 'cause')} not in this journal`);
  if (journal.damage.length > 0)
    session.note(`${plural(journal.damage.length, 'damaged line')} left out: novactl replay names them`);
}

function find(records: readonly JournalRecord[], what: string): Subject {
  const found = findSubject(records, what);
  if (found.type === 'one') return found.subject;
  if (found.type === 'many')
    throw new CommandFailure(EXIT.usage, `${what} can be ${found.names.join(', ')}; which one?`);
  const hint =
    found.nearest.length > 0 ? didYouMean(found.nearest) : `; there is ${shortList(found.all, 12, ', ')}`;
  throw new CommandFailure(EXIT.failure, `${what} is not in the journal at that time${hint}`);
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
      `${session.paint('strong', shownAddress(address))}: ${state} since ${new Date(since).toISOString()} (${reason})\n`,
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

function isOwn(record: JournalRecord, subject: Subject): boolean {
  return subject.actors.has(record.actor);
}

function tone(record: JournalRecord): 'plain' | 'bad' {
  return record.outcome === 'taken' || record.outcome === 'ignored' ? 'plain' : 'bad';
}

/** `endpoint.failing 10.0.0.1:80 connect_refused 3`: the type and what is short enough of its fields. */
function eventText({ event }: JournalRecord): string {
  const { type, ...fields } = event as unknown as Readonly<Record<string, unknown>>;
  const parts = Object.entries(fields).flatMap(([name, value]) => fieldText(name, value));
  const text = [type, ...parts].join(' ');
  return text.length > EVENT_TEXT ? `${text.slice(0, EVENT_TEXT - 1)}…` : text;
}

/** Numbers of the world that explain nothing. */
const SILENT: ReadonlySet<string> = new Set([
  'at',
  'draw',
  'base',
  'bytes',
  'parent',
  'kind',
  'input',
  'cluster',
]);

function fieldText(name: string, value: unknown): string[] {
  if (SILENT.has(name) || value === '') return [];
  if (name === 'version' && typeof value === 'string') return [value.slice(0, 12)];
  if (typeof value === 'string') return [value.length > 40 ? `${value.slice(0, 39)}…` : value];
  if (typeof value === 'number' || value === true) return [`${name}=${value}`];
  if (name === 'keys' && Array.isArray(value)) return [shortList(value.map(String), 2)];
  if (!Array.isArray(value) || value.length === 0) return [];
  const [first] = value as readonly {
    readonly key?: unknown;
    readonly reason?: unknown;
    readonly child?: unknown;
  }[];
  if (first?.key !== undefined) return [`${first.key} ${String(first.reason)}${more(value)}`];
  return first?.child === undefined ? [] : [`${shownAddress(String(first.child))}${more(value)}`];
}

function more(list: readonly unknown[]): string {
  return list.length > 1 ? ` +${list.length - 1}` : '';
}

function wholeNumber(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1)
    throw new InvalidArgumentError('It is not a whole number from 1.');
  return value;
}
