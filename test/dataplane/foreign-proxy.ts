import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';

async function freePort(): Promise<number> {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

async function isOpen(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1');
  const opened = await Promise.race([
    once(socket, 'connect').then(() => true),
    once(socket, 'error').then(() => false),
  ]).catch(() => false);
  socket.destroy();
  return opened;
}

/** Runs `command` until the test is over. Resolves once the port is open; throws with what it said if it ends. */
async function run(context: TestContext, command: string, args: string[], port: number): Promise<void> {
  const child: ChildProcess = spawn(command, args, { stdio: ['ignore', 'ignore', 'pipe'] });
  let said = '';
  child.stderr!.on('data', (bytes: Buffer) => {
    said += bytes.toString();
  });
  const ended = once(child, 'exit');
  context.after(async () => {
    child.kill('SIGKILL');
    await ended;
  });
  while (!(await isOpen(port))) {
    if (child.exitCode !== null) throw new Error(`${command} ended: ${said}`);
    await sleep(10);
  }
}

function directoryOf(context: TestContext): string {
  const directory = mkdtempSync(join(tmpdir(), 'novaedge-foreign-'));
  context.after(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

/** HAProxy with `proxies` (of the port that it is to listen on); resolves with the port. */
export async function haproxy(context: TestContext, proxies: (port: number) => string): Promise<number> {
  const port = await freePort();
  const file = join(directoryOf(context), 'haproxy.cfg');
  const times = 'timeout connect 5s\n  timeout client 5s\n  timeout server 5s';
  writeFileSync(file, `defaults\n  mode http\n  ${times}\n${proxies(port)}\n`);
  await run(context, 'haproxy', ['-db', '-f', file], port);
  return port;
}

/** nginx with one server of these lines; resolves with the port. */
export async function nginx(context: TestContext, server: (port: number) => string): Promise<number> {
  const port = await freePort();
  const directory = directoryOf(context);
  const file = join(directory, 'nginx.conf');
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
    .map((name) => `${name}_temp_path ${directory}/${name};`)
    .join(' ');
  writeFileSync(
    file,
    `daemon off; master_process off; pid ${directory}/pid; error_log stderr error; events {}
http { access_log off; ${temporary} server { ${server(port)} } }\n`,
  );
  await run(context, 'nginx', ['-p', directory, '-c', file, '-e', 'stderr'], port);
  return port;
}
