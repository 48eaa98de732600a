import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Contender, PROXY_CORE } from './contender.ts';
import { freePort, startOnCore } from './process.ts';
import { measure, median, type Round } from './round.ts';
import { SMALL, type Work } from './work.ts';

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
  readonly on: Round;
  readonly off: Round;
  /** Share of CPU per request that the journal costs: 0.01 is one percent. */
  readonly cpu: number;
  /** Share of the requests per second. */
  readonly throughput: number;
  readonly eventsPerSecond: number;
}

const program = fileURLToPath(new URL('../src/bin/novaedge.mjs', import.meta.url));

/** The same agent with its journal and without, turn by turn, so that what else the machine does hits both alike. */
export async function measureJournal(options: {
  readonly work: Work;
  readonly backendPort: number;
  readonly directory: string;
  readonly rounds: number;
  readonly seconds: number;
  readonly say: (text: string) => void;
}): Promise<JournalCost> {
  const { work, backendPort, directory, rounds, seconds, say } = options;
  say(`\n${work.name}: ${work.help}`);
  const measured: Record<'on' | 'off', Round[]> = { on: [], off: [] };
  const events: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    for (const mode of round % 2 === 0 ? (['on', 'off'] as const) : (['off', 'on'] as const)) {
      const home = join(directory, `journal-${mode}`);
      rmSync(home, { recursive: true, force: true });
      const began = performance.now();
      measured[mode].push(await measure(agent(mode), work, backendPort, seconds, directory));
      if (mode === 'on')
        events.push(recordsIn(join(home, 'data/journal')) / ((performance.now() - began) / 1_000));
    }
  }
  const [on, off] = [median(measured.on), median(measured.off)];
  const cpu = (round: Round) => round.cpuMicrosPerRequest.user + round.cpuMicrosPerRequest.system;
  const cost: JournalCost = {
    name: work.name,
    on,
    off,
    cpu: cpu(on) / cpu(off) - 1,
    throughput: 1 - on.requestsPerSecond / off.requestsPerSecond,
    eventsPerSecond: events.sort((a, b) => a - b)[Math.floor(events.length / 2)]!,
  };
  for (const [mode, round] of Object.entries({ on, off }))
    say(
      `  ${mode.padEnd(4)} ${round.requestsPerSecond.toFixed(0).padStart(8)} requests/s   CPU ${cpu(round).toFixed(2).padStart(6)} µs/request   p99 ${round.latencyMicros.p99} µs   ${round.errors} errors`,
    );
  say(
    `  costs ${percent(cost.cpu)} CPU a request, ${percent(cost.throughput)} requests/s; ${cost.eventsPerSecond.toFixed(0)} events/s`,
  );
  return cost;
}

function agent(mode: 'on' | 'off'): Contender {
  return {
    name: `journal-${mode}`,
    missing: () => null,
    async start({ directory, backendPort, work }) {
      const [port, admin, dead] = [await freePort(), await freePort(), await freePort()];
      const config = join(directory, 'config');
      mkdirSync(config, { recursive: true });
      writeFileSync(join(config, 'bench.yaml'), manifests(port, backendPort, dead, work.spread));
      const arguments_ = ['standalone', '--config', config, '--data', join(directory, 'data')];
      arguments_.push('--bind', '127.0.0.1', '--workers', '1', '--admin', `127.0.0.1:${admin}`);
      arguments_.push('--log-level', 'error', '--journal', mode);
      const started = await startOnCore(PROXY_CORE, [process.execPath, program, ...arguments_], port);
      return { ...started, port };
    },
  };
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
