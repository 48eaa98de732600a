import type { Behavior } from '../../../supervisors/behavior.ts';
import type { JournalRecord, JournalSlice } from '../../../supervisors/record.ts';
import { RECORD_VERSION, recordId } from '../../../supervisors/record.ts';
import { recordNode, recordThread } from './merge.ts';
import { Replayer } from './replayer.ts';

export interface SliceOptions {
  /** How many of the records lie before it, and up to where it goes. */
  readonly from: number;
  readonly to: number;
  /** Whether the actor is wanted. */
  readonly wanted: (address: string) => boolean;
}

/**
 * A part of a journal that replays by itself: for each thread a head and checkpoints of its actors as they were
 * where the part begins, then its records, with the numbers that they have in the whole.
 * @throws where the whole does not replay up to there: its actors would not be what they were
 */
export function slice(
  records: readonly JournalRecord[],
  behaviors: Readonly<Record<string, Behavior>>,
  { from, to, wanted }: SliceOptions,
): JournalRecord[] {
  const replayer = new Replayer(behaviors);
  for (const record of records.slice(0, from)) replayer.feed(record);
  const [difference] = replayer.differences;
  if (difference !== undefined)
    throw new Error(`the journal does not replay up to there: event ${difference.id} differs`);
  const checkpoints = replayer.checkpoints().filter(({ actor }) => wanted(actor));
  const body = records.slice(from, to).filter(({ actor }) => wanted(actor));
  const kept = [...checkpoints, ...body];
  const actors = [...new Set(kept.map(({ actor }) => actor))].sort();
  const all = records.slice(from, to).every(({ actor }) => wanted(actor));
  const event: JournalSlice = {
    type: 'journal.slice',
    from: records[from] === undefined ? '' : recordId(records[from]),
    to: records[to - 1] === undefined ? '' : recordId(records[to - 1]!),
    actors: all ? [] : actors,
  };
  const heads = [...Map.groupBy(kept, recordThread).values()].map(([first]) => head(first!, event));
  return [...heads, ...kept];
}

function head(first: JournalRecord, event: JournalSlice): JournalRecord {
  const actor = `${recordNode(first)}/${first.thread}/journal`;
  const { run, mono, wall, thread } = first;
  const seq = Math.min(first.seq, 0) - 1;
  return {
    ...{ v: RECORD_VERSION, run, seq, mono, wall, thread, actor, from: actor, cause: '', event },
    ...{ state: 'cut', reason: 'cut', outcome: 'taken', effects: [] },
  };
}
