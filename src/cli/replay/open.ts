import type { JournalRecord } from '../../../supervisors/record.ts';
import { CommandFailure, EXIT } from '../failure.ts';
import { type MergedJournal, readJournals } from './journal-reader.ts';
import { MOMENT_FORMS, recordsUntil } from './moment.ts';

/** The journals that a person named. @throws CommandFailure where there are none */
export async function openJournals(paths: readonly string[]): Promise<MergedJournal> {
  const journal = await read(paths);
  if (journal.records.length === 0 && journal.damage.length === 0)
    throw new CommandFailure(EXIT.failure, `no journal in ${paths.join(', ')}`);
  return journal;
}

/** Records up to a moment as it was typed for `option`; all where none was. @throws CommandFailure where it is none */
export function upTo(
  records: readonly JournalRecord[],
  option: string,
  moment: string | undefined,
): readonly JournalRecord[] {
  if (moment === undefined) return records;
  const count = recordsUntil(records, moment);
  if (count === null)
    throw new CommandFailure(EXIT.usage, `${option} ${moment}: not in the journal, or not ${MOMENT_FORMS}`);
  return records.slice(0, count);
}

/** `10:45:54.123`, UTC. */
export function clock(wall: number): string {
  return new Date(wall).toISOString().slice(11, 23);
}

async function read(paths: readonly string[]): Promise<MergedJournal> {
  try {
    return await readJournals(paths);
  } catch (error) {
    const { code, message, path } = error as NodeJS.ErrnoException;
    const why =
      code === 'ENOENT' ? 'no such file or directory' : code === 'EACCES' ? 'permission denied' : message;
    throw new CommandFailure(EXIT.failure, `cannot read ${path ?? paths.join(', ')}: ${why}`);
  }
}
