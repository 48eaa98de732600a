// Starts a program of this package on any Node from 20 on: on a fresh clone it installs first, and an older Node
// hands over to the one that the package brings along. Plain JavaScript, because older Nodes run it.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import module from 'node:module';
import { fileURLToPath } from 'node:url';

/** @param {URL} program */
export async function launch(program) {
  const modules = fileURLToPath(new URL('../node_modules', import.meta.url));
  if (!existsSync(modules)) await import('./setup.mjs');
  if (Number(process.versions.node.split('.')[0]) >= 26) {
    // Compiled code is kept, for the worker threads too: a start or a replaced worker then loads in a third of the
    // time. Not in the temporary directory, where another user could lay code for us to run.
    process.env.NODE_COMPILE_CACHE ??= `${modules}/.cache/compiled`;
    module.enableCompileCache(process.env.NODE_COMPILE_CACHE);
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
