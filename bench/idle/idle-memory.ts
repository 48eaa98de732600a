import { readFileSync } from 'node:fs';
import type { Socket } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Contender, StartOptions } from '../contender/contender.ts';
import { processTree } from '../cpu.ts';
import { prove } from '../proof.ts';
import type { IdleWork } from './idle-work.ts';

const FIRST = 1000;
const AT_ONCE = 200;
/** Clients' addresses of loopback; none of them is anybody else's, nor runs out of ports. */
const ADDRESSES = Array.from({ length: 8 }, (_, index) => `127.77.0.${index + 1}`);

export interface IdleMemory {
  readonly name: string;
  readonly proxy: string;
  readonly connections: number;
  /** Resident memory of the proxy's processes for each connection, without that of the kernel. */
  readonly bytesEach: number;
}

/** Opens connections that each get one answer and then wait, and reads what the proxy's resident memory grew by. */
export async function measureIdleMemory(
  idle: IdleWork,
  proxies: readonly Contender[],
  common: Omit<StartOptions, 'work'>,
  say: (text: string) => void,
): Promise<IdleMemory[]> {
  const { name, work, connections } = idle;
  say(`\n${name}: ${idle.help} (${connections} beside ${FIRST} that came before)`);
  const results: IdleMemory[] = [];
  for (const proxy of proxies) {
    const sockets: Socket[] = [];
    await using running = new AsyncDisposableStack();
    running.defer(() => {
      for (const socket of sockets) socket.destroy();
    });
    try {
      const directory = join(common.directory, `${name}-${proxy.name}`);
      const started = await proxy.start({ ...common, directory, work });
      running.defer(() => started.stop());
      await prove(work, started.port);
      // What the first thousand cost is mostly the growth of heaps, which the rest then has.
      await open(idle, started.port, FIRST, sockets);
      await sleep(2000);
      const before = residentBytes(started.pid);
      await open(idle, started.port, connections, sockets);
      await sleep(2000);
      const gone = sockets.filter((socket) => socket.closed).length;
      if (gone > 0) throw new Error(`${gone} of ${sockets.length} connections were closed`);
      const bytesEach = Math.round((residentBytes(started.pid) - before) / connections);
      results.push({ name, proxy: proxy.name, connections, bytesEach });
      say(`  ${proxy.name.padEnd(9)} ${(bytesEach / 1024).toFixed(1)} KiB each`);
    } catch (error) {
      say(`  ${proxy.name} is left out: ${error instanceof Error ? error.message : error}`);
    }
  }
  return results;
}

async function open(idle: IdleWork, port: number, count: number, sockets: Socket[]): Promise<void> {
  for (let left = count; left > 0; left -= AT_ONCE) {
    const some = Array.from({ length: Math.min(AT_ONCE, left) }, async (_, index) => {
      const socket = await idle.open(port, ADDRESSES[index % ADDRESSES.length]!);
      socket.on('error', () => {});
      return socket;
    });
    sockets.push(...(await Promise.all(some)));
  }
}

function residentBytes(pid: number): number {
  let bytes = 0;
  for (const member of processTree(pid)) {
    const line = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${member}/status`, 'utf8'));
    bytes += Number(line?.[1] ?? 0) * 1024;
  }
  return bytes;
}
