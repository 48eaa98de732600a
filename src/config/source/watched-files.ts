import { type FSWatcher, watch } from 'node:fs';
import { dirname } from 'node:path';
import { fileSignature } from './directory-scan.ts';
import { type FileContent, type FileContents, readContent } from './file-contents.ts';

export interface WatchedFilesOptions {
  /** Quiet time after the last event before files are looked at, ms: a certificate and its key change one by one. */
  readonly debounce?: number;
  /** Time between two looks at everything, a net against lost events, ms. */
  readonly rescan?: number;
}

interface Known {
  readonly signature: string | null;
  readonly content: FileContent;
}

/** Files that are read again when they change. Their directories are watched, because a rotation replaces a file. */
export class WatchedFiles implements FileContents {
  readonly #debounce: number;
  readonly #rescan: number;
  readonly #watchers = new Map<string, FSWatcher>();
  #known = new Map<string, Known>();
  #contents: ReadonlyMap<string, FileContent> = new Map();
  #timer: NodeJS.Timeout | null = null;
  #rescanTimer: NodeJS.Timeout | null = null;
  #listener: (() => void) | null = null;

  constructor(options: WatchedFilesOptions = {}) {
    this.#debounce = options.debounce ?? 100;
    this.#rescan = options.rescan ?? 2000;
  }

  /** From now on `listener` is told when a file that was read last is another one than it was. */
  start(listener: () => void): void {
    this.#listener = listener;
    this.#rescanTimer = setInterval(() => this.look(), this.#rescan);
    this.#rescanTimer.unref();
  }

  stop(): void {
    this.#listener = null;
    if (this.#timer !== null) clearTimeout(this.#timer);
    if (this.#rescanTimer !== null) clearInterval(this.#rescanTimer);
    for (const watcher of this.#watchers.values()) watcher.close();
    this.#watchers.clear();
  }

  read(wanted: ReadonlySet<string>): ReadonlyMap<string, FileContent> {
    // Watch first, so that nothing that happens while reading is lost.
    this.#watch(new Set([...wanted].map((path) => dirname(path))));
    const known = new Map<string, Known>();
    let same = wanted.size === this.#known.size;
    for (const path of wanted) {
      const before = this.#known.get(path);
      const signature = fileSignature(path);
      const now =
        before !== undefined && before.signature === signature
          ? before
          : { signature, content: contentOf(before?.content, readContent(path)) };
      known.set(path, now);
      if (before?.content !== now.content) same = false;
    }
    this.#known = known;
    if (!same) this.#contents = new Map([...known].map(([path, { content }]) => [path, content]));
    return this.#contents;
  }

  /** Tells where something has changed. */
  look(): void {
    for (const [path, { signature }] of this.#known) {
      if (fileSignature(path) === signature) continue;
      this.#listener?.();
      return;
    }
  }

  #watch(directories: ReadonlySet<string>): void {
    for (const [directory, watcher] of this.#watchers) {
      if (directories.has(directory)) continue;
      watcher.close();
      this.#watchers.delete(directory);
    }
    for (const directory of directories) {
      if (this.#watchers.has(directory)) continue;
      try {
        const watcher = watch(directory, { persistent: false }, () => this.#schedule());
        watcher.on('error', () => {
          watcher.close();
          this.#watchers.delete(directory);
        });
        this.#watchers.set(directory, watcher);
      } catch {
        // Out of watches, or not there yet: the rescan sees what changes.
      }
    }
  }

  #schedule(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.#timer = null;
      this.look();
    }, this.#debounce);
  }
}

/** A file that was only touched is the same. */
function contentOf(before: FileContent | undefined, now: FileContent): FileContent {
  if (before === undefined) return now;
  if ('fault' in before) return 'fault' in now && now.fault === before.fault ? before : now;
  return 'bytes' in now && Buffer.compare(before.bytes, now.bytes) === 0 ? before : now;
}
