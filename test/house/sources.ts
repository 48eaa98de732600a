import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = fileURLToPath(new URL('../..', import.meta.url));

/** Tracked and new files of the project, without ignored ones, relative to its root. */
export function projectFiles(): string[] {
  const output = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard'], {
    cwd: root,
    encoding: 'utf8',
  });
  return output.split('\n').filter((file) => file !== '' && existsSync(join(root, file)));
}

export function readProjectFile(file: string): string {
  return readFileSync(join(root, file), 'utf8');
}

export interface Import {
  /** The file it is written in. */
  readonly from: string;
  /** Path of a project file, or the name of a package or of a `node:` module. */
  readonly to: string;
  readonly isType: boolean;
}

const IMPORT =
  /^\s*(?:import|export)\s+(type\s)?[^'";]*?from\s+'([^']+)'|^\s*import\s+'([^']+)'|\bimport\('([^']+)'\)|new URL\('([^']+\.ts)', import\.meta\.url\)/gm;

/** What a file imports, worker entries named by a URL relative to import.meta.url included. */
export function importsOf(file: string): Import[] {
  const found: Import[] = [];
  for (const match of readProjectFile(file).matchAll(IMPORT)) {
    const target = match[2] ?? match[3] ?? match[4] ?? match[5];
    if (target === undefined) continue;
    const to = target.startsWith('.') ? normalize(join(dirname(file), target)) : packageName(target);
    found.push({ from: file, to, isType: match[1] !== undefined });
  }
  return found;
}

function packageName(target: string): string {
  if (target.startsWith('node:')) return target;
  const parts = target.split('/');
  return target.startsWith('@') ? `${parts[0]}/${parts[1]}` : parts[0]!;
}
