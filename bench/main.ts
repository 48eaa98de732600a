/**
 * `npm run bench [-- --only WORK] [--json] [--rounds N] [--seconds N]`
 *
 * Each proxy has one worker on one core, the same backend, and load from the other core. Proxies take turns, the
 * median round counts. CPU is what the proxy's processes used, from /proc, divided by the requests answered.
 */
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { availableParallelism, cpus, release, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { startBackend } from './backend.ts';
import { type ConfigurationMeasure, measureConfigurationChange } from './configuration-change.ts';
import { caddy } from './contender/caddy.ts';
import { type Contender, LOAD_CORE } from './contender/contender.ts';
import { haproxy } from './contender/haproxy.ts';
import { nginx } from './contender/nginx.ts';
import { novaedge } from './contender/novaedge.ts';
import { IDLE_CONNECTIONS, type IdleMemory, measureIdleMemory } from './idle-memory.ts';
import { JOURNAL_WORKS, type JournalCost, measureJournal } from './journal.ts';
import { installed } from './process.ts';
import { measure, median, type Round } from './round.ts';
import { WORKS, type Work } from './work.ts';

const CONTENDERS: readonly Contender[] = [novaedge, nginx, haproxy, caddy];
const CONFIGURATION_CHANGE = 'config-endpoint-change';

const { values } = parseArgs({
  options: {
    only: { type: 'string', multiple: true },
    json: { type: 'boolean', default: false },
    rounds: { type: 'string', default: '3' },
    seconds: { type: 'string', default: '4' },
    list: { type: 'boolean', default: false },
  },
});
const say = values.json ? console.error : console.log;

if (values.list) {
  for (const work of [...WORKS, ...JOURNAL_WORKS]) console.log(`${work.name.padEnd(24)} ${work.help}`);
  console.log(`${IDLE_CONNECTIONS.padEnd(24)} memory of connections that wait for their next request`);
  console.log(`${CONFIGURATION_CHANGE.padEnd(24)} 10,000 routes, 50,000 endpoints: one endpoint changes`);
  process.exit(0);
}
const known = [
  ...[...WORKS, ...JOURNAL_WORKS].map((work) => work.name),
  IDLE_CONNECTIONS,
  CONFIGURATION_CHANGE,
];
for (const name of values.only ?? []) {
  if (!known.includes(name)) {
    console.error(`no work is called ${name}; there are: ${known.join(', ')}`);
    process.exit(2);
  }
}
const wanted = (name: string) => values.only === undefined || values.only.includes(name);
for (const tool of ['wrk', 'h2load', 'nginx', 'taskset']) {
  if (!installed(tool)) {
    console.error(
      `${tool} is needed for every figure and not installed (Debian: wrk, nghttp2-client, nginx-light, util-linux)`,
    );
    process.exit(1);
  }
}
if (availableParallelism() < 2) {
  console.error('two cores are needed: one for the proxy, one for load and backend');
  process.exit(1);
}

const proxies = CONTENDERS.filter((proxy) => {
  const missing = proxy.missing();
  if (missing !== null) say(`left out: ${missing}`);
  return missing === null;
});

interface WorkResult {
  name: string;
  results: (Round & { proxy: string })[];
}

const directory = mkdtempSync(join(tmpdir(), 'novaedge-bench-'));
// nginx's workers run as another user when it is started by root.
chmodSync(directory, 0o755);
const works: WorkResult[] = [];
const measures: ConfigurationMeasure[] = [];
const journal: JournalCost[] = [];
const memory: IdleMemory[] = [];
try {
  const backend = await startBackend(LOAD_CORE, join(directory, 'backend'));
  try {
    for (const work of WORKS.filter((each) => wanted(each.name)))
      works.push(await compare(work, backend.port));
    if (wanted(IDLE_CONNECTIONS))
      memory.push(...(await measureIdleMemory(proxies, backend.port, directory, say)));
    const times = { rounds: Number(values.rounds), seconds: Number(values.seconds) };
    for (const work of JOURNAL_WORKS.filter((each) => wanted(each.name)))
      journal.push(await measureJournal({ work, backendPort: backend.port, directory, ...times, say }));
  } finally {
    await backend.stop();
  }
  if (wanted(CONFIGURATION_CHANGE)) {
    const result = await measureConfigurationChange(join(directory, CONFIGURATION_CHANGE), say);
    measures.push(result);
    say(`\n${CONFIGURATION_CHANGE}: 10,000 routes, 50,000 endpoints, ${result.workers} workers`);
    say(
      `  message to the agent ${result.messageBytes} bytes; from the saved file to every worker: median ${result.millis.p50.toFixed(1)} ms, worst ${result.millis.max.toFixed(1)} ms (${result.changes} changes)`,
    );
    say(
      `  of it on average: manifest to resources ${result.ownMillis.reconcile.toFixed(1)} ms, agent to every worker ${result.ownMillis.apply.toFixed(1)} ms`,
    );
  }
} finally {
  rmSync(directory, { recursive: true, force: true });
}

const machine = {
  cpu: cpus()[0]?.model ?? '',
  cores: cpus().length,
  kernel: release(),
  node: process.version,
  date: new Date().toISOString(),
};
if (values.json) console.log(JSON.stringify({ machine, works, journal, memory, measures }, null, 2));

async function compare(work: Work, backendPort: number): Promise<WorkResult> {
  say(`\n${work.name}: ${work.help}`);
  const rate = work.load === 'half' ? await halfLoad(work, backendPort) : null;
  if (rate !== null) say(`  ${rate} requests/s`);
  const rounds = new Map<string, Round[]>();
  for (let round = 0; round < Number(values.rounds); round += 1) {
    for (const proxy of proxies) {
      const result = await measure(proxy, work, backendPort, Number(values.seconds), rate, directory);
      rounds.set(proxy.name, [...(rounds.get(proxy.name) ?? []), result]);
      if (result.errors > 0) say(`  ${proxy.name}: ${result.errors} errors in round ${round + 1}`);
    }
  }
  const results = proxies.map((proxy) => ({ proxy: proxy.name, ...median(rounds.get(proxy.name)!) }));
  const cpu = (result: Round) => result.cpuMicrosPerRequest.user + result.cpuMicrosPerRequest.system;
  const own = results.find((result) => result.proxy === 'novaedge');
  say(
    '  proxy      requests/s   CPU µs/request (user + system)   p50 µs   p99 µs p99.9 µs   novaedge/peer CPU',
  );
  for (const result of results) {
    const { user, system } = result.cpuMicrosPerRequest;
    const ratio = own === undefined || own === result ? '' : `${(cpu(own) / cpu(result)).toFixed(2)}×`;
    const parts = `${cpu(result).toFixed(1).padStart(6)} (${user.toFixed(1)} + ${system.toFixed(1)})`;
    say(
      `  ${result.proxy.padEnd(9)} ${result.requestsPerSecond.toFixed(0).padStart(11)}   ${parts.padEnd(30)} ${String(result.latencyMicros.p50).padStart(8)} ${String(result.latencyMicros.p99).padStart(8)} ${String(result.latencyMicros.p999).padStart(8)}   ${ratio}`,
    );
  }
  return { name: work.name, results };
}

/** Half of what NovaEdge answers in a second. */
async function halfLoad(work: Work, backendPort: number): Promise<number> {
  const whole = await measure(novaedge, work, backendPort, 3, null, directory);
  return Math.floor(whole.requestsPerSecond / 2);
}
