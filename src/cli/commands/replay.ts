import type { Command } from 'commander';
import type { Behavior } from '../../../supervisors/behavior.ts';
import type { JournalRecord } from '../../../supervisors/record.ts';
import { recordId } from '../../../supervisors/record.ts';
import { describeCommand, type Run } from '../command.ts';
import { CommandFailure, EXIT } from '../failure.ts';
import { plural, printStructured, printTable, shortList } from '../print.ts';
import type { MergedJournal } from '../replay/journal-reader.ts';
import { MOMENT_FORMS } from '../replay/moment.ts';
import { clock, openJournals, upTo } from '../replay/open.ts';
import { type Difference, type ReplayedActor, Replayer } from '../replay/replayer.ts';
import type { Session } from '../session.ts';

interface ReplayOptions {
  readonly until?: string;
  readonly actor?: string;
}

export function replay(run: Run): Command {
  return describeCommand(
    'replay',
    'Run the events of a journal through the actors again and compare every transition. Needs no server; exit code 1 where one differs.',
    [
      ['novactl replay data/journal', 'all threads of an agent'],
      ['novactl replay --until main.1:120 data/journal', 'as it stood after that event'],
      ['novactl replay --actor listener/default/edge/http data', 'what happened to these actors'],
    ],
  )
    .argument('<file...>', 'journal files, or directories of them')
    .option('--until <moment>', `stop there: ${MOMENT_FORMS}`)
    .option('--actor <path>', 'show only actors whose address has this path in it, with their events')
    .action((paths: string[], options: ReplayOptions, command: Command) =>
      run(command, (session) => replayPaths(session, paths, options)),
    );
}

async function replayPaths(
  session: Session,
  paths: readonly string[],
  options: ReplayOptions,
): Promise<void> {
  const journal = await openJournals(paths);
  const records = upTo(journal.records, '--until', options.until);
  const replayer = new Replayer(await productionBehaviors());
  for (const record of records) replayer.feed(record);
  const wanted = (address: string) =>
    options.actor === undefined || `/${address}/`.includes(`/${trimmed(options.actor)}/`);
  const actors = replayer.actors().filter(({ address }) => wanted(address));
  const [difference] = replayer.differences;
  const counts = {
    files: journal.files.length,
    records: records.length,
    compared: replayer.compared,
    uncompared: replayer.uncompared,
    older: replayer.older,
    missing: replayer.missing,
    unfinished: replayer.unfinished,
  };
  const gaps = replayer.gaps.map(({ record, lost, reason }) => ({ id: recordId(record), lost, reason }));
  const structured = { ...counts, damage: journal.damage, gaps, actors, difference: difference ?? null };
  if (!printStructured(session, structured)) {
    if (options.actor !== undefined)
      printEvents(
        session,
        records.filter(({ actor }) => wanted(actor)),
      );
    printActors(session, actors, options.actor === undefined ? 'No actor lives' : 'None of these lives');
    printRemarks(session, journal, replayer);
    if (difference !== undefined) printDifference(session, difference, replayer.differences.length - 1);
    const what = `${plural(replayer.compared, 'transition')} of ${plural(records.length, 'record')} in ${plural(journal.files.length, 'file')}`;
    session.print(
      difference === undefined
        ? `${session.paint('good', `${what} replayed: no difference`)}\n`
        : `${session.paint('bad', `${what} replayed: ${plural(replayer.differences.length, 'actor differs', 'actors differ')}`)}\n`,
    );
  }
  if (difference !== undefined) throw new CommandFailure(EXIT.failure, '');
}

/** Lazily: the machines are much to load for the other commands. */
async function productionBehaviors(): Promise<Readonly<Record<string, Behavior>>> {
  const { BEHAVIORS } = await import('../../../supervisors/behaviors.ts');
  return BEHAVIORS;
}

function trimmed(path: string): string {
  return path.replace(/^\/+|\/+$/g, '');
}

function printActors(session: Session, actors: readonly ReplayedActor[], none: string): void {
  if (actors.length === 0) {
    session.note(`${none} at that moment.`);
    return;
  }
  printTable(
    session,
    [
      { title: 'ACTOR' },
      { title: 'STATE' },
      { title: 'REASON' },
      { title: 'SINCE' },
      { title: 'EVENTS', align: 'right' },
    ],
    actors.map((actor) => [
      actor.address,
      { text: actor.state, tone: actor.differs ? 'bad' : 'plain' },
      actor.differs ? `${actor.reason} (differs)` : actor.reason,
      clock(actor.since),
      String(actor.events),
    ]),
  );
}

function printEvents(session: Session, records: readonly JournalRecord[]): void {
  if (records.length === 0) return;
  printTable(
    session,
    [
      { title: 'TIME' },
      { title: 'ID' },
      { title: 'ACTOR' },
      { title: 'EVENT' },
      { title: 'STATE' },
      { title: 'REASON', prose: true },
    ],
    records.map((record) => [
      clock(record.wall),
      recordId(record),
      record.actor.slice(record.actor.indexOf('/') + 1),
      record.event.type,
      record.state ?? '-',
      record.reason ?? record.outcome ?? 'never ended',
    ]),
  );
  session.print('\n');
}

function printRemarks(session: Session, journal: MergedJournal, replayer: Replayer): void {
  const { damage } = journal;
  if (damage.length > 0) {
    const places = damage.map(({ file, line, reason }) => `${file}:${line} ${reason}`);
    session.print(
      session.paint('warn', `${plural(damage.length, 'damaged line')}: ${shortList(places, 3, ', ')}\n`),
    );
  }
  const warn = (text: string) => session.print(session.paint('warn', `${text}\n`));
  for (const { record, lost, reason } of replayer.gaps)
    warn(`${plural(lost, 'record')} lost up to ${recordId(record)} at ${clock(record.wall)}: ${reason}`);
  if (replayer.older > 0)
    session.note(
      `${plural(replayer.older, 'older record')} no longer there: actors are known from their checkpoints on`,
    );
  if (replayer.missing > 0) warn(`${plural(replayer.missing, 'record')} missing in between`);
  if (replayer.uncompared > 0)
    warn(
      `${plural(replayer.uncompared, 'event')} not compared: neither start nor checkpoint of their actors is in the journal before`,
    );
  if (replayer.unfinished > 0)
    warn(`${plural(replayer.unfinished, 'event')} whose processing never ended: the process died there`);
}

function printDifference(session: Session, difference: Difference, more: number): void {
  const { id, record, recorded, replayed } = difference;
  session.print(
    `\n${session.paint('bad', 'first difference')}: event ${id} at ${new Date(record.wall).toISOString()}, ${record.event.type} to ${record.actor}\n`,
  );
  const row = (name: string, before: string, now: string) =>
    before === now
      ? [name, before, now]
      : [name, { text: before, tone: 'bad' as const }, { text: now, tone: 'bad' as const }];
  printTable(
    session,
    [{ title: '' }, { title: 'RECORDED' }, { title: 'REPLAYED' }],
    [
      row('state', recorded.state, replayed.state),
      row('reason', recorded.reason, replayed.reason),
      row('outcome', recorded.outcome, replayed.outcome),
      row('effects', recorded.effects.join(', ') || '-', replayed.effects.join(', ') || '-'),
    ],
  );
  if (recorded.memory !== undefined) {
    session.print(`remembered, recorded ${JSON.stringify(recorded.memory)}\n`);
    session.print(`remembered, replayed ${JSON.stringify(replayed.memory)}\n`);
  } else session.print(`${JSON.stringify(record.event)}\n`);
  if (more > 0) session.print(`and ${plural(more, 'more actor')} after it\n`);
}
