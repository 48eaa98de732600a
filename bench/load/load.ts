import { fileURLToPath } from 'node:url';
import type { Work } from '../work/work.ts';
import { h2loadLoad, handshakeLoad } from './h2load.ts';
import type { LoadResult } from './result.ts';
import { resultLine, run } from './run.ts';
import { wrkLoad } from './wrk.ts';

const peer = fileURLToPath(new URL('../peer.ts', import.meta.url));

/** Puts as much load of a work on a proxy as it takes (handshakes: at their pace), from one core, for some seconds. */
export function load(
  core: number,
  port: number,
  work: Work,
  seconds: number,
  directory: string,
): Promise<LoadResult> {
  switch (work.loader) {
    case 'wrk':
      return wrkLoad(core, port, work, seconds, directory);
    case 'h2load':
      return h2loadLoad(core, port, work, seconds, directory);
    case 'handshakes':
      return handshakeLoad(core, port, work, seconds);
    case 'resumptions':
    case 'grpc-stream':
    case 'websocket':
      return peerLoad(core, port, work, seconds);
  }
}

/** By `bench/peer.ts`, in a process of its own. */
async function peerLoad(core: number, port: number, work: Work, seconds: number): Promise<LoadResult> {
  const numbers = [port, work.connections, work.streams, seconds].map(String);
  const output = await run(core, [process.execPath, peer, 'load', work.loader, ...numbers]);
  return resultLine(work.loader, output);
}
