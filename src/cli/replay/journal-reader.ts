import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { DamageReason } from '../../../supervisors/journal-line.ts';
import { decodeJournal } from '../../../supervisors/journal-line.ts';
import type { JournalRecord } from '../../../supervisors/record.ts';
import { checksum } from '../../os/journal-file.ts';
import { mergeRecords } from './merge.ts';

export interface Damage {
  readonly file: string;
  /** From 1. */
  readonly line: number;
  readonly reason: DamageReason;
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
