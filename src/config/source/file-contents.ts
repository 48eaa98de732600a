import { readFileSync } from 'node:fs';

/** A file that an object names. The same JS object as long as the file has not changed. */
export type FileContent =
  | { readonly bytes: Uint8Array }
  /** Why it cannot be read. */
  | { readonly fault: string };

/** Files that objects name: certificates, keys, authorities. */
export interface FileContents {
  /** What is in these; others are forgotten. The same map as long as neither the wish nor a file has changed. */
  read(wanted: ReadonlySet<string>): ReadonlyMap<string, FileContent>;
}

const LARGEST = 1024 * 1024;

export function readContent(path: string): FileContent {
  try {
    const bytes = readFileSync(path);
    return bytes.length > LARGEST ? { fault: `is larger than ${LARGEST} bytes` } : { bytes };
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return { fault: 'there is no such file' };
    return { fault: `cannot be read (${code ?? 'unknown error'})` };
  }
}

/** Reads each file once, when it is asked for. */
export class FileContentsOnce implements FileContents {
  read(wanted: ReadonlySet<string>): ReadonlyMap<string, FileContent> {
    return new Map([...wanted].map((path) => [path, readContent(path)]));
  }
}
