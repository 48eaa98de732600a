import {
  closeSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  statSync,
  unlinkSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';

export interface JournalFileOptions {
  readonly directory: string;
  readonly thread: string;
  /** A file that has grown past this is followed by a new one. */
  readonly fileBytes: number;
  /** The oldest files go when all files of the thread together are larger. */
  readonly totalBytes: number;
}

export interface JournalFile {
  /** Number of its first file: larger than that of any life of this thread before. */
  readonly run: number;
  write(lines: string): void;
  close(): void;
}

/** `dataplane-0.000003.ndjson` */
const NAME = /^(.+)\.(\d{6,})\.ndjson$/;

/** Opens a thread's ring of files `DIRECTORY/THREAD.NUMBER.ndjson` for appending, at a new file. */
export function openJournalFile(options: JournalFileOptions): JournalFile {
  const { directory, thread } = options;
  mkdirSync(directory, { recursive: true });
  let number = (journalFiles(directory, thread).at(-1)?.number ?? 0) + 1;
  const run = number;
  let descriptor = openSync(path(directory, thread, number), 'a');
  let written = 0;
  prune();

  function prune(): void {
    const files = journalFiles(directory, thread);
    let total = files.reduce((sum, file) => sum + file.bytes, 0);
    for (const file of files) {
      if (total <= options.totalBytes || file.number === number) return;
      unlinkSync(file.path);
      total -= file.bytes;
    }
  }

  return {
    run,
    write(lines) {
      if (written > options.fileBytes) {
        closeSync(descriptor);
        number += 1;
        descriptor = openSync(path(directory, thread, number), 'a');
        written = 0;
        prune();
      }
      const bytes = Buffer.from(lines);
      for (let offset = 0; offset < bytes.length; ) offset += writeSync(descriptor, bytes, offset);
      written += bytes.length;
    },
    close: () => closeSync(descriptor),
  };
}

/** The files of one thread, oldest first. */
export function journalFiles(
  directory: string,
  thread: string,
): { readonly path: string; readonly number: number; readonly bytes: number }[] {
  return readdirSync(directory)
    .flatMap((name) => {
      const parts = NAME.exec(name);
      if (parts === null || parts[1] !== thread) return [];
      const file = join(directory, name);
      return [{ path: file, number: Number(parts[2]), bytes: statSync(file).size }];
    })
    .sort((a, b) => a.number - b.number);
}

/** All that is left of a thread's journal, oldest first. */
export function readJournalFiles(directory: string, thread: string): string[] {
  return journalFiles(directory, thread).map((file) => readFileSync(file.path, 'utf8'));
}

/** CRC-32 (ISO 3309) of the UTF-8 bytes. */
export function checksum(data: string): number {
  return crc32(data);
}

function path(directory: string, thread: string, number: number): string {
  return join(directory, `${thread}.${String(number).padStart(6, '0')}.ndjson`);
}
