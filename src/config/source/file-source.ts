import { type FSWatcher, readFileSync, statSync, watch } from 'node:fs';
import { basename, join } from 'node:path';
import {
  fileSignature,
  isManifest,
  type Scan,
  scanDirectory,
  scanDirectoryInTurns,
} from './directory-scan.ts';
import { isEmptyChange, type Source, type SourceChange, type SourceItem } from './source.ts';

export interface FileSourceOptions {
  /** Quiet time after the last event before files are read, ms. */
  readonly debounce?: number;
  /** How long an empty, cut or missing file must stay so before it counts, ms: it may be in the middle of a save. */
  readonly settle?: number;
  /** Time between two looks at everything, a net against lost events, ms. Large trees are looked at less often. */
  readonly rescan?: number;
  /** How the rescan walks the directory; another one for tests. */
  readonly scan?: (root: string) => Promise<Scan>;
}

/** At most this share of the time goes into looking at everything again. */
const RESCAN_SHARE = 0.02;

/**
 * A directory of any number of `.yaml` and `.yml` files, nested as they like, or one such file.
 *
 *     event ──┐                                  ┌─ same text: nothing
 *     rescan ─┴─▶ debounce ─▶ stat ─▶ read ──────┼─ changed: told at once
 *                                                └─ empty, cut or gone: told when it has stayed so
 */
export class FileSource implements Source {
  readonly #root: string;
  readonly #debounce: number;
  readonly #settle: number;
  readonly #rescan: number;
  readonly #scanInTurns: (root: string) => Promise<Scan>;
  readonly #watchers = new Map<string, FSWatcher>();
  #signatures = new Map<string, string>();
  readonly #texts = new Map<string, string>();
  /** When a doubtful state of a file was first seen. */
  readonly #doubts = new Map<string, { signature: string | null; since: number }>();
  readonly #dirty = new Set<string>();
  #scanWanted = false;
  #looks = 0;
  #timer: NodeJS.Timeout | null = null;
  #rescanTimer: NodeJS.Timeout | null = null;
  #listener: ((change: SourceChange) => void) | null = null;

  constructor(root: string, options: FileSourceOptions = {}) {
    this.#root = root;
    this.#debounce = options.debounce ?? 15;
    this.#settle = options.settle ?? 300;
    this.#rescan = options.rescan ?? 2000;
    this.#scanInTurns = options.scan ?? scanDirectoryInTurns;
  }

