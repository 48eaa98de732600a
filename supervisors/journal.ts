import type { JournalRecord, JournalSink } from './record.ts';
import { RECORD_VERSION } from './record.ts';

/**
 * The journal of one thread: NDJSON, one record a line, each with a CRC-32 over the bytes before it:
 *
 *     {"v":1,"run":3,"seq":17,…,"reason":"bound","crc":"89abcdef"}
 *
 * Records are complete when they are written, save one whose processing ended the thread. Secrets redact themselves
 * through `toJSON` in their types. The buffer is bounded; what is not yet written dies with a killed process, so at
 * most the last FLUSH_MS of it.
 */
export const FLUSH_MS = 100;
const MAX_BUFFERED = 4_096;

export type Checksum = (data: string) => number;

export interface JournalWriter {
  readonly run: number;
  /** Appends whole lines; must be on its way to the file when it returns. */
  write(lines: string): void;
}

export class Journal implements JournalSink {
  readonly run: number;
  readonly #writer: JournalWriter;
  readonly #checksum: Checksum;
  readonly #after: (ms: number, callback: () => void) => () => void;
  #buffer: JournalRecord[] = [];
  #scheduled: (() => void) | null = null;
  /** The first failure to write; the actors go on without a journal. */
  #failure: Error | null = null;

  constructor(options: {
    readonly writer: JournalWriter;
    readonly checksum: Checksum;
    readonly after: (ms: number, callback: () => void) => () => void;
  }) {
    this.run = options.writer.run;
    this.#writer = options.writer;
    this.#checksum = options.checksum;
    this.#after = options.after;
  }

  get failure(): Error | null {
    return this.#failure;
  }

  append(record: JournalRecord): void {
    // Written before the new record goes in: that one is not complete yet.
    if (this.#buffer.length >= MAX_BUFFERED) this.flush();
    this.#buffer.push(record);
    this.#scheduled ??= this.#after(FLUSH_MS, () => this.flush());
  }

  /** Writes everything that is buffered, at once. */
  flush(): void {
    this.#scheduled?.();
    this.#scheduled = null;
    const records = this.#buffer;
    if (records.length === 0) return;
    this.#buffer = [];
    let lines = '';
    for (const record of records) lines += encodeRecord(record, this.#checksum);
    try {
      this.#writer.write(lines);
    } catch (error) {
      this.#failure ??= error instanceof Error ? error : new Error(String(error));
    }
  }
}

/** One line, with its newline. */
export function encodeRecord(record: JournalRecord, checksum: Checksum): string {
  const body = JSON.stringify(record).slice(0, -1);
  return `${body},"crc":"${hex(checksum(body))}"}\n`;
}

export type Decoded =
  | { readonly ok: true; readonly record: JournalRecord }
  | { readonly ok: false; readonly reason: 'torn' | 'checksum' | 'version' };

const TRAILER = /^(.*),"crc":"([0-9a-f]{8})"\}$/s;

/** Undoes `encodeRecord` for one line without its newline. */
export function decodeRecord(line: string, checksum: Checksum): Decoded {
  const parts = TRAILER.exec(line);
  if (parts === null) return { ok: false, reason: 'torn' };
  if (hex(checksum(parts[1]!)) !== parts[2]) return { ok: false, reason: 'checksum' };
  const record = JSON.parse(`${parts[1]}}`) as JournalRecord;
  return record.v === RECORD_VERSION ? { ok: true, record } : { ok: false, reason: 'version' };
}

export interface JournalText {
  readonly records: readonly JournalRecord[];
  /** Lines (from 1) that are damaged. A last line without its end is `torn`, which a kill may leave. */
  readonly damage: readonly { readonly line: number; readonly reason: 'torn' | 'checksum' | 'version' }[];
}

export function decodeJournal(text: string, checksum: Checksum): JournalText {
  const records: JournalRecord[] = [];
  const damage: { line: number; reason: 'torn' | 'checksum' | 'version' }[] = [];
  const lines = text.split('\n');
  if (lines.at(-1) === '') lines.pop();
  for (const [index, line] of lines.entries()) {
    const decoded = decodeRecord(line, checksum);
    if (decoded.ok) records.push(decoded.record);
    else damage.push({ line: index + 1, reason: decoded.reason });
  }
  return { records, damage };
}

function hex(value: number): string {
  return value.toString(16).padStart(8, '0');
}
