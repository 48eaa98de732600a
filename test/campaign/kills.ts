import { setTimeout as sleep } from 'node:timers/promises';
import { FAULT_KINDS } from '../e2e/faults/protocol.ts';
import { faultySystem, type Kill, WORKERS } from '../e2e/faults/system.ts';
import type { Scope } from '../e2e/harness.ts';

const CLIENTS = { keepAlive: 8, fresh: 4 };
/** Between two kills: faults that follow each other at once would find no spare thread. */
const PAUSE_MS = 600;

/** Kills one worker after the other under load. Returns whether all held. */
export async function kills(scope: Scope, count: number): Promise<boolean> {
  // No worker is to be left out, however many of them are killed.
  const options = ['--worker-memory', '64M', '--worker-restarts', '5/500ms'];
  const system = await faultySystem(scope, CLIENTS, ...options);
  const began = performance.now();
  const done: Kill[] = [];
  for (let index = 0; index < count; index += 1) {
    await sleep(PAUSE_MS);
    const fault = FAULT_KINDS[Math.floor(index / WORKERS) % FAULT_KINDS.length]!;
    done.push(await system.kill(index % WORKERS, fault));
  }
  const tail = await system.calm();
  const seconds = (performance.now() - began) / 1_000;
  const ready = (await fetch(`http://${system.admin}/readyz`)).ok;
  const code = await system.stop();

  console.log(
    `\n${count} kills of ${WORKERS} workers in ${seconds.toFixed(0)} s, ${CLIENTS.keepAlive} clients that keep their ` +
      `connection and ${CLIENTS.fresh} that do not, ${system.answered()} requests answered\n`,
  );
  console.log('fault    kills  back: median  worst   lost: median  worst  all   503   on other workers');
  for (const fault of [...FAULT_KINDS, 'all']) {
    const of = done.filter((kill) => fault === 'all' || kill.fault === fault);
    if (of.length > 0) console.log(row(fault, of));
  }
  const others = done.flatMap((kill) => kill.others);
  if (others.length > 0) console.log('lost on other workers:', others.slice(0, 10));
  if (tail.length > 0) console.log('lost without a kill:', tail.slice(0, 10));
  if (!ready) console.log('not ready at the end');
  if (code !== 0) console.log(`ended with ${code}`);
  return others.length === 0 && tail.length === 0 && ready && code === 0;
}

function row(fault: string, of: readonly Kill[]): string {
  const back = of.map(({ backMs }) => backMs).sort((a, b) => a - b);
  const lost = of.map((kill) => kill.lost.length).sort((a, b) => a - b);
  const all = of.flatMap((kill) => kill.lost);
  const cell = (value: number | string, width: number) => String(value).padStart(width);
  return [
    fault.padEnd(8),
    cell(of.length, 5),
    cell(`${back[back.length >> 1]!.toFixed(0)} ms`, 13),
    cell(`${back.at(-1)!.toFixed(0)} ms`, 9),
    cell(lost[lost.length >> 1]!, 11),
    cell(lost.at(-1)!, 7),
    cell(all.length, 6),
    cell(all.filter(({ how }) => how.startsWith('503')).length, 5),
    cell(of.flatMap((kill) => kill.others).length, 9),
  ].join('');
}