  /** Rejects where the directory is not there. */
  async start(listener: (change: SourceChange) => void): Promise<SourceChange> {
    statSync(this.#root);
    this.#listener = listener;
    // Watch first, so that nothing that happens while reading is lost.
    this.#watchAll(this.#scan());
    const first = this.#look(true, true);
    this.#scheduleRescan(0);
    return first;
  }

  async reload(): Promise<void> {
    this.#tell(this.#look(true, true));
  }

  async stop(): Promise<void> {
    this.#listener = null;
    if (this.#timer !== null) clearTimeout(this.#timer);
    if (this.#rescanTimer !== null) clearTimeout(this.#rescanTimer);
    for (const watcher of this.#watchers.values()) watcher.close();
    this.#watchers.clear();
  }

  #isFile(): boolean {
    return statSync(this.#root, { throwIfNoEntry: false })?.isFile() === true;
  }

  #scan(): Scan {
    if (!this.#isFile()) return scanDirectory(this.#root);
    const signature = fileSignature(this.#root);
    return {
      files: new Map(signature === null ? [] : [[this.#root, signature]]),
      directories: new Set([this.#root]),
    };
  }

  /** True where a directory is watched that was not before. */
  #watchAll(scan: Scan): boolean {
    let added = false;
    for (const [directory, watcher] of this.#watchers) {
      if (scan.directories.has(directory)) continue;
      watcher.close();
      this.#watchers.delete(directory);
    }
    for (const directory of scan.directories) {
      if (this.#watchers.has(directory)) continue;
      try {
        const watcher = watch(directory, { persistent: true }, (_event, name) =>
          this.#event(directory, name),
        );
        // The rescan goes on without it, and watches again when the directory is there.
        watcher.on('error', () => {
          watcher.close();
          this.#watchers.delete(directory);
        });
        this.#watchers.set(directory, watcher);
        added = true;
      } catch {
        // Out of watches, or gone: the rescan sees what changes.
      }
    }
    return added;
  }

  #event(directory: string, name: string | null): void {
    const path =
      name === null
        ? null
        : directory === this.#root && this.#texts.has(directory)
          ? directory
          : join(directory, name);
    if (path !== null && isManifest(basename(path)) && this.#signatures.has(path)) this.#dirty.add(path);
    else this.#scanWanted = true;
    this.#schedule(this.#debounce);
  }

  #schedule(delay: number): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.#timer = null;
      this.#tell(this.#look(this.#scanWanted, false));
    }, delay);
  }

  #scheduleRescan(lastTook: number): void {
    this.#rescanTimer = setTimeout(
      () => void this.#lookAgain(),
      Math.max(this.#rescan, lastTook / RESCAN_SHARE),
    );
    this.#rescanTimer.unref();
  }

  async #lookAgain(): Promise<void> {
    const began = performance.now();
    const looks = this.#looks;
    const scan = this.#isFile() ? this.#scan() : await this.#scanInTurns(this.#root);
    const took = performance.now() - began;
    if (this.#listener === null) return;
    // Where something was read meanwhile the scan may be older than that: the next one will do.
    if (looks === this.#looks) this.#tell(this.#look(scan, false));
    this.#scheduleRescan(took);
  }

  #tell(change: SourceChange): void {
    if (!isEmptyChange(change)) this.#listener?.(change);
  }

  /** `sure`: doubtful states count at once. */
  #look(everything: boolean | Scan, sure: boolean): SourceChange {
    this.#looks += 1;
    const signatures = new Map<string, string | null>();
    // A directory that went away (an unmounted volume) is no wish to serve nothing.
    if (statSync(this.#root, { throwIfNoEntry: false }) === undefined) return { upserts: [], removals: [] };
    if (everything !== false) {
      const scan = everything === true ? this.#scan() : everything;
      // What was written between the look and the watch caused no event: look again.
      const again = this.#watchAll(scan);
      // A scan made in slices may be older than an event that came meanwhile: what that asked for still stands.
      this.#scanWanted = again || (everything !== true && this.#scanWanted);
      if (again) this.#schedule(this.#debounce);
      for (const path of this.#signatures.keys()) if (!scan.files.has(path)) signatures.set(path, null);
      for (const [path, signature] of scan.files) {
        if (this.#signatures.get(path) !== signature) signatures.set(path, signature);
      }
    }
    for (const path of this.#dirty) signatures.set(path, fileSignature(path));
    for (const path of this.#doubts.keys()) {
      if (!signatures.has(path)) signatures.set(path, fileSignature(path));
    }
    this.#dirty.clear();

    const upserts: SourceItem[] = [];
    const removals: string[] = [];
    for (const [path, signature] of [...signatures].sort(([a], [b]) => (a < b ? -1 : 1))) {
      if (signature === null) {
        if (!this.#signatures.has(path) || !(sure || this.#settled(path, null))) continue;
        this.#signatures.delete(path);
        this.#texts.delete(path);
        removals.push(path);
        continue;
      }
      const item = this.#read(path, signature, sure);
      if (item !== null) upserts.push(item);
    }
    return { upserts, removals };
  }

  #read(path: string, signature: string, sure: boolean): SourceItem | null {
    const before = this.#texts.get(path);
    let text: string;
    try {
      text = readFileSync(path, 'utf8');
    } catch (error) {
      this.#signatures.set(path, signature);
      this.#texts.delete(path);
      return {
        type: 'unreadable',
        id: path,
        message: error instanceof Error ? error.message : String(error),
      };
    }
    const doubtful = before !== undefined && looksHalfWritten(before, text);
    if (!sure && doubtful && !this.#settled(path, signature)) return null;
    this.#doubts.delete(path);
    this.#signatures.set(path, signature);
    if (text === before) return null;
    this.#texts.set(path, text);
    return { type: 'text', id: path, text };
  }

  #settled(path: string, signature: string | null): boolean {
    const doubt = this.#doubts.get(path);
    const now = performance.now();
    if (doubt !== undefined && doubt.signature === signature && now - doubt.since >= this.#settle) {
      this.#doubts.delete(path);
      return true;
    }
    if (doubt === undefined || doubt.signature !== signature)
      this.#doubts.set(path, { signature, since: now });
    this.#schedule(this.#settle);
    return false;
  }
}

/** Empty, or without the line end that it had: a save that truncates and then writes is caught in the middle. */
function looksHalfWritten(before: string, text: string): boolean {
  if (before.trim() === '') return false;
  return text.trim() === '' || (before.endsWith('\n') && !text.endsWith('\n'));
}
