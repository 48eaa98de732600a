/**
 * `npm run bench [-- --only WORK | --quick] [--json] [--rounds N] [--seconds N] [--strict]`
 *
 * Each proxy has one worker on one core, the same backend, and load from the other core. Proxies take turns, the
 * median round counts. CPU is what the proxy's processes used, from /proc, divided by what was answered.
 */
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { availableParallelism, cpus, release, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { startBackends } from './backend.ts';
import { writeCertificate } from './certificate.ts';
import { compare, type WorkResult } from './comparison.ts';
import { type ConfigurationMeasure, measureConfigurationChange } from './configuration-change.ts';
import { caddy } from './contender/caddy.ts';
import { type Contender, LOAD_CORE } from './contender/contender.ts';
import { haproxy } from './contender/haproxy.ts';
import { nginx } from './contender/nginx.ts';
import { novaedge } from './contender/novaedge.ts';
import { type IdleMemory, measureIdleMemory } from './idle/idle-memory.ts';
import { IDLE_WORKS } from './idle/idle-work.ts';
import { JOURNAL_WORKS, type JournalCost, measureJournal } from './journal.ts';
import { installed } from './process.ts';
import { WORKS } from './work/works.ts';

const CONTENDERS: readonly Contender[] = [novaedge, nginx, haproxy, caddy];
const CONFIGURATION_CHANGE = {
  name: 'config-endpoint-change',
  help: '10,000 routes, 50,000 endpoints: one endpoint changes',
};

const { values } = parseArgs({
  options: {
    only: { type: 'string', multiple: true },
    json: { type: 'boolean', default: false },
    rounds: { type: 'string', default: '3' },
    seconds: { type: 'string', default: '4' },
    list: { type: 'boolean', default: false },
    strict: { type: 'boolean', default: false },
    quick: { type: 'boolean', default: false },
  },
});
const say = values.json ? console.error : console.log;

const all = [...WORKS, ...JOURNAL_WORKS, ...IDLE_WORKS, CONFIGURATION_CHANGE];
if (values.list) {
  for (const { name, help } of all) console.log(`${name.padEnd(24)} ${help}`);
  process.exit(0);
}
const known = all.map(({ name }) => name);
for (const name of values.only ?? []) {
  if (!known.includes(name)) {
    console.error(`no work is called ${name}; there are: ${known.join(', ')}`);
    process.exit(2);
  }
}
/** One second of one work of each protocol. */
const QUICK = [
  'tls-handshake-ec',
  'tls-resumed',
  'tls-h1-keepalive-small',
  'h2-h1-16x16',
  'h2-h2-1x100',
  'tls-h2-h1-16x16',
  'grpc-unary',
  'grpc-stream',
  'websocket-echo',
];
const only = values.only ?? (values.quick ? QUICK : undefined);
const [rounds, seconds] = values.quick ? [1, 1] : [Number(values.rounds), Number(values.seconds)];
const isWanted = ({ name }: { readonly name: string }) => only === undefined || only.includes(name);
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

const directory = mkdtempSync(join(tmpdir(), 'novaedge-bench-'));
// nginx's workers run as another user when it is started by root.
chmodSync(directory, 0o755);
const works: WorkResult[] = [];
const measures: ConfigurationMeasure[] = [];
const journal: JournalCost[] = [];
const memory: IdleMemory[] = [];
try {
  const certificates = {
    EC: await writeCertificate(directory, 'EC'),
    RSA: await writeCertificate(directory, 'RSA'),
  };
  const backends = await startBackends(LOAD_CORE, join(directory, 'backend'));
  const times = { rounds, seconds };
  try {
    for (const work of WORKS.filter(isWanted)) {
      const backendPort = backends.portOf(work);
      works.push(await compare(work, proxies, { certificates, directory, backendPort, ...times, say }));
    }
    for (const idle of IDLE_WORKS.filter(isWanted)) {
      const backendPort = backends.portOf(idle.work);
      memory.push(...(await measureIdleMemory(idle, proxies, { certificates, directory, backendPort }, say)));
    }
    for (const work of JOURNAL_WORKS.filter(isWanted)) {
      const backendPort = backends.portOf(work);
      journal.push(await measureJournal({ work, backendPort, directory, ...times, say }));
    }
  } finally {
    await backends.stop();
  }
  if (isWanted(CONFIGURATION_CHANGE)) {
    const result = await measureConfigurationChange(join(directory, CONFIGURATION_CHANGE.name), say);
    measures.push(result);
    say(`\n${CONFIGURATION_CHANGE.name}: 10,000 routes, 50,000 endpoints, ${result.workers} workers`);
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

const failed = works
  .flatMap(({ name, leftOut }) => leftOut.map((one) => ({ name, ...one })))
  .filter(({ isKnown }) => !isKnown);
if (values.strict && failed.length > 0) {
  for (const { name, proxy, reason } of failed) console.error(`${name}: ${proxy} did not: ${reason}`);
  process.exitCode = 1;
}
