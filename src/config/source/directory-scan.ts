import { type BigIntStats, type Dirent, readdirSync, realpathSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { Turns } from '../../os/turns.ts';

export interface Scan {
  /** Signature by path; a changed signature means the file is worth reading. */
  readonly files: ReadonlyMap<string, string>;
  readonly directories: ReadonlySet<string>;
}

export function isManifest(name: string): boolean {
  return !name.startsWith('.') && /\.ya?ml$/i.test(name);
}

function signature(stats: BigIntStats): string {
  return `${stats.dev}:${stats.ino}:${stats.size}:${stats.mtimeNs}:${stats.ctimeNs}`;
}

/** Signature of one file, null where there is none. */
export function fileSignature(path: string): string | null {
  try {
    const stats = statSync(path, { bigint: true });
    return stats.isFile() ? signature(stats) : null;
  } catch {
    return null;
  }
}

/**
 * All manifests below `root`. Names that begin with "." are passed over, which leaves out what a kubelet mounts
 * beside the files of a ConfigMap (`..data`, `..2026_01_01_…`): the files themselves are links into it.
 */
export function scanDirectory(root: string): Scan {
  const walking = walk(root);
  for (;;) {
    const step = walking.next();
    if (step.done) return step.value;
  }
}

/** The same in slices, aside from what else the thread does: what changes meanwhile may be seen in part. */
export async function scanDirectoryInTurns(root: string): Promise<Scan> {
  const turns = new Turns();
  const walking = walk(root);
  for (;;) {
    const step = walking.next();
    if (step.done) return step.value;
    if (turns.due) await turns.next();
  }
}

/** Pauses at each entry. */
function* walk(root: string): Generator<void, Scan> {
  const files = new Map<string, string>();
  const directories = new Set<string>();
  const seen = new Set<string>();

  const visit = function* (directory: string): Generator<void> {
    let entries: Dirent[];
    try {
      const real = realpathSync(directory);
      if (seen.has(real)) return;
      seen.add(real);
      entries = readdirSync(directory, { withFileTypes: true });
    } catch {
      return; // gone between two looks
    }
    directories.add(directory);
    for (const entry of entries) {
      if (entry.name.startsWith('.')) continue;
      const path = join(directory, entry.name);
      yield;
      if (entry.isDirectory()) yield* visit(path);
      else if (isManifest(entry.name)) {
        const found = fileSignature(path);
        if (found !== null) files.set(path, found);
        else if (entry.isSymbolicLink() && isDirectory(path)) yield* visit(path);
      } else if (entry.isSymbolicLink() && isDirectory(path)) yield* visit(path);
    }
  };
  yield* visit(root);
  return { files, directories };
}

function isDirectory(path: string): boolean {
  try {
    return statSync(path).isDirectory();
  } catch {
    return false;
  }
}
