import { dirname, resolve } from 'node:path';
import { type Files, systemFiles } from './files.ts';

export interface AtomicWrite {
  /** Permission bits of the new file. */
  readonly mode: number;
  /** Where the file that is replaced stays, if wished. */
  readonly keepPrevious?: string;
}

/**
 * Replaces a file so that after a crash at any moment either the old or the new content stands there, whole: written
 * beside it, synced, renamed over it, and the directory synced.
 * @throws the system's error. Under the path stands the old file or, when only the last step failed, the new one,
 * which a loss of power may still take back.
 */
export async function writeFileAtomically(
  path: string,
  chunks: readonly Uint8Array[],
  { mode, keepPrevious }: AtomicWrite,
  files: Files = systemFiles,
): Promise<void> {
  const directory = dirname(path);
  await makeDirectory(directory, files);
  // One name for all attempts, so that a crash leaves at most one behind.
  const temporary = `${path}.new`;
  try {
    await writeSynced(temporary, chunks, mode, files);
    if (keepPrevious !== undefined) await keep(path, keepPrevious, mode, files);
    await files.rename(temporary, path);
  } catch (error) {
    // What went wrong first says more than what this runs into.
    await files.remove(temporary).catch(() => {});
    throw error;
  }
  await files.syncDirectory(directory);
}

async function writeSynced(
  path: string,
  chunks: readonly Uint8Array[],
  mode: number,
  files: Files,
): Promise<void> {
  const file = await files.create(path, mode);
  try {
    await file.chmod(mode);
    for (const chunk of chunks) await file.append(chunk);
    await file.sync();
  } finally {
    await file.close();
  }
}

/**
 * A directory's own name lasts only once the one above it is synced. One that is there already is synced too: whoever
 * made it may not have lived to do it.
 */
async function makeDirectory(directory: string, files: Files): Promise<void> {
  const first = resolve((await files.makeDirectory(directory)) ?? directory);
  for (let made = resolve(directory); made !== dirname(made); made = dirname(made)) {
    await files.syncDirectory(dirname(made)).catch((error: NodeJS.ErrnoException) => {
      // Whoever may not read it did not make what is in it.
      if (error.code !== 'EACCES') throw error;
    });
    if (made === first) return;
  }
}

/** By a second link, so that there is no moment without a file under its own name. */
async function keep(path: string, previous: string, mode: number, files: Files): Promise<void> {
  const beside = `${previous}.new`;
  await files.remove(beside);
  try {
    await files.link(path, beside).catch(async (error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') throw error;
      // File systems without hard links.
      return writeSynced(beside, [await files.read(path)], mode, files);
    });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return;
    throw error;
  }
  await files.rename(beside, previous);
}
