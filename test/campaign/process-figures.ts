import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

/** What a process holds, as Linux tells it. */
export interface ProcessFigures {
  readonly sockets: number;
  readonly files: number;
  readonly threads: number;
  /** MiB */
  readonly rss: number;
}

export function processFigures(pid: number): ProcessFigures {
  const directory = `/proc/${pid}`;
  const descriptors = readdirSync(`${directory}/fd`).flatMap((name) => {
    try {
      return [readlinkSync(`${directory}/fd/${name}`)];
    } catch {
      // Closed meanwhile.
      return [];
    }
  });
  const sockets = descriptors.filter((target) => target.startsWith('socket:')).length;
  const status = readFileSync(`${directory}/status`, 'utf8');
  return {
    sockets,
    files: descriptors.length - sockets,
    threads: readdirSync(`${directory}/task`).length,
    rss: Math.round(Number(/VmRSS:\s+(\d+)/.exec(status)![1]) / 1_024),
  };
}
