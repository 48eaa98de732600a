import { rm } from 'node:fs/promises';
import { connect, createServer, type Server } from 'node:net';
import { privateSocketPath } from './private-socket.ts';

export interface DirectoryLock {
  release(): Promise<void>;
}

/**
 * Makes this process the only one that uses a directory. The lock is a listening Unix socket, so it ends with the
 * process however that ends, and a file left behind by a crash is told apart by nobody answering on it.
 * Throws an Error that names the directory when another process holds it.
 */
export async function lockDirectory(directory: string): Promise<DirectoryLock> {
  const path = privateSocketPath(directory, 'lock');
  for (let attempt = 0; attempt < 3; attempt += 1) {
    const server = await listen(path);
    if (server !== null) {
      return {
        async release() {
          await new Promise<void>((resolve) => server.close(() => resolve()));
        },
      };
    }
    if (await answers(path)) throw new Error(`${directory} is in use by another novaedge process`);
    await rm(path, { force: true });
  }
  throw new Error(`${directory} cannot be locked: ${path} keeps being taken by other processes`);
}

function listen(path: string): Promise<Server | null> {
  return new Promise((resolve, reject) => {
    const server = createServer((socket) => socket.destroy());
    server.unref();
    server.once('error', (error: NodeJS.ErrnoException) =>
      error.code === 'EADDRINUSE' ? resolve(null) : reject(error),
    );
    server.listen(path, () => resolve(server));
  });
}

function answers(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path);
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}
