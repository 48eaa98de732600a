import type { JournalRecord, JournalSink } from '../../supervisors/record.ts';

/** What a person reads of a run: journal records of all threads and the faults between them, in order. */
export type Line =
  | { readonly at: number; readonly record: JournalRecord }
  | { readonly at: number; readonly note: string };

/** The journals of all threads of a run, and what the world did to them. */
export class Recorder {
  readonly lines: Line[] = [];
  readonly #listeners: ((record: JournalRecord) => void)[] = [];
  readonly #runs = new Map<string, number>();

  get records(): JournalRecord[] {
    return this.lines.flatMap((line) => ('record' in line ? [line.record] : []));
  }

  /** The journal of one more life of that thread. */
  sink(thread: string): JournalSink {
    const run = (this.#runs.get(thread) ?? 0) + 1;
    this.#runs.set(thread, run);
    return {
      run,
      part: 0,
      beforeEvent: () => {},
      append: (record) => {
        this.lines.push({ at: record.mono, record });
        for (const listener of this.#listeners) listener(record);
      },
    };
  }

  note(at: number, note: string): void {
    this.lines.push({ at, note });
  }

  /** Called with each record before it is processed. */
  onRecord(listener: (record: JournalRecord) => void): void {
    this.#listeners.push(listener);
  }
}
