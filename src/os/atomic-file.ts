import { copyFile, link, mkdir, open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';

export interface AtomicWrite {
  /** Permission bits of the new file. */
  readonly mode: number;
  /** Where the file that is replaced stays, if wished. */
  readonly keepPrevious?: string;
}

/**
 * Replaces a file so that after a crash at any moment either the old or the new content stands there, whole: written
 * beside it, synced, renamed over it, and the directory synced.
 * @throws the system's error; the old file then stands untouched.
 */
export async function writeFileAtomically(
  path: string,
  chunks: readonly Uint8Array[],
  { mode, keepPrevious }: AtomicWrite,
): Promise<void> {
  const directory = dirname(path);
  await mkdir(directory, { recursive: true });
  // One name for all attempts, so that a crash leaves at most one behind.
  const temporary = `${path}.new`;
  try {
    const file = await open(temporary, 'w', mode);
    try {
      await file.chmod(mode);
      for (const chunk of chunks) await file.writeFile(chunk);
      await file.sync();
    } finally {
      await file.close();
    }
    if (keepPrevious !== undefined) await keep(path, keepPrevious);
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
  await syncDirectory(directory);
}

/** By a second link, so that there is no moment without a file under its own name. */
async function keep(path: string, previous: string): Promise<void> {
  const beside = `${previous}.new`;
  await rm(beside, { force: true });
  try {
    await link(path, beside).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') throw error;
      // File systems without hard links.
      return copyFile(path, beside);
    });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return;
    throw error;
  }
  await rename(beside, previous);
}

async function syncDirectory(directory: string): Promise<void> {
  const handle = await open(directory, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
