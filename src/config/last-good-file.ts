import { createHash } from 'node:crypto';
import { closeSync, fsyncSync, mkdirSync, openSync, readFileSync, renameSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import type { KeptObject } from './collection.ts';
import type { Manifest } from './parse/parse-item.ts';

const FORMAT = 'novaedge-last-good/1';

/**
 * Good versions of the user's objects on disk: one line of `{ format, sha256 }`, then one line an object. The hash is
 * over everything after the first line.
 */
export class LastGoodFile {
  readonly #path: string;
  readonly #lines = new WeakMap<Manifest, string>();
  #written = '';

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
    const lines: string[] = [];
    for (const object of objects) lines.push(this.#line(object));
    const body = lines.sort().join('');
    const sha256 = hash(body);
    if (sha256 === this.#written) return;
    mkdirSync(dirname(this.#path), { recursive: true });
    const next = `${this.#path}.next`;
    const file = openSync(next, 'w', 0o600);
    try {
      writeSync(file, `${JSON.stringify({ format: FORMAT, sha256 })}\n${body}`);
      fsyncSync(file);
    } finally {
      closeSync(file);
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

const hash = (text: string): string => createHash('sha256').update(text).digest('hex');

function parseHead(line: string): string | null {
  try {
    const { format, sha256 } = JSON.parse(line) as { format?: unknown; sha256?: unknown };
    return format === FORMAT && typeof sha256 === 'string' ? sha256 : null;
  } catch {
    return null;
  }
}
