import { mkdirSync, rmSync } from 'node:fs';
import { lockDirectory } from '../os/directory-lock.ts';
import { privateSocketPath } from '../os/private-socket.ts';
import { StartError } from './exit-code.ts';

export interface DataDirectory {
  /** Path for a Unix socket that only this user may open; whatever a killed process left there is gone. */
  socket(name: string): string;
  release(): Promise<void>;
}

/** Makes the directory of `--data` where it is missing, readable by its owner alone, and holds it for this process. */
export async function openDataDirectory(path: string): Promise<DataDirectory> {
  try {
    mkdirSync(path, { recursive: true, mode: 0o700 });
    const lock = await lockDirectory(path);
    return {
      socket(name) {
        const socket = privateSocketPath(path, name);
        rmSync(socket, { force: true });
        return socket;
      },
      release: () => lock.release(),
    };
  } catch (error) {
    throw new StartError(`--data: ${(error as Error).message}`);
  }
}
