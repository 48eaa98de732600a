import type { JournalRecord } from '../../../supervisors/record.ts';
import { recordId } from '../../../supervisors/record.ts';

/** What `--until` takes, for its error message. */
export const MOMENT_FORMS =
  'an event id (main.1:17), a time (2026-11-20T10:45:54.123Z), or seconds after the first event (+1.5)';

/**
 * How many of the records lie at or before the moment; null: it is none.
 * An event id counts up to and including that event.
 */
export function recordsUntil(records: readonly JournalRecord[], moment: string): number | null {
  if (/^.+\.\d+:\d+$/.test(moment)) {
    const index = records.findIndex((record) => recordId(record) === moment);
    return index === -1 ? null : index + 1;
  }
  const after = /^\+(\d+(?:\.\d+)?)s?$/.exec(moment);
  const wall = after === null ? Date.parse(moment) : (records[0]?.wall ?? 0) + Number(after[1]) * 1_000;
  if (Number.isNaN(wall)) return null;
  const next = records.findIndex((record) => record.wall > wall);
  return next === -1 ? records.length : next;
}
