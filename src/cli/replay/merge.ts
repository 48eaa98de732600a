import type { JournalRecord } from '../../../supervisors/record.ts';
import { recordId } from '../../../supervisors/record.ts';

/** The records of one thread, in its own order, and how far they are in the merged one. */
interface Lane {
  readonly node: string;
  readonly thread: string;
  readonly records: readonly JournalRecord[];
  /** Wall time by record; never goes back, though the clock may have been set. */
  readonly times: readonly number[];
  next: number;
}

/**
 * One order for the records of several threads and runs: within a thread that of its runs and sequence numbers, never
 * an event before its cause, else by the wall clock, which the threads of a machine share. Records that are there
 * twice are taken once.
 *
 *     main        ──1──────2───────3──▶
 *                           ╲cause            clocks say 1 a 2 3 b; merged: 1 2 a 3 b
 *     dataplane-0 ────a──────b────────▶       (a's cause is 2)
 */
export function mergeRecords(records: readonly JournalRecord[]): JournalRecord[] {
  const lanes = [...Map.groupBy(records, recordThread)]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([thread, list]) => lane(thread, list));
  const waiting = new Set(
    lanes.flatMap(({ node, records: own }) => own.map((record) => `${node}/${recordId(record)}`)),
  );
  const merged: JournalRecord[] = [];
  for (;;) {
    const open = lanes.filter((one) => one.next < one.records.length);
    if (open.length === 0) return merged;
    const ready = open.filter(
      (one) => !waiting.has(`${one.node}/${one.records[one.next]!.cause}`) || causeIsOwn(one),
    );
    // Damaged journals may have causes that wait for each other: then the clock alone decides.
    const first = (ready.length > 0 ? ready : open).reduce((least, one) =>
      one.times[one.next]! < least.times[least.next]! ? one : least,
    );
    const record = first.records[first.next]!;
    merged.push(record);
    waiting.delete(`${first.node}/${recordId(record)}`);
    first.next += 1;
  }
}

/** `edge-1/dataplane-0`: threads of several nodes have the same names. */
export function recordThread(record: JournalRecord): string {
  return `${recordNode(record)}/${record.thread}`;
}

export function recordNode(record: JournalRecord): string {
  return record.actor.slice(0, record.actor.indexOf('/'));
}

function lane(name: string, list: readonly JournalRecord[]): Lane {
  const sorted = [...list].sort((a, b) => a.run - b.run || a.seq - b.seq);
  const records = sorted.filter(
    (record, index) => index === 0 || recordId(record) !== recordId(sorted[index - 1]!),
  );
  let time = Number.NEGATIVE_INFINITY;
  const times = records.map((record) => {
    time = Math.max(time, record.wall);
    return time;
  });
  const cut = name.indexOf('/');
  return { node: name.slice(0, cut), thread: name.slice(cut + 1), records, times, next: 0 };
}

/** The order within a thread is given; a cause in the same thread came before, or the journal is damaged. */
function causeIsOwn({ thread, records, next }: Lane): boolean {
  return records[next]!.cause.startsWith(`${thread}.`);
}
