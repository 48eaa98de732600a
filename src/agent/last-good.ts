import { createHash, hash } from 'node:crypto';
import { join } from 'node:path';
import type { Resource, ResourceSet } from '../model/resource.ts';
import { resourceKey } from '../model/resource.ts';
import type { SnapshotVersion } from '../model/snapshot.ts';
import { writeFileAtomically } from '../os/atomic-file.ts';
import { type Files, systemFiles } from '../os/files.ts';
import { sortInTurns, Turns } from '../os/turns.ts';
import { SnapshotDigest } from '../wire/snapshot/digest.ts';
import { encodeResource } from '../wire/snapshot/resource.ts';
import { decodeSnapshot, snapshotPieces } from '../wire/snapshot/snapshot-message.ts';

/*
 *     novaedge-snapshot 1 <content bytes> <hex SHA-256 of the content>\n
 *     <content: ConfigSnapshot message with its version>
 */
const MAGIC = 'novaedge-snapshot';
const FORMAT = 1;
const HEADER_MAX = 128;

export interface LastGoodLoaded {
  readonly ok: true;
  readonly resources: Resource[];
  readonly version: SnapshotVersion;
  /** Of the resources; gives `version`. */
  readonly digest: SnapshotDigest;
  /** Why the newest file was refused, where this is the one before it. */
  readonly fallback?: string;
}

export interface LastGoodRefused {
  readonly ok: false;
  /** Names the file and what is wrong with it. */
  readonly reason: string;
  /** True: there never was one. */
  readonly missing: boolean;
}

/** The last snapshot that was in use, kept for a start without a controller. */
export interface LastGoodFile {
  load(): Promise<LastGoodLoaded | LastGoodRefused>;
  /**
   * Saves run one after the other; of those that wait only the newest is written, and the others resolve with it.
   * Rejects with the system's error; the file before stays.
   */
  save(resources: ResourceSet, version: SnapshotVersion): Promise<void>;
}

export interface LastGoodOptions {
  readonly files?: Files;
  /** How the work of a save is cut into slices. */
  readonly turns?: () => Turns;
}

/** `last-good.snapshot` in `directory`, and `last-good.snapshot.previous` beside it. Readable for the owner alone. */
export function lastGoodFile(
  directory: string,
  { files = systemFiles, turns: takeTurns = () => new Turns() }: LastGoodOptions = {},
): LastGoodFile {
  const path = join(directory, 'last-good.snapshot');
  const previous = `${path}.previous`;
  /** Whether what stands under the path is worth being kept: a damaged file must not replace the one before it. */
  let whole = false;
  let running: Promise<void> | undefined;
  let waiting: { resources: ResourceSet; version: SnapshotVersion; done: Promise<void> } | undefined;

  const write = async (resources: ResourceSet, version: SnapshotVersion): Promise<void> => {
    // The thread also rolls out the next change.
    const turns = takeTurns();
    const keys = await sortInTurns(resources.keys(), turns);
    const pieces: Uint8Array[] = [];
    const checksum = createHash('sha256');
    let length = 0;
    for (const piece of snapshotPieces(resources, keys, version)) {
      pieces.push(piece);
      checksum.update(piece);
      length += piece.length;
      if (turns.due) await turns.next();
    }
    const header = `${MAGIC} ${FORMAT} ${length} ${checksum.digest('hex')}\n`;
    const keep = whole ? { keepPrevious: previous } : {};
    await writeFileAtomically(path, [Buffer.from(header), ...pieces], { mode: 0o600, ...keep }, files);
    whole = true;
  };
  const start = (resources: ResourceSet, version: SnapshotVersion): Promise<void> => {
    const done = write(resources, version).finally(() => {
      if (running === done) running = undefined;
    });
    running = done;
    return done;
  };

  return {
    async load() {
      const newest = await read(path, files);
      whole = newest.ok;
      if (newest.ok) return newest;
      const older = await read(previous, files);
      if (older.ok) return { ...older, fallback: newest.reason };
      return newest.missing && !older.missing ? older : newest;
    },
    save(resources, version) {
      if (waiting === undefined && running === undefined) return start(resources, version);
      if (waiting !== undefined) {
        waiting.resources = resources;
        waiting.version = version;
        return waiting.done;
      }
      const next = () => {
        const latest = waiting!;
        waiting = undefined;
        return start(latest.resources, latest.version);
      };
      waiting = { resources, version, done: running!.then(next, next) };
      return waiting.done;
    },
  };
}

async function read(path: string, files: Files): Promise<LastGoodLoaded | LastGoodRefused> {
  let bytes: Buffer;
  try {
    bytes = await files.read(path);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return { ok: false, reason: `${path}: there is no such file`, missing: true };
    return { ok: false, reason: `${path}: ${message}`, missing: false };
  }
  try {
    return { ok: true, ...parse(bytes) };
  } catch (error) {
    return { ok: false, reason: `${path}: ${(error as Error).message}`, missing: false };
  }
}

function parse(bytes: Buffer): Omit<LastGoodLoaded, 'ok' | 'fallback'> {
  const end = bytes.subarray(0, HEADER_MAX).indexOf('\n');
  const header = bytes.subarray(0, Math.max(0, end)).toString('latin1').split(' ');
  const [magic, format, length, checksum] = header;
  if (magic !== MAGIC || header.length !== 4)
    throw new Error('is not a snapshot file (its first line is damaged)');
  if (format !== String(FORMAT))
    throw new Error(`is of format ${format}, this version reads format ${FORMAT}`);
  const content = bytes.subarray(end + 1);
  if (String(content.length) !== length) {
    throw new Error(`is torn: ${content.length} bytes of content instead of ${length}`);
  }
  if (hash('sha256', content, 'hex') !== checksum) throw new Error('is damaged: its checksum does not match');

  const { version, resources } = decodeSnapshot(content);
  const digest = new SnapshotDigest();
  for (const resource of resources) digest.set(resourceKey(resource), encodeResource(resource));
  if (digest.size !== resources.length) throw new Error('is forged: an object stands in it twice');
  if (digest.version() !== version) {
    throw new Error(
      `is forged: its content gives version ${digest.version().slice(0, 12)}, but it names ${version.slice(0, 12) || 'none'}`,
    );
  }
  return { version, resources, digest };
}
