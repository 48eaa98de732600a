import { createHash } from 'node:crypto';
import {
  closeSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { open } from 'node:fs/promises';
import { dirname } from 'node:path';
import { sortInTurns, Turns } from '../os/turns.ts';
import type { KeptObject } from './collection.ts';
import type { Manifest } from './parse/parse-item.ts';

/** Objects that are joined and hashed at once. */
const PIECE = 128;
const FORMAT = 'novaedge-last-good/1';

/**
 * Good versions of the user's objects on disk: one line of `{ format, sha256 }`, then one line an object. The hash is
 * over everything after the first line.
 */
export class LastGoodFile {
  readonly #path: string;
  readonly #lines = new WeakMap<Manifest, string>();
  #written = '';
  /** Of the write that began last. */
  #write = 0;

  constructor(path: string) {
    this.#path = path;
  }

  /** Nothing where the file is not there; throws where it cannot be read or is torn. */
  read(): readonly KeptObject[] {
    let content: string;
    try {
      content = readFileSync(this.#path, 'utf8');
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return [];
      throw error;
    }
    const end = content.indexOf('\n');
    const body = content.slice(end + 1);
    const head = parseHead(content.slice(0, end));
    if (head === null) throw new Error('is not a file of last good versions');
    if (head !== hash(body)) throw new Error('is torn or was changed: its checksum is wrong');
    this.#written = head;
    return body
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as KeptObject);
  }

  /** Atomic: a crash leaves the old file or the new one. Does nothing where the content is the same. */
  write(objects: Iterable<KeptObject>): void {
    this.#write += 1;
    const lines: string[] = [];
    for (const object of objects) lines.push(this.#line(object));
    const body = lines.sort().join('');
    const sha256 = hash(body);
    if (sha256 === this.#written) return;
    mkdirSync(dirname(this.#path), { recursive: true });
    const next = `${this.#path}.next`;
    const file = openSync(next, 'w', 0o600);
    try {
      writeSync(file, headLine(sha256) + body);
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    renameSync(next, this.#path);
    this.#written = sha256;
  }

  /** As `write`, aside from what else the thread does. Gives way to a write that begins meanwhile. */
  async writeInTurns(objects: Iterable<KeptObject>): Promise<void> {
    this.#write += 1;
    const mine = this.#write;
    const turns = new Turns();
    const unsorted: string[] = [];
    for (const object of [...objects]) {
      unsorted.push(this.#line(object));
      if (turns.due) await turns.next();
    }
    const lines = await sortInTurns(unsorted, turns);
    const checksum = createHash('sha256');
    const pieces: Buffer[] = [];
    for (let from = 0; from < lines.length; from += PIECE) {
      const piece = Buffer.from(lines.slice(from, from + PIECE).join(''));
      checksum.update(piece);
      pieces.push(piece);
      if (turns.due) await turns.next();
    }
    const sha256 = checksum.digest('hex');
    if (mine !== this.#write || sha256 === this.#written) return;
    mkdirSync(dirname(this.#path), { recursive: true });
    const next = `${this.#path}.later`;
    const file = await open(next, 'w', 0o600);
    try {
      for (const piece of [headLine(sha256), ...pieces]) await file.writeFile(piece);
      await file.sync();
    } finally {
      await file.close();
    }
    if (mine !== this.#write) {
      rmSync(next, { force: true });
      return;
    }
    renameSync(next, this.#path);
    this.#written = sha256;
  }

  #line({ file, manifest }: KeptObject): string {
    // An object does not change its file without being read anew.
    const known = this.#lines.get(manifest);
    if (known !== undefined) return known;
    const made = `${JSON.stringify({ file, manifest })}\n`;
    this.#lines.set(manifest, made);
    return made;
  }
}

const headLine = (sha256: string): string => `${JSON.stringify({ format: FORMAT, sha256 })}\n`;

const hash = (text: string): string => createHash('sha256').update(text).digest('hex');

function parseHead(line: string): string | null {
  try {
    const { format, sha256 } = JSON.parse(line) as { format?: unknown; sha256?: unknown };
    return format === FORMAT && typeof sha256 === 'string' ? sha256 : null;
  } catch {
    return null;
  }
}
