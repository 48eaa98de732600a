import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Contender } from './contender/contender.ts';
import { processTree } from './cpu.ts';
import { SMALL } from './work.ts';

export const IDLE_CONNECTIONS = 'h1-idle-connections';
const CONNECTIONS = 8000;
const AT_ONCE = 200;
const REQUEST = 'GET / HTTP/1.1\r\nHost: bench.test\r\n\r\n';

export interface IdleMemory {
  readonly proxy: string;
  readonly connections: number;
  /** Resident memory of the proxy's processes for each connection, without that of the kernel. */
  readonly bytesEach: number;
}

/** Opens connections that each get one answer and then wait, and reads what the proxy's resident memory grew by. */
export async function measureIdleMemory(
  proxies: readonly Contender[],
  backendPort: number,
  directory: string,
  say: (text: string) => void,
): Promise<IdleMemory[]> {
  say(`\n${IDLE_CONNECTIONS}: ${CONNECTIONS} connections that have had an answer and wait`);
  const results: IdleMemory[] = [];
  for (const proxy of proxies) {
    const work = { ...SMALL, name: IDLE_CONNECTIONS };
    const started = await proxy.start({
      directory: join(directory, `${IDLE_CONNECTIONS}-${proxy.name}`),
      backendPort,
      work,
    });
    try {
      // What the first thousand cost is mostly the growth of heaps, which the rest then has.
      const first = await open(started.port, 1000);
      await sleep(2000);
      const before = residentBytes(started.pid);
      const rest = await open(started.port, CONNECTIONS);
      await sleep(2000);
      const bytesEach = Math.round((residentBytes(started.pid) - before) / CONNECTIONS);
      for (const socket of [...first, ...rest]) socket.destroy();
      results.push({ proxy: proxy.name, connections: CONNECTIONS, bytesEach });
      say(`  ${proxy.name.padEnd(9)} ${(bytesEach / 1024).toFixed(1)} KiB each`);
    } finally {
      await started.stop();
    }
  }
  return results;
}

async function open(port: number, count: number): Promise<Socket[]> {
  const sockets: Socket[] = [];
  while (sockets.length < count) {
    const some = Array.from({ length: Math.min(AT_ONCE, count - sockets.length) }, async () => {
      const socket = connect(port, '127.0.0.1');
      socket.on('error', () => {});
      socket.write(REQUEST);
      await once(socket, 'data');
      return socket;
    });
    sockets.push(...(await Promise.all(some)));
  }
  return sockets;
}

function residentBytes(pid: number): number {
  let bytes = 0;
  for (const member of processTree(pid)) {
    const line = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${member}/status`, 'utf8'));
    bytes += Number(line?.[1] ?? 0) * 1024;
  }
  return bytes;
}
