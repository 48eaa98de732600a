import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { LOAD_CORE, PROXY_CORE } from './contender/contender.ts';
import { cpuTime } from './cpu.ts';
import { load } from './load/load.ts';
import { freePort, type Started, startOnCore } from './process.ts';
import { SMALL, type Work } from './work/work.ts';

/** Clusters that the load goes to in turn, in the work that causes events. */
const CLUSTERS = 20;

export const JOURNAL_WORKS: readonly Work[] = [
  { ...SMALL, name: 'journal-quiet', help: 'journal on and off: the small GET, which causes no events' },
  {
    ...SMALL,
    name: 'journal-flapping',
    help: `journal on and off: ${CLUSTERS} backends at their connection limit, half of their endpoints dead`,
    path: '/short/',
    spread: CLUSTERS,
  },
];

export interface JournalCost {
  readonly name: string;
  /** CPU in µs a request. */
  readonly on: number;
  readonly off: number;
  /** Share of CPU per request that the journal costs (0.01 is one percent), and the standard error of it. */
  readonly cpu: number;
  readonly error: number;
  readonly eventsPerSecond: number;
}

const program = fileURLToPath(new URL('../src/bin/novaedge.mjs', import.meta.url));

/**
 * The same agent with its journal and without, both running, under load by turns of a second (on off off on …), so
 * that what else the machine does hits both alike. Two processes of one program differ by some percent by themselves
 * (memory layout, compilation), so each round has new ones, and the error is that between rounds.
 */
export async function measureJournal(options: {
  readonly work: Work;
  readonly backendPort: number;
  readonly directory: string;
  readonly rounds: number;
  /** Seconds of load for each of the two in a round. */
  readonly seconds: number;
  readonly say: (text: string) => void;
}): Promise<JournalCost> {
  const { work, backendPort, rounds, seconds, say } = options;
  say(`\n${work.name}: ${work.help}`);
  const measured: RoundCost[] = [];
  for (let round = 0; round < rounds; round += 1) {
    const directory = join(options.directory, `${work.name}-${round}`);
    mkdirSync(directory);
    measured.push(await measureRound(work, backendPort, directory, seconds));
  }
  const costs = measured.map(({ on, off }) => on / off - 1);
  const cpu = mean(costs);
  const variance = costs.reduce((sum, one) => sum + (one - cpu) ** 2, 0) / Math.max(1, rounds - 1);
  const cost: JournalCost = {
    name: work.name,
    on: mean(measured.map(({ on }) => on)),
    off: mean(measured.map(({ off }) => off)),
    cpu,
    error: Math.sqrt(variance / rounds),
    eventsPerSecond: mean(measured.map(({ eventsPerSecond }) => eventsPerSecond)),
  };
  say(
    `  on ${cost.on.toFixed(2)}, off ${cost.off.toFixed(2)} CPU µs/request: costs ${percent(cpu)} ± ${percent(cost.error)} (${rounds} rounds); ${cost.eventsPerSecond.toFixed(0)} events/s`,
  );
  return cost;
}

interface RoundCost {
  /** CPU in µs a request. */
  readonly on: number;
  readonly off: number;
  readonly eventsPerSecond: number;
}

async function measureRound(
  work: Work,
  backendPort: number,
  directory: string,
  seconds: number,
): Promise<RoundCost> {
  await using running = new AsyncDisposableStack();
  const start = async (mode: 'on' | 'off') => {
    const agent = await startAgent(mode, join(directory, mode), backendPort, work);
    running.defer(() => agent.stop());
    return agent;
  };
  const agents = { on: await start('on'), off: await start('off') };
  const used = { on: { requests: 0, micros: 0 }, off: { requests: 0, micros: 0 } };
  const turn = async (mode: 'on' | 'off', counts: boolean) => {
    const { pid, port } = agents[mode];
    const before = cpuTime(pid);
    const { units } = await load(LOAD_CORE, port, work, 1, directory);
    const after = cpuTime(pid);
    if (!counts) return;
    used[mode].requests += units;
    used[mode].micros += after.user + after.system - before.user - before.system;
  };
  for (const mode of ['on', 'off', 'off', 'on'] as const) await turn(mode, false);
  const journal = join(directory, 'on/data/journal');
  const before = recordsIn(journal);
  for (let second = 0; second < seconds; second += 1)
    for (const mode of second % 2 === 0 ? (['on', 'off'] as const) : (['off', 'on'] as const))
      await turn(mode, true);
  return {
    on: used.on.micros / used.on.requests,
    off: used.off.micros / used.off.requests,
    eventsPerSecond: (recordsIn(journal) - before) / seconds,
  };
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

async function startAgent(
  mode: 'on' | 'off',
  directory: string,
  backendPort: number,
  work: Work,
): Promise<Started & { readonly port: number }> {
  const [port, admin, dead] = [await freePort(), await freePort(), await freePort()];
  const config = join(directory, 'config');
  mkdirSync(config, { recursive: true });
  writeFileSync(join(config, 'bench.yaml'), manifests(port, backendPort, dead, work.spread));
  const arguments_ = ['standalone', '--config', config, '--data', join(directory, 'data')];
  arguments_.push('--bind', '127.0.0.1', '--workers', '1', '--admin', `127.0.0.1:${admin}`);
  arguments_.push('--log-level', 'error', '--journal', mode);
  const started = await startOnCore(PROXY_CORE, [process.execPath, program, ...arguments_], port);
  return { ...started, port };
}

function recordsIn(journal: string): number {
  let records = 0;
  for (const name of readdirSync(journal))
    for (const line of readFileSync(join(journal, name), 'utf8').split('\n'))
      if (line.includes('"seq":')) records += 1;
  return records;
}

function percent(share: number): string {
  return `${(share * 100).toFixed(1)} %`;
}

/** `spread` 0: one backend for everything, with room; else that many, at their limits. */
function manifests(port: number, backendPort: number, dead: number, spread: number): string {
  const api = 'apiVersion: novaedge.io/v1alpha1';
  const numbers = Array.from({ length: Math.max(1, spread) }, (_, index) => index + 1);
  const parts = numbers.map((number) => {
    const path = spread === 0 ? '/' : `/short/${number}`;
    const more =
      spread === 0
        ? `  endpoints: [{ address: 127.0.0.1, port: ${backendPort} }]`
        : `  endpoints: [{ address: 127.0.0.1, port: ${backendPort} }, { address: 127.0.0.1, port: ${dead} }]
  circuitBreaker: { maxConnections: 3, maxPendingRequests: 100 }`;
    return `---
${api}
kind: ProxyBackend
metadata: { name: backend-${number} }
spec:
${more}
---
${api}
kind: ProxyRoute
metadata: { name: route-${number} }
spec:
  rules:
    - matches: [{ path: { type: ${spread === 0 ? 'PathPrefix' : 'Exact'}, value: ${path} } }]
      backendRef: { name: backend-${number} }
`;
  });
  return `${api}
kind: ProxyGateway
metadata: { name: bench }
spec:
  listeners: [{ name: http, port: ${port}, protocol: HTTP }]
${parts.join('')}`;
}
