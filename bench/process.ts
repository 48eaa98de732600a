import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

export interface Started {
  readonly pid: number;
  stop(): Promise<void>;
}

export function installed(program: string): boolean {
  return spawnSync('sh', ['-c', `command -v ${program}`]).status === 0;
}

/** Starts a program on the given cores and waits until it takes connections on `port`; shows its output when it fails. */
export async function startOnCore(
  core: number | string,
  command: readonly string[],
  port: number,
  seconds = 15,
): Promise<Started> {
  const child = spawn('taskset', ['-c', String(core), ...command], { stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (bytes: Buffer) => {
      output = (output + bytes.toString()).slice(-4000);
    });
  }
  for (let attempt = 0; attempt < seconds * 20; attempt += 1) {
    if (child.exitCode !== null) throw new Error(`${command[0]} exited with ${child.exitCode}:\n${output}`);
    if (await accepts(port)) return { pid: child.pid!, stop: () => stop(child) };
    await sleep(50);
  }
  await stop(child);
  throw new Error(
    `${command.join(' ')} does not take connections on port ${port} after ${seconds} s:\n${output}`,
  );
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  child.kill('SIGTERM');
  const killer = setTimeout(() => child.kill('SIGKILL'), 5_000);
  await exited;
  clearTimeout(killer);
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}

/** A port of loopback that nobody listens on now. */
export async function freePort(): Promise<number> {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}
