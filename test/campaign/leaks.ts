import { setTimeout as sleep } from 'node:timers/promises';
import { type FaultySystem, faultySystem, WORKERS } from '../e2e/faults/system.ts';
import { backend, backendManifest, eventually, routeManifest, type Scope } from '../e2e/harness.ts';
import { type ProcessFigures, processFigures } from './process-figures.ts';

interface Sample extends ProcessFigures {
  readonly after: number;
  /** MiB that the main thread's heap holds after a collection. */
  readonly heap: number;
}

const SAMPLES = 10;
/** What caches and pools may still grow after the warm-up, far below one of anything for each round. */
const SLACK = { sockets: 12, files: 12, threads: 2, heap: 12 };

/** Restarts workers, then changes the configuration, again and again. Returns whether nothing piled up. */
export async function leaks(scope: Scope, restarts: number, reloads: number): Promise<boolean> {
  const two = await backend(scope, 'two');
  const options = ['--worker-memory', '128M', '--worker-restarts', '5/100ms'];
  const system = await faultySystem(scope, { keepAlive: 4, fresh: 3 }, ...options);
  const restarted = await series(system, 'restarts', restarts, async (index) => {
    const worker = index % WORKERS;
    const at = await system.injector.fault(worker, index % 4 < 2 ? 'exit' : 'throw');
    await system.injector.back(worker, at);
  });
  await system.calm();
  const reloaded = await series(system, 'reloads', reloads, async (index) => {
    const wished = index % 2 === 0 ? 'two' : 'one';
    system.write(
      'changing.yaml',
      `${backendManifest('two', two.port)}---\n${routeManifest('changing', '/changing', wished)}`,
    );
    await eventually(
      `reload ${index}`,
      async () => (await (await fetch(system.url('/changing'))).text()) === wished,
    );
  });
  const code = await system.stop();
  if (code !== 0) console.log(`ended with ${code}`);
  return restarted && reloaded && code === 0;
}

async function series(
  system: FaultySystem,
  what: string,
  count: number,
  round: (index: number) => Promise<void>,
): Promise<boolean> {
  const step = Math.max(1, Math.floor(count / SAMPLES));
  const samples: Sample[] = [];
  const began = performance.now();
  for (let index = 0; index < count; index += 1) {
    await round(index);
    if ((index + 1) % step === 0) samples.push(await sample(system, index + 1));
  }
  console.log(`\n${count} ${what} in ${((performance.now() - began) / 1_000).toFixed(0)} s\n`);
  console.log('   after  sockets   files  threads  RSS MiB  heap MiB');
  for (const { after, sockets, files, threads, rss, heap } of samples)
    console.log(
      [after, sockets, files, threads, rss, heap.toFixed(1)]
        .map((each) => String(each).padStart(8))
        .join(' '),
    );
  const warm = samples[Math.min(1, samples.length - 1)]!;
  const last = samples.at(-1)!;
  const grown = (Object.keys(SLACK) as (keyof typeof SLACK)[]).filter(
    (each) => last[each] - warm[each] > SLACK[each],
  );
  if (grown.length > 0) console.log(`grown since the warm-up: ${grown.join(', ')}`);
  return grown.length === 0;
}

async function sample(system: FaultySystem, after: number): Promise<Sample> {
  // Until a spare thread is there again, and what has been closed is gone.
  await sleep(1_500);
  const heap = (await system.injector.heapBytes()) / 1_048_576;
  return { after, heap, ...processFigures(system.process.pid!) };
}
