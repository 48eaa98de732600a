import { mkdirSync } from 'node:fs';
import { type DirectoryLock, lockDirectory } from '../os/directory-lock.ts';
import { StartError } from './exit-code.ts';

/** Makes the directory of `--data` where it is missing, readable by its owner alone, and holds it for this process. */
export async function openDataDirectory(path: string): Promise<DirectoryLock> {
  try {
    mkdirSync(path, { recursive: true, mode: 0o700 });
    return await lockDirectory(path);
  } catch (error) {
    throw new StartError(`--data: ${(error as Error).message}`);
  }
}
