// Starts a program of this package on any Node from 20 on: on a fresh clone it installs first, and an older Node
// hands over to the one that the package brings along. Plain JavaScript, because older Nodes run it.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** @param {URL} program */
export async function launch(program) {
  const modules = fileURLToPath(new URL('../node_modules', import.meta.url));
  if (!existsSync(modules)) await import('./setup.mjs');
  if (Number(process.versions.node.split('.')[0]) >= 26) {
    await import(program.href);
    return;
  }
  const child = spawn(`${modules}/.bin/node`, [fileURLToPath(program), ...process.argv.slice(2)], {
    stdio: 'inherit',
  });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
  child.on('error', (error) => {
    console.error(`novaedge: Node 26 cannot be started: ${error.message}; run "npm ci"`);
    process.exitCode = 3;
  });
  child.on('exit', (code, signal) => {
    process.exitCode = code ?? (signal === 'SIGINT' ? 130 : 1);
  });
}
