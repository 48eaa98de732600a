import { dirname } from 'node:path/posix';
import type { Files, NewFile } from '../../src/os/files.ts';
import type { Prng } from '../prng.ts';

/** A file's content, which may stand under several names. */
interface Inode {
  /** As processes read it. */
  bytes: Buffer;
  /** What a loss of power leaves for sure. */
  synced: Buffer;
  /** A sync has failed: what was not written by then never is, though later syncs of the same content succeed. */
  dropped: boolean;
}

type Names = Map<string, Inode | 'directory'>;

export interface DiskFaults {
  /** Nothing more fits. */
  full: boolean;
  /** Chance that an operation that writes fails with EIO. */
  errors: number;
  /** The longest that a sync takes, in ms. */
  syncMs: number;
}

export interface SimulatedDiskOptions {
  readonly prng: Prng;
  readonly after: (ms: number, callback: () => void) => () => void;
}

interface UnderWay {
  /** Does `part` of it, from 0 to 1: what a process that dies meanwhile leaves. */
  readonly interrupt: (part: number) => void;
}

const OPERATION_MS = 2;

/**
 * A disk as POSIX promises it and no better. What is written is in the page cache, which outlives the process, until
 * the file is synced; a name is until its directory is synced. A loss of power keeps of the names of each directory
 * the changes up to some moment, in their order as file systems with a journal do, and of unsynced content anything:
 * the old, the new, a part, or zeros.
 */
export class SimulatedDisk {
  readonly faults: DiskFaults = { full: false, errors: 0, syncMs: 20 };
  readonly #prng: Prng;
  readonly #after: SimulatedDiskOptions['after'];
  #names: Names = new Map([['/', 'directory']]);
  /** What a loss of power leaves for sure. */
  #durable: Names = new Map([['/', 'directory']]);
  /** By directory: changes of its names that a loss of power may take back. */
  readonly #unsynced = new Map<string, ((names: Names) => void)[]>();
  readonly #underWay = new Set<UnderWay>();
  #mount = 0;
  #onBusy: (() => void) | null = null;

  constructor({ prng, after }: SimulatedDiskOptions) {
    this.#prng = prng;
    this.#after = after;
  }

