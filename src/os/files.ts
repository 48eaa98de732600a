import { link, mkdir, open, readFile, rename, rm } from 'node:fs/promises';

/** A file that is being written anew. Every method rejects with the system's error. */
export interface NewFile {
  chmod(mode: number): Promise<void>;
  append(chunk: Uint8Array): Promise<void>;
  /** Resolves when what was written outlives a loss of power. */
  sync(): Promise<void>;
  close(): Promise<void>;
}

/** The operations of a file system that stores are written with: the real one, or a simulated one that fails. */
export interface Files {
  /** With all directories above it. Resolves with the first that had to be made; undefined: it was there. */
  makeDirectory(path: string): Promise<string | undefined>;
  /** Empty, also where there was one. */
  create(path: string, mode: number): Promise<NewFile>;
  read(path: string): Promise<Buffer>;
  /** A second name for the same file. */
  link(existing: string, path: string): Promise<void>;
  /** Replaces what stands under the new name, in one step. */
  rename(from: string, to: string): Promise<void>;
  /** A file that is not there is no error. */
  remove(path: string): Promise<void>;
  /** Resolves when the directory's names outlive a loss of power. */
  syncDirectory(path: string): Promise<void>;
}

export const systemFiles: Files = {
  makeDirectory: (path) => mkdir(path, { recursive: true }),
  async create(path, mode) {
    const file = await open(path, 'w', mode);
    return {
      chmod: (bits) => file.chmod(bits),
      append: (chunk) => file.writeFile(chunk),
      sync: () => file.sync(),
      close: () => file.close(),
    };
  },
  read: (path) => readFile(path),
  link,
  rename,
  remove: (path) => rm(path, { force: true }),
  async syncDirectory(path) {
    const directory = await open(path, 'r');
    try {
      await directory.sync();
    } finally {
      await directory.close();
    }
  },
};
