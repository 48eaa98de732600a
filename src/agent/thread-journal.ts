import type { JournalTrouble } from '../../supervisors/journal.ts';
import { Journal } from '../../supervisors/journal.ts';
import type { JournalSink } from '../../supervisors/record.ts';
import type { ActorSystem } from '../../supervisors/system.ts';
import { checksum, openJournalFile } from '../os/journal-file.ts';
import { productionWorld } from './effects/world.ts';

/** Of one journal file of a thread, and of all files of a thread together; more with very many actors. */
const FILE_BYTES = 4 * 1024 * 1024;
const TOTAL_BYTES = 32 * 1024 * 1024;

export interface ThreadJournal extends JournalSink {
  flush(): void;
}

export interface ThreadJournalOptions {
  /** Null: none is written. */
  readonly directory: string | null;
  readonly thread: string;
  /** Whose actors it is. */
  readonly system: () => ActorSystem;
  readonly onTrouble: (trouble: JournalTrouble) => void;
}

/** The journal of this thread's actors, in the agent's data directory. */
export function openThreadJournal({
  directory,
  thread,
  system,
  onTrouble,
}: ThreadJournalOptions): ThreadJournal {
  if (directory === null) return { run: 0, part: 0, beforeEvent() {}, append() {}, flush() {} };
  return new Journal({
    writer: openJournalFile({ directory, thread, fileBytes: FILE_BYTES, totalBytes: TOTAL_BYTES }),
    checksum,
    now: productionWorld.now,
    after: productionWorld.after,
    checkpoint: (most) => system().checkpoint(most),
    onTrouble,
  });
}