  /** For one life of a process: once that is over its calls are never answered. */
  mount(): Files {
    this.#mount += 1;
    const mount = this.#mount;
    const run = <T>(ms: number, effect: () => T, interrupt: (part: number) => void = () => {}) =>
      this.#run(mount, ms, effect, interrupt);
    /** A change of a directory's names: all of it or nothing. */
    const change = (path: string, apply: (names: Names) => void) => {
      const effect = () => this.#change(dirname(path), apply);
      return run(OPERATION_MS, this.#mayFail(effect), (part) => part > 0.5 && effect());
    };
    return {
      makeDirectory: (path) =>
        run(OPERATION_MS, () => {
          let first: string | undefined;
          for (let missing = path; !this.#names.has(missing); missing = dirname(missing)) first = missing;
          if (first === undefined) return undefined;
          const made: string[] = [];
          for (let one = path; one !== dirname(first); one = dirname(one)) made.unshift(one);
          for (const one of made) this.#change(dirname(one), (names) => names.set(one, 'directory'));
          return first;
        }),
      create: async (path) => {
        if (this.faults.full) await run(OPERATION_MS, () => refuse('ENOSPC'));
        const before = this.#names.get(path);
        const inode: Inode = before === undefined || before === 'directory' ? emptyFile() : before;
        await change(path, (names) => names.set(path, inode));
        inode.bytes = Buffer.alloc(0);
        inode.dropped = false;
        return this.#file(inode, run);
      },
      read: (path) =>
        run(OPERATION_MS, () => {
          const inode = this.#names.get(path);
          if (inode === undefined || inode === 'directory') return refuse('ENOENT');
          return Buffer.from(inode.bytes);
        }),
      link: (existing, path) =>
        change(path, (names) => {
          const inode = names.get(existing) ?? refuse('ENOENT');
          if (names.has(path)) refuse('EEXIST');
          names.set(path, inode);
        }),
      rename: (from, to) =>
        change(to, (names) => {
          const inode = names.get(from) ?? refuse('ENOENT');
          names.delete(from);
          names.set(to, inode);
        }),
      remove: (path) => change(path, (names) => names.delete(path)),
      syncDirectory: (path) =>
        run(
          this.#prng.between(0, this.faults.syncMs),
          this.#mayFail(() => this.#syncDirectory(path)),
          (part) => part > 0.5 && this.#syncDirectory(path),
        ),
    };
  }

  /** The process dies: what it was just doing is done, in part, or not. */
  kill(): void {
    this.#mount += 1;
    for (const { interrupt } of this.#underWay) interrupt(this.#prng.next());
    this.#underWay.clear();
  }

  /** The process dies, and with it all that only the page cache held. */
  losePower(): void {
    this.kill();
    for (const [directory, changes] of this.#unsynced) {
      const kept = this.#prng.below(changes.length + 1);
      for (const change of changes.slice(0, kept)) change(this.#durable);
      this.#unsynced.delete(directory);
    }
    for (const path of this.#durable.keys())
      if (!this.#durable.has(dirname(path))) this.#durable.delete(path);
    for (const inode of new Set(this.#durable.values())) if (inode !== 'directory') this.#tear(inode);
    this.#names = new Map(this.#durable);
  }

  /** Runs once, when the next operation begins. */
  whenBusy(callback: () => void): void {
    this.#onBusy = callback;
  }

  /** A bit of the file turns by itself; false: there is no such file, or nothing in it. */
  rot(path: string): boolean {
    const inode = this.#names.get(path);
    if (inode === undefined || inode === 'directory' || inode.bytes.length === 0) return false;
    const damaged = Buffer.from(inode.bytes);
    const bit = this.#prng.below(damaged.length * 8);
    damaged[bit >> 3]! ^= 1 << (bit & 7);
    inode.bytes = damaged;
    inode.synced = damaged;
    return true;
  }

  /** Under which names files stand now. */
  get paths(): readonly string[] {
    return [...this.#names].flatMap(([path, inode]) => (inode === 'directory' ? [] : [path]));
  }

  heal(): void {
    this.faults.full = false;
    this.faults.errors = 0;
    this.faults.syncMs = 20;
  }

  #file(inode: Inode, run: Run): NewFile {
    const append = (bytes: Uint8Array) => {
      inode.bytes = Buffer.concat([inode.bytes, bytes]);
    };
    return {
      chmod: () => run(0, () => {}),
      append: (chunk) => {
        const write = this.#mayFail(() => append(chunk));
        return run(
          OPERATION_MS,
          () => {
            if (!this.faults.full) return write();
            append(chunk.subarray(0, this.#prng.below(chunk.length + 1)));
            return refuse('ENOSPC');
          },
          (part) => append(chunk.subarray(0, Math.floor(part * (chunk.length + 1)))),
        );
      },
      sync: () =>
        run(
          this.#prng.between(0, this.faults.syncMs),
          () => {
            if (this.#prng.chance(this.faults.errors)) {
              inode.dropped = true;
              refuse('EIO');
            }
            if (!inode.dropped) inode.synced = inode.bytes;
          },
          (part) => {
            if (part > 0.5 && !inode.dropped) inode.synced = inode.bytes;
          },
        ),
      close: () => run(0, () => {}),
    };
  }

  #run<T>(mount: number, ms: number, effect: () => T, interrupt: (part: number) => void): Promise<T> {
    return new Promise((resolve, reject) => {
      if (mount !== this.#mount) return;
      const underWay = { interrupt: (part: number) => ignoreRefusal(() => interrupt(part)) };
      this.#underWay.add(underWay);
      const onBusy = this.#onBusy;
      this.#onBusy = null;
      onBusy?.();
      this.#after(ms, () => {
        if (mount !== this.#mount) return;
        this.#underWay.delete(underWay);
        try {
          resolve(effect());
        } catch (error) {
          reject(error as Error);
        }
      });
    });
  }

  #mayFail<T>(effect: () => T): () => T {
    return () => (this.#prng.chance(this.faults.errors) ? refuse('EIO') : effect());
  }

  #change(directory: string, apply: (names: Names) => void): void {
    apply(this.#names);
    const changes = this.#unsynced.get(directory) ?? [];
    changes.push(apply);
    this.#unsynced.set(directory, changes);
  }

  #syncDirectory(directory: string): void {
    for (const change of this.#unsynced.get(directory) ?? []) change(this.#durable);
    this.#unsynced.delete(directory);
  }

  /** After a loss of power nobody knows what unsynced content is. */
  #tear(inode: Inode): void {
    const { bytes, synced } = inode;
    if (bytes !== synced) {
      const some = this.#prng.below(bytes.length + 1);
      const zeros = Buffer.alloc(bytes.length - some);
      inode.bytes = this.#prng.pick([
        synced,
        bytes,
        bytes.subarray(0, some),
        Buffer.concat([bytes.subarray(0, some), zeros]),
      ]);
    }
    inode.synced = inode.bytes;
    inode.dropped = false;
  }
}

type Run = <T>(ms: number, effect: () => T, interrupt?: (part: number) => void) => Promise<T>;

function emptyFile(): Inode {
  const nothing = Buffer.alloc(0);
  return { bytes: nothing, synced: nothing, dropped: false };
}

function refuse(code: string): never {
  throw Object.assign(new Error(`${code}: the simulated disk refuses`), { code });
}

function ignoreRefusal(run: () => void): void {
  try {
    run();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === undefined) throw error;
  }
}
