import { runNovactl } from '../cli/program.ts';
import { VERSION } from '../os/version.ts';

// The reader went away (`novactl actors | head`): nothing is left to do.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(0);
  throw error;
});

process.exitCode = await runNovactl(process.argv.slice(2), VERSION, {
  stdin: process.stdin,
  stdout: process.stdout,
  stderr: process.stderr,
  env: process.env,
  now: Date.now,
});
