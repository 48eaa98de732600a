import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import type { Command } from 'commander';
import type { FileReport, FileText } from '../../config/validate-files.ts';
import { describeCommand, type Run } from '../command.ts';
import { CommandFailure, EXIT } from '../failure.ts';
import { plural, printStructured } from '../print.ts';
import type { Session } from '../session.ts';
import { printLines, problemSummary } from './problems.ts';

export function validate(run: Run): Command {
  return describeCommand(
    'validate',
    'Check files as the controller would, without a server. Exit code 1 on errors.',
    [
      ['novactl validate gateway.yaml routes/', 'files and directories'],
      ['kustomize build . | novactl validate -', 'standard input'],
      ['novactl validate -o json deploy/', 'for a script'],
    ],
  )
    .argument('<file...>', 'files, directories (their .yaml, .yml and .json files), or - for standard input')
    .action((paths: string[], _options, command: Command) =>
      run(command, (session) => validatePaths(session, paths)),
    );
}

async function validatePaths(session: Session, paths: readonly string[]): Promise<void> {
  const files = (await Promise.all(paths.map((path) => read(session, path)))).flat();
  if (files.length === 0) {
    throw new CommandFailure(EXIT.failure, `no .yaml, .yml or .json file in ${paths.join(', ')}`);
  }
  const { objects, problems } = await validateSources(files);
  const errors = problems.filter(({ severity }) => severity === 'error').length;
  if (
    !printStructured(session, { valid: errors === 0, objects: objects.map(({ object }) => object), problems })
  ) {
    printLines(session, problems);
    const what = `${plural(objects.length, 'object')} in ${plural(files.length, 'file')}`;
    session.print(
      problems.length === 0
        ? `${session.paint('good', `${what}: all valid`)}\n`
        : `${what}: ${problemSummary(problems)}\n`,
    );
  }
  if (errors > 0) throw new CommandFailure(EXIT.failure, '');
}

/** Lazily: the configuration pipeline is much to load for the other commands. */
async function validateSources(files: readonly FileText[]): Promise<FileReport> {
  const { validateFiles } = await import('../../config/validate-files.ts');
  return validateFiles(files);
}

async function read(session: Session, path: string): Promise<FileText[]> {
  if (path === '-') return [{ path: 'stdin', text: await text(session.terminal.stdin) }];
  try {
    if (!(await stat(path)).isDirectory()) return [{ path, text: await readFile(path, 'utf8') }];
    const names = await readdir(path, { recursive: true, withFileTypes: true });
    const found = names
      .filter((entry) => entry.isFile() && /\.(ya?ml|json)$/.test(entry.name))
      .map((entry) => join(entry.parentPath, entry.name))
      .sort();
    return await Promise.all(found.map(async (file) => ({ path: file, text: await readFile(file, 'utf8') })));
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const why =
      code === 'ENOENT' ? 'no such file or directory' : code === 'EACCES' ? 'permission denied' : message;
    throw new CommandFailure(EXIT.failure, `cannot read ${path}: ${why}`);
  }
}
