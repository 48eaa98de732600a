import type { JournalRecord } from './record.ts';
import { RECORD_VERSION, recordId } from './record.ts';

/**
 * The journal's lines: NDJSON, each with a CRC-32 over the bytes before it. A record that was complete when it was
 * written is one line; one that was written before it was processed is two, the second perhaps much later, but in
 * the same file:
 *
 *     {"v":2,"run":3,"seq":17,…,"event":{…},"state":"open","reason":"limit_reached","outcome":"taken","effects":[],"crc":"89abcdef"}
 *
 *     {"v":2,"run":3,"seq":18,…,"event":{…},"crc":"01234567"}
 *     {"v":2,"of":"dataplane-0.3:18","state":"closed","reason":"limit_cleared","outcome":"taken","effects":[],"crc":"76543210"}
 *
 * A first line without its second is an event in whose processing the thread ended or hung.
 */
export type Checksum = (data: string) => number;

/** Version 1 had no second lines and no checkpoints; what it has means the same. */
const READABLE: ReadonlySet<number> = new Set([1, RECORD_VERSION]);

/** The second line of a record. */
interface OutcomeLine {
  readonly v: number;
  readonly of: string;
  readonly state: JournalRecord['state'] | undefined;
  readonly reason: JournalRecord['reason'] | undefined;
  readonly outcome: JournalRecord['outcome'] | undefined;
  readonly effects: JournalRecord['effects'] | undefined;
}

/** One line, with its newline. */
export function encodeRecord(record: JournalRecord, checksum: Checksum): string {
  return encodeLine(record, checksum);
}

/** What came of a record that was written before. */
export function encodeOutcome(record: JournalRecord, checksum: Checksum): string {
  const { state, reason, outcome, effects } = record;
  const line: OutcomeLine = { v: RECORD_VERSION, of: recordId(record), state, reason, outcome, effects };
  return encodeLine(line, checksum);
}

function encodeLine(value: object, checksum: Checksum): string {
  const body = JSON.stringify(value).slice(0, -1);
  return `${body},"crc":"${hex(checksum(body))}"}\n`;
}

export type DamageReason = 'torn' | 'checksum' | 'version' | 'orphan';

const TRAILER = /^(.*),"crc":"([0-9a-f]{8})"\}$/s;

function decodeLine(
  line: string,
  checksum: Checksum,
): { readonly ok: true; readonly value: JournalRecord | OutcomeLine } | { ok: false; reason: DamageReason } {
  const parts = TRAILER.exec(line);
  if (parts === null) return { ok: false, reason: 'torn' };
  if (hex(checksum(parts[1]!)) !== parts[2]) return { ok: false, reason: 'checksum' };
  const value = JSON.parse(`${parts[1]}}`) as JournalRecord | OutcomeLine;
  return READABLE.has(value.v) ? { ok: true, value } : { ok: false, reason: 'version' };
}

export interface JournalText {
  readonly records: readonly JournalRecord[];
  /**
   * Lines (from 1) that are damaged. A last line without its end is `torn`, which a kill may leave; `orphan` is the
   * outcome of a record whose own line is damaged.
   */
  readonly damage: readonly { readonly line: number; readonly reason: DamageReason }[];
}

/** The records of one thread's file, or of several such files one after the other. */
export function decodeJournal(text: string, checksum: Checksum): JournalText {
  const records: JournalRecord[] = [];
  const unfinished = new Map<string, JournalRecord>();
  const damage: { line: number; reason: DamageReason }[] = [];
  const note = (index: number, reason: DamageReason) => damage.push({ line: index + 1, reason });
  const lines = text.split('\n');
  if (lines.at(-1) === '') lines.pop();
  for (const [index, line] of lines.entries()) {
    const decoded = decodeLine(line, checksum);
    if (!decoded.ok) {
      note(index, decoded.reason);
      continue;
    }
    const { value } = decoded;
    if ('of' in value) {
      const record = unfinished.get(value.of);
      if (record === undefined) note(index, 'orphan');
      else {
        const { v: _version, of: _id, ...came } = value;
        Object.assign(record, came);
        unfinished.delete(value.of);
      }
    } else {
      records.push(value);
      if (value.outcome === undefined) unfinished.set(recordId(value), value);
    }
  }
  return { records, damage };
}

function hex(value: number): string {
  return value.toString(16).padStart(8, '0');
}
