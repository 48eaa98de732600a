// Installs what package-lock.json asks for, unless it is there already. Runs on any Node from 20 on, before the
// runtime that the package brings along exists, so it is plain JavaScript without dependencies.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const stamp = `${root}node_modules/.novaedge-setup`;
const lock = createHash('sha256')
  .update(readFileSync(`${root}package-lock.json`))
  .update(process.platform)
  .update(process.arch)
  .digest('hex');

if (!existsSync(stamp) || readFileSync(stamp, 'utf8') !== lock) {
  console.error('novaedge: installing dependencies (npm ci) …');
  // npm's own path where it started us; else the one on the PATH.
  const npm = process.env.npm_execpath;
  const [command, first] = npm?.endsWith('.js') ? [process.execPath, [npm]] : ['npm', []];
  const run = spawnSync(command, [...first, 'ci', '--no-audit', '--no-fund', '--loglevel=error'], {
    cwd: root,
    stdio: ['ignore', 2, 2],
  });
  if (run.status !== 0) {
    console.error(
      `novaedge: npm ci failed (${run.error?.message ?? `exit code ${run.status}`}); nothing was started`,
    );
    process.exit(run.status ?? 1);
  }
  if (!existsSync(`${root}node_modules/.bin/node`)) {
    console.error(
      `novaedge: no Node 26 runtime for ${process.platform}-${process.arch} is published to npm; put Node >= 26 on the PATH`,
    );
    if (Number(process.versions.node.split('.')[0]) < 26) process.exit(1);
  }
  writeFileSync(stamp, lock);
}
