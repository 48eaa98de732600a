/**
 * `npx node bench/profile.ts [WORK]`: where the dataplane worker's time goes under one work of `npm run bench`, by
 * function and by file, from a CPU profile (samples each 200 µs; the system calls stand under the function that makes
 * them). Without the start: only what was sampled under load counts.
 */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startBackend } from './backend.ts';
import { LOAD_CORE } from './contender/contender.ts';
import { novaedge } from './contender/novaedge.ts';
import { load } from './load.ts';
import { SMALL, WORKS } from './work.ts';

const WARM_SECONDS = 3;
const SECONDS = 8;
const ROWS = 25;

interface Profile {
  readonly nodes: readonly {
    readonly id: number;
    readonly callFrame: { readonly functionName: string; readonly url: string; readonly lineNumber: number };
  }[];
  /** Microseconds. */
  readonly startTime: number;
  readonly samples: readonly number[];
  readonly timeDeltas: readonly number[];
}

const name = process.argv[2] ?? SMALL.name;
const work = WORKS.find((each) => each.name === name);
if (work === undefined) {
  console.error(`no work is called ${name}; there are: ${WORKS.map((each) => each.name).join(', ')}`);
  process.exit(2);
}
const directory = mkdtempSync(join(tmpdir(), 'novaedge-profile-'));
try {
  const backend = await startBackend(LOAD_CORE, join(directory, 'backend'));
  process.env.NODE_OPTIONS = `--cpu-prof --cpu-prof-interval=200 --cpu-prof-dir=${directory}`;
  const proxy = await novaedge.start({
    directory: join(directory, 'novaedge'),
    backendPort: backend.port,
    work,
  });
  await load(LOAD_CORE, proxy.port, work, WARM_SECONDS, directory);
  const { requests } = await load(LOAD_CORE, proxy.port, work, SECONDS, directory);
  await proxy.stop();
  await backend.stop();
  const profiles = readdirSync(directory)
    .filter((file) => file.endsWith('.cpuprofile'))
    .map((file) => JSON.parse(readFileSync(join(directory, file), 'utf8')) as Profile);
  // Of all threads, the one that did the most is the worker that served.
  const busiest = profiles
    .map((profile) => sum(profile))
    .sort((a, b) => total(b.byFunction) - total(a.byFunction))[0]!;
  const micros = total(busiest.byFunction);
  console.log(
    `${name}: ${requests} requests in ${SECONDS} s; ${(micros / 1e6).toFixed(1)} s sampled while busy`,
  );
  print('function', busiest.byFunction, micros);
  print('file', busiest.byFile, micros);
} finally {
  rmSync(directory, { recursive: true, force: true });
}

interface Shares {
  readonly byFunction: ReadonlyMap<string, number>;
  readonly byFile: ReadonlyMap<string, number>;
}

/** Self time in microseconds of the last `SECONDS` of a profile, without idle. */
function sum(profile: Profile): Shares {
  const frames = new Map(profile.nodes.map(({ id, callFrame }) => [id, callFrame]));
  const whole = profile.timeDeltas.reduce((time, delta) => time + delta, 0);
  const byFunction = new Map<string, number>();
  const byFile = new Map<string, number>();
  let time = 0;
  for (const [index, id] of profile.samples.entries()) {
    const delta = profile.timeDeltas[index]!;
    time += delta;
    const { functionName, url, lineNumber } = frames.get(id)!;
    if (time < whole - (SECONDS + 1) * 1e6 || functionName === '(idle)' || functionName === '(root)')
      continue;
    const file = url === '' ? 'runtime' : url.replace(/^.*\/(src|actors|supervisors|node_modules)\//, '$1/');
    add(
      byFunction,
      `${functionName || '(anonymous)'} ${file}${url === '' ? '' : `:${lineNumber + 1}`}`,
      delta,
    );
    add(byFile, functionName.startsWith('(') ? functionName : file, delta);
  }
  return { byFunction, byFile };
}

function add(to: Map<string, number>, key: string, micros: number): void {
  to.set(key, (to.get(key) ?? 0) + micros);
}

function total(times: ReadonlyMap<string, number>): number {
  return [...times.values()].reduce((all, micros) => all + micros, 0);
}

function print(what: string, times: ReadonlyMap<string, number>, micros: number): void {
  console.log(`\n  share  ${what}`);
  for (const [key, part] of [...times].sort(([, a], [, b]) => b - a).slice(0, ROWS))
    console.log(`${((part / micros) * 100).toFixed(1).padStart(6)} %  ${key}`);
}
