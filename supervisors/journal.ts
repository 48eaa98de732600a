import type { Checksum } from './journal-line.ts';
import { encodeOutcome, encodeRecord } from './journal-line.ts';
import type { JournalGap, JournalRecord, JournalSink } from './record.ts';
import { RECORD_VERSION } from './record.ts';

/**
 * The journal of one thread, on its way to its files.
 *
 *     append ──quiet for FLUSH_MS──> written at once, before the event is processed; its outcome with the next write
 *        └──else──> buffer ──FLUSH_MS after the last write, or full──> written, mostly with outcomes
 *
 * So a lone event is on its way to the disk before it can do harm, and of a burst a killed process, or a thread that
 * is ended while it hangs, loses at most the last FLUSH_MS. (The kernel has it then; after a power cut what the
 * kernel had not yet synced is lost too.)
 *
 * A file that is full is followed by the next between two events. There, each actor's first event comes after a
 * checkpoint of it (the actor system sees to that), and those without events are written few by few while nothing
 * else happens, so that nobody waits for 20,000 of them.
 *
 * While the disk fails, records are lost and counted, and the actors go on; a new file begins when it works again,
 * with a `journal.gap` that says how many.
 */
export const FLUSH_MS = 50;
const MAX_BUFFERED = 4_096;
/** Some 120 KB, some 0.6 ms. */
const CHECKPOINTS_A_FLUSH = 128;
const RETRY_MS = 1_000;

export interface JournalWriter {
  readonly run: number;
  /** Appends whole lines; they have left the process when it returns. @throws the system's error */
  write(lines: string): void;
  /** Whether the file should be followed by a new one; `checkpointBytes` of it are checkpoints. */
  isFull(checkpointBytes: number): boolean;
  /** Goes on in a new file, which may have none before it. @throws the system's error */
  next(checkpointBytes: number): void;
}

/** `failing` with what is wrong, then `resumed`. */
export type JournalTrouble =
  | { readonly type: 'failing'; readonly message: string }
  | { readonly type: 'resumed'; readonly message: string; readonly lost: number };

export interface JournalOptions {
  readonly writer: JournalWriter;
  readonly checksum: Checksum;
  /** Monotonic milliseconds. */
  readonly now: () => number;
  readonly after: (ms: number, callback: () => void) => () => void;
  /** Has at most so many actors appended that have no checkpoint in this part yet; false: none is left. */
  readonly checkpoint?: (most: number) => boolean;
  readonly onTrouble?: (trouble: JournalTrouble) => void;
}

export class Journal implements JournalSink {
  readonly run: number;
  readonly #options: JournalOptions;
  readonly #writer: JournalWriter;
  #buffer: JournalRecord[] = [];
  /** Written without their outcome. */
  #open: JournalRecord[] = [];
  #scheduled: (() => void) | null = null;
  #writtenAt = Number.NEGATIVE_INFINITY;
  #part = 1;
  /** When a new file may be tried again after it could not be begun. */
  #turnAt = Number.NEGATIVE_INFINITY;
  /** Of the checkpoints in this file. */
  #checkpointBytes = 0;
  /** Actors may be left without a checkpoint in this file. */
  #rolling = false;
  #last: JournalRecord | null = null;
  #failing: { readonly message: string; lost: number; last: JournalRecord; retryAt: number } | null = null;

  constructor(options: JournalOptions) {
    this.run = options.writer.run;
    this.#options = options;
    this.#writer = options.writer;
  }

  get part(): number {
    return this.#part;
  }

  /** Why records are being lost; null: none are. */
  get failure(): string | null {
    return this.#failing?.message ?? null;
  }

