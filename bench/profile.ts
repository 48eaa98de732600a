/**
 * `npm run profile -- [WORK] [--seconds N] [--keep FILE]`: where the dataplane worker's time goes under one work of
 * `npm run bench`, by function and by file, from a CPU profile (samples each 200 µs; the system calls stand under the
 * function that makes them). Without the start: only what was sampled under load counts. What is kept opens in the
 * developer tools of a browser.
 */
import { copyFileSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { startBackends } from './backend.ts';
import { writeCertificate } from './certificate.ts';
import { LOAD_CORE } from './contender/contender.ts';
import { novaedge } from './contender/novaedge.ts';
import { load } from './load/load.ts';
import { prove } from './proof.ts';
import { SMALL } from './work/work.ts';
import { WORKS } from './work/works.ts';

const WARM_SECONDS = 3;
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

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { seconds: { type: 'string', default: '8' }, keep: { type: 'string' } },
});
const seconds = Number(values.seconds);
const name = positionals[0] ?? SMALL.name;
const work = WORKS.find((each) => each.name === name);
if (work === undefined) {
  console.error(`no work is called ${name}; there are: ${WORKS.map((each) => each.name).join(', ')}`);
  process.exit(2);
}
const directory = mkdtempSync(join(tmpdir(), 'novaedge-profile-'));
try {
  await using running = new AsyncDisposableStack();
  const certificates = {
    EC: await writeCertificate(directory, 'EC'),
    RSA: await writeCertificate(directory, 'RSA'),
  };
  const backends = await startBackends(LOAD_CORE, join(directory, 'backend'));
  running.defer(() => backends.stop());
  const options = process.env.NODE_OPTIONS;
  process.env.NODE_OPTIONS = `--cpu-prof --cpu-prof-interval=200 --cpu-prof-dir=${directory}`;
  const proxy = await novaedge.start({
    directory: join(directory, 'novaedge'),
    backendPort: backends.portOf(work),
    certificates,
    work,
  });
  // What makes the load may be a Node program, too.
  if (options === undefined) delete process.env.NODE_OPTIONS;
  else process.env.NODE_OPTIONS = options;
  running.defer(() => proxy.stop());
  await prove(work, proxy.port);
  await load(LOAD_CORE, proxy.port, work, WARM_SECONDS, directory);
  const { units } = await load(LOAD_CORE, proxy.port, work, seconds, directory);
  // The profiles are written at its end.
  await proxy.stop();
  const profiles = readdirSync(directory)
    .filter((file) => file.endsWith('.cpuprofile'))
    .map((file) => join(directory, file))
    .map((file) => ({ file, ...sum(JSON.parse(readFileSync(file, 'utf8')) as Profile) }));
  // Of all threads, the one that did the most is the worker that served.
  const busiest = profiles.sort((a, b) => total(b.byFunction) - total(a.byFunction))[0]!;
  const micros = total(busiest.byFunction);
  console.log(
    `${name}: ${units.toFixed(0)} ${work.unit}s in ${seconds} s; ${(micros / 1e6).toFixed(1)} s sampled while busy`,
  );
  print('function', busiest.byFunction, micros);
  print('file', busiest.byFile, micros);
  if (values.keep !== undefined) copyFileSync(busiest.file, values.keep);
} finally {
  rmSync(directory, { recursive: true, force: true });
}

interface Shares {
  readonly byFunction: ReadonlyMap<string, number>;
  readonly byFile: ReadonlyMap<string, number>;
}

/** Self time in microseconds of the last seconds of a profile, which are those of the load, without idle. */
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
    if (time < whole - (seconds + 1) * 1e6 || functionName === '(idle)' || functionName === '(root)')
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
