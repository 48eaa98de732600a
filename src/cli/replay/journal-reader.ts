import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { decodeJournal } from '../../../supervisors/journal.ts';
import type { JournalRecord } from '../../../supervisors/record.ts';
import { recordId } from '../../../supervisors/record.ts';
import { checksum } from '../../os/journal-file.ts';

export interface Damage {
  readonly file: string;
  /** From 1. */
  readonly line: number;
  readonly reason: 'torn' | 'checksum' | 'version';
}

export interface MergedJournal {
  readonly files: readonly string[];
  /** Of all threads, in one order. */
  readonly records: readonly JournalRecord[];
  readonly damage: readonly Damage[];
}

/** Files, and directories of journal files; a data directory stands for the `journal` in it. */
export async function readJournals(paths: readonly string[]): Promise<MergedJournal> {
  const files = [...new Set((await Promise.all(paths.map(journalFilesOf))).flat())];
  const texts = await Promise.all(
    files.map(async (file) => ({ file, ...decodeJournal(await readFile(file, 'utf8'), checksum) })),
  );
  return {
    files,
    records: mergeRecords(texts.flatMap((text) => text.records)),
    damage: texts.flatMap(({ file, damage }) => damage.map((one) => ({ file, ...one }))),
  };
}

/**
 * One order for the records of several threads: within a thread that of its runs and sequence numbers, between
 * threads that of the wall clock, which they share. Records that are there twice are taken once.
 */
export function mergeRecords(records: readonly JournalRecord[]): JournalRecord[] {
  const byThread = Map.groupBy(records, recordThread);
  const timed = [...byThread].flatMap(([thread, list]) => {
    list.sort((a, b) => a.run - b.run || a.seq - b.seq);
    let time = Number.NEGATIVE_INFINITY;
    let before = '';
    return list.flatMap((record) => {
      const id = recordId(record);
      if (id === before) return [];
      before = id;
      // A clock that was set back must not turn the thread's own order around.
      time = Math.max(time, record.wall);
      return [{ time, thread, record }];
    });
  });
  return timed
    .sort((a, b) => a.time - b.time || (a.thread < b.thread ? -1 : a.thread > b.thread ? 1 : 0))
    .map(({ record }) => record);
}

/** `edge-1/dataplane-0`: threads of several nodes have the same names. */
export function recordThread(record: JournalRecord): string {
  return `${record.actor.slice(0, record.actor.indexOf('/'))}/${record.thread}`;
}

async function journalFilesOf(path: string): Promise<string[]> {
  if (!(await stat(path)).isDirectory()) return [path];
  const entries = await readdir(path, { withFileTypes: true });
  const files = entries
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ndjson'))
    .map((entry) => join(path, entry.name))
    .sort();
  if (files.length === 0 && entries.some((entry) => entry.isDirectory() && entry.name === 'journal'))
    return journalFilesOf(join(path, 'journal'));
  return files;
}
