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

/**
 * The ring of files of one thread, `DIRECTORY/THREAD.NUMBER.ndjson`:
 *
 *     000007 │ checkpoints · events ……… │ 000008 │ checkpoints · events ……… │ 000009 │ checkpoints · eve
 *     oldest, goes when all are too large                                     is written
 *
 * Checkpoints are at most half of a file: where a thread has so many actors that they would be more, its files are
 * larger than `fileBytes`, and the ring is as large as at least two of them.
 */
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
  isFull(checkpointBytes: number): boolean;
  next(checkpointBytes: number): void;
  close(): void;
}

/** A thread that is restarted again and again has many small files. */
const MOST_FILES = 200;

/** `dataplane-0.000003.ndjson` */
const NAME = /^(.+)\.(\d{6,})\.ndjson$/;

/**
 * A thread's ring of files, which goes on after all files that are there. A file is made with its first line, so a
 * disk that fails is first noticed by `write`.
 * @throws the system's error where the directory is there and cannot be read; so do `write` and `next`
 */
export function openJournalFile(options: JournalFileOptions): JournalFile {
  const { directory, thread, fileBytes, totalBytes } = options;
  let number = (journalFiles(directory, thread).at(-1)?.number ?? 0) + 1;
  const run = number;
  let descriptor: number | null = null;
  let written = 0;
  prune(totalBytes);

  function open(): number {
    mkdirSync(directory, { recursive: true });
    return openSync(path(directory, thread, number), 'a', 0o640);
  }

  function close(): void {
    if (descriptor !== null) closeSync(descriptor);
    descriptor = null;
  }

  function limit(checkpointBytes: number): number {
    return Math.max(fileBytes, 2 * checkpointBytes);
  }

  function prune(most: number): void {
    const files = journalFiles(directory, thread);
    let total = files.reduce((sum, file) => sum + file.bytes, 0);
    for (const [index, file] of files.entries()) {
      if (total <= most && files.length - index <= MOST_FILES) return;
      unlinkSync(file.path);
      total -= file.bytes;
    }
  }

  return {
    run,
    write(lines) {
      descriptor ??= open();
      const bytes = Buffer.from(lines);
      for (let offset = 0; offset < bytes.length; ) {
        const count = writeSync(descriptor, bytes, offset);
        offset += count;
        written += count;
      }
    },
    isFull: (checkpointBytes) => written > limit(checkpointBytes),
    next(checkpointBytes) {
      close();
      if (written === 0) return;
      prune(Math.max(totalBytes, 2 * limit(checkpointBytes)));
      number += 1;
      written = 0;
    },
    close,
  };
}

/** The files of one thread, oldest first. */
export function journalFiles(
  directory: string,
  thread: string,
): { readonly path: string; readonly number: number; readonly bytes: number }[] {
  return entries(directory)
    .flatMap((name) => {
      const parts = NAME.exec(name);
      if (parts === null || parts[1] !== thread) return [];
      const file = join(directory, name);
      return [{ path: file, number: Number(parts[2]), bytes: statSync(file).size }];
    })
    .sort((a, b) => a.number - b.number);
}

function entries(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
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
