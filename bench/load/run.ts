import { spawn } from 'node:child_process';
import { once } from 'node:events';

/** Runs a program on one core to its end. @returns what it printed. @throws Error with that, where it fails. */
export async function run(core: number, command: readonly string[]): Promise<string> {
  const child = spawn('taskset', ['-c', String(core), ...command], { stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (bytes: Buffer) => {
      output += bytes.toString();
    });
  }
  const [code] = (await once(child, 'close')) as [number];
  if (code !== 0) throw new Error(`${command[0]} failed (${code}):\n${output}`);
  return output;
}

/** The JSON behind `RESULT` on a line of its own. */
export function resultLine<T>(program: string, output: string): T {
  const line = /^RESULT (.*)$/m.exec(output)?.[1];
  if (line === undefined) throw new Error(`${program} printed no result:\n${output}`);
  return JSON.parse(line) as T;
}