  beforeEvent(): void {
    if (this.#failing !== null) this.#resume();
    else if (this.#writer.isFull(this.#checkpointBytes)) {
      // So many events that the file is full before its checkpoints are: then these go on with the events.
      if (this.#rolling) this.#roll();
      else this.#turn();
    }
  }

  append(record: JournalRecord): void {
    this.#last = record;
    if (this.#failing !== null) {
      this.#failing.lost += 1;
      this.#failing.last = record;
      return;
    }
    this.#buffer.push(record);
    const since = this.#options.now() - this.#writtenAt;
    if (since >= FLUSH_MS || this.#buffer.length >= MAX_BUFFERED) this.#write();
    this.#schedule(FLUSH_MS);
  }

  /** Writes everything that is buffered, at once. */
  flush(): void {
    this.#scheduled?.();
    this.#scheduled = null;
    this.#write();
  }

  #schedule(ms: number): void {
    this.#scheduled ??= this.#options.after(ms, () => {
      this.#scheduled = null;
      this.#tick();
    });
  }

  /** Between two events, some time after something was written. */
  #tick(): void {
    if (this.#failing !== null) this.#resume();
    if (this.#rolling) this.#roll();
    this.#write();
    // Nothing is being processed now: what still is open will never be completed.
    this.#open = [];
    if (this.#failing !== null) this.#schedule(RETRY_MS);
    else if (this.#rolling) this.#schedule(FLUSH_MS);
  }

  #write(): void {
    const { checksum } = this.#options;
    let lines = '';
    const stillOpen: JournalRecord[] = [];
    for (const record of this.#open) {
      if (record.outcome === undefined) stillOpen.push(record);
      else lines += encodeOutcome(record, checksum);
    }
    const records = this.#buffer;
    for (const record of records) {
      const line = encodeRecord(record, checksum);
      if (record.outcome === undefined) stillOpen.push(record);
      if (record.event.type === 'actor.checkpoint') this.#checkpointBytes += line.length;
      lines += line;
    }
    this.#open = stillOpen;
    if (lines === '') return;
    this.#buffer = [];
    try {
      this.#writer.write(lines);
      this.#writtenAt = this.#options.now();
    } catch (error) {
      this.#fail(error, records);
    }
  }

  #turn(): void {
    if (this.#options.now() < this.#turnAt) return;
    this.flush();
    // An event that waits for its outcome keeps its file.
    if (this.#failing !== null || this.#open.length > 0) return;
    try {
      this.#writer.next(this.#checkpointBytes);
      this.#begin();
    } catch {
      // Nothing is lost: the file before goes on, and a disk that is full says so at the next write.
      this.#turnAt = this.#options.now() + RETRY_MS;
    }
  }

  #roll(): void {
    this.#rolling = this.#options.checkpoint?.(CHECKPOINTS_A_FLUSH) ?? false;
  }

  #begin(): void {
    this.#part += 1;
    this.#checkpointBytes = 0;
    this.#rolling = true;
    this.#schedule(FLUSH_MS);
  }

  #fail(error: unknown, records: readonly JournalRecord[]): void {
    const message = error instanceof Error ? error.message : String(error);
    const last = this.#last;
    if (last === null) return;
    this.#open = [];
    this.#failing = { message, lost: records.length, last, retryAt: this.#options.now() + RETRY_MS };
    this.#options.onTrouble?.({ type: 'failing', message });
    this.#schedule(RETRY_MS);
  }

  #resume(): void {
    const failing = this.#failing!;
    const now = this.#options.now();
    if (now < failing.retryAt) return;
    const { last, lost, message } = failing;
    try {
      this.#writer.next(this.#checkpointBytes);
      this.#writer.write(encodeRecord(gapRecord(last, lost, message), this.#options.checksum));
    } catch {
      failing.retryAt = now + RETRY_MS;
      return;
    }
    this.#failing = null;
    this.#writtenAt = now;
    this.#begin();
    this.#options.onTrouble?.({ type: 'resumed', message, lost });
  }
}

/** In the place of the last record that was lost. */
function gapRecord(last: JournalRecord, lost: number, reason: string): JournalRecord {
  const { run, seq, mono, wall, thread } = last;
  const actor = `${last.actor.slice(0, last.actor.indexOf('/'))}/${thread}/journal`;
  const event: JournalGap = { type: 'journal.gap', lost, reason };
  return {
    v: RECORD_VERSION,
    run,
    seq,
    mono,
    wall,
    thread,
    actor,
    from: actor,
    cause: '',
    event,
    state: 'resumed',
    reason,
    outcome: 'taken',
    effects: [],
  };
}
