import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { Agent, createServer, get, type Server } from 'node:http';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { freePort, startOnCore } from './process.ts';

const SERVICES = 1_000;
const ENDPOINTS_EACH = 50;
const ROUTES_EACH = 10;
const CONNECTIONS = 16;
const CHANGES = 20;

export interface ConfigurationMeasure {
  readonly name: string;
  readonly routes: number;
  readonly endpoints: number;
  readonly workers: number;
  readonly changes: number;
  /** Bytes of the largest update that the controller sent for one changed endpoint. */
  readonly messageBytes: number;
  /** From the moment the file is saved until every connection, on every worker, is answered by the new endpoint. */
  readonly millis: { readonly p50: number; readonly max: number };
  /** Averages of its own metrics; the rest is noticing the save, the stream, and the requests that look. */
  readonly ownMillis: { readonly reconcile: number; readonly apply: number };
  /** From the start of an agent's process, with no controller in reach, to the first answer from its last good snapshot. */
  readonly coldStartMillis: number;
  /** From the start of the standalone process, with all manifests to be read for the first time, to the first answer. */
  readonly firstReadMillis: number;
}

const program = fileURLToPath(new URL('../src/bin/novaedge.mjs', import.meta.url));

/** One endpoint of 50,000 changes in its manifest; seen from outside, through connections to every worker. */
export async function measureConfigurationChange(
  directory: string,
  say: (text: string) => void,
): Promise<ConfigurationMeasure> {
  const config = join(directory, 'config');
  mkdirSync(config, { recursive: true });
  const [port, adminPort] = [await freePort(), await freePort()];
  const backends = [await answering('a'), await answering('b')];
  writeFileSync(join(config, 'gateway.yaml'), gateway(port));
  for (let service = 0; service < SERVICES; service += 1)
    writeFileSync(join(config, `service-${service}.yaml`), serviceManifests(service));
  const slice = join(config, 'probe-slice.yaml');
  writeFileSync(join(config, 'probe.yaml'), probeManifests());
  writeFileSync(slice, probeSlice(backends[0]!.port));

  const workers = availableParallelism();
  say(
    `\nconfig-endpoint-change: starting with ${SERVICES * ROUTES_EACH} routes and ${SERVICES * ENDPOINTS_EACH} endpoints`,
  );
  const arguments_ = [
    'standalone',
    '--config',
    config,
    '--data',
    join(directory, 'data'),
    '--bind',
    '127.0.0.1',
    '--log-level',
    'warn',
  ];
  arguments_.push('--workers', String(workers), '--admin', `127.0.0.1:${adminPort}`);
  const began = performance.now();
  const started = await startOnCore(
    `0-${workers - 1}`,
    [process.execPath, program, ...arguments_],
    port,
    120,
  );
  const agents = Array.from({ length: CONNECTIONS }, () => new Agent({ keepAlive: true, maxSockets: 1 }));
  const url = `http://127.0.0.1:${port}/probe`;
  try {
    await everyConnection(agents, url, 'a');
    const firstReadMillis = performance.now() - began;
    say(`  first read of all manifests: ${firstReadMillis.toFixed(0)} ms`);
    const before = await pushes(adminPort);
    const average = (sum: (one: Pushes) => number) => ((sum(last) - sum(before)) * 1000) / CHANGES;
    const times: number[] = [];
    let largest = 0;
    let last = before;
    for (let change = 1; change <= CHANGES; change += 1) {
      await sleep(300);
      const wanted = backends[change % 2]!;
      const saved = performance.now();
      writeFileSync(slice, probeSlice(wanted.port));
      await everyConnection(agents, url, wanted.name);
      times.push(performance.now() - saved);
      const now = await pushes(adminPort);
      largest = Math.max(largest, now.bytes - last.bytes);
      last = now;
    }
    const sent = last.count - before.count;
    if (sent !== CHANGES) say(`  note: ${sent} updates were sent for ${CHANGES} changes`);
    times.sort((a, b) => a - b);
    const own = {
      reconcile: average(({ reconcileSeconds }) => reconcileSeconds),
      apply: average(({ applySeconds }) => applySeconds),
    };
    await started.stop();
    const coldStartMillis = await coldStart(join(directory, 'data'), port, workers);
    say(`  cold start from the last good snapshot, no controller: ${coldStartMillis.toFixed(0)} ms`);
    return {
      name: 'config-endpoint-change',
      routes: SERVICES * ROUTES_EACH,
      endpoints: SERVICES * ENDPOINTS_EACH + 1,
      workers,
      changes: CHANGES,
      messageBytes: largest,
      millis: { p50: times[CHANGES / 2]!, max: times.at(-1)! },
      ownMillis: own,
      coldStartMillis,
      firstReadMillis,
    };
  } finally {
    for (const agent of agents) agent.destroy();
    await started.stop();
    for (const { server } of backends) server.close();
  }
}

/** Milliseconds until an agent that finds no controller answers a request. */
async function coldStart(data: string, port: number, workers: number): Promise<number> {
  const [admin, nobody] = [await freePort(), await freePort()];
  const flags = ['--bind', '127.0.0.1', '--log-level', 'error', '--workers', String(workers)];
  const command = [process.execPath, program, 'agent', '--node', 'cold', '--data', data, ...flags];
  command.push('--controller', `127.0.0.1:${nobody}`, '--admin', `127.0.0.1:${admin}`);
  const began = performance.now();
  const agent = await startOnCore(`0-${workers - 1}`, command, port, 60);
  try {
    await everyConnection([new Agent()], `http://127.0.0.1:${port}/probe`, CHANGES % 2 === 0 ? 'a' : 'b');
    return performance.now() - began;
  } finally {
    await agent.stop();
  }
}

/** Asks on every connection until each has answered `wanted`. */
async function everyConnection(agents: readonly Agent[], url: string, wanted: string): Promise<void> {
  const deadline = Date.now() + 60_000;
  await Promise.all(
    agents.map(async (agent) => {
      while ((await ask(agent, url)) !== wanted) {
        if (Date.now() > deadline) throw new Error(`${url} does not answer ${wanted} after 60 s`);
        await sleep(1);
      }
    }),
  );
}

function ask(agent: Agent, url: string): Promise<string> {
  return new Promise((resolve, reject) => {
    get(url, { agent }, (response) => {
      let body = '';
      response.setEncoding('utf8').on('data', (text: string) => {
        body += text;
      });
      response.on('end', () => resolve(body));
    }).on('error', reject);
  });
}

interface Pushes {
  readonly count: number;
  readonly bytes: number;
  /** Sums over all changes. */
  readonly reconcileSeconds: number;
  readonly applySeconds: number;
}

async function pushes(adminPort: number): Promise<Pushes> {
  const text = await (await fetch(`http://127.0.0.1:${adminPort}/metrics`)).text();
  const value = (pattern: RegExp) => Number(pattern.exec(text)?.[1] ?? Number.NaN);
  return {
    count: value(/^config_pushes\{result="sent"\} (\S+)$/m),
    bytes: value(/^config_push_bytes (\S+)$/m),
    reconcileSeconds: value(/^reconciliation_duration_sum (\S+)$/m),
    applySeconds: value(/^config_apply_duration_sum (\S+)$/m),
  };
}

async function answering(name: string): Promise<{ name: string; port: number; server: Server }> {
  const server = createServer((_, response) => response.end(name));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { name, server, port: (server.address() as { port: number }).port };
}

const API = 'apiVersion: novaedge.io/v1alpha1';

function gateway(port: number): string {
  return `${API}
kind: ProxyGateway
metadata: { name: bench }
spec:
  listeners: [{ name: http, port: ${port}, protocol: HTTP }]
`;
}

function backend(name: string): string {
  return `apiVersion: v1
kind: Service
metadata: { name: ${name} }
spec: { ports: [{ name: http, port: 80 }] }
---
${API}
kind: ProxyBackend
metadata: { name: ${name} }
spec: { serviceRef: { name: ${name}, port: 80 } }
`;
}

function endpointSlice(name: string, port: number, addresses: readonly string[]): string {
  return `apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: { name: ${name}-1, labels: { kubernetes.io/service-name: ${name} } }
addressType: IPv4
ports: [{ name: http, port: ${port} }]
endpoints:
${addresses.map((address) => `  - { addresses: [${address}], conditions: { ready: true } }`).join('\n')}
`;
}

function route(name: string, path: string, target: string): string {
  return `${API}
kind: ProxyRoute
metadata: { name: ${name} }
spec:
  rules:
    - matches: [{ path: { type: PathPrefix, value: ${path} } }]
      backendRef: { name: ${target} }
`;
}

function serviceManifests(service: number): string {
  const name = `service-${service}`;
  // Loopback, so that nothing can leave this machine by mistake.
  const addresses = Array.from(
    { length: ENDPOINTS_EACH },
    (_, index) => `127.${64 + (service >> 8)}.${service & 255}.${index + 1}`,
  );
  const routes = Array.from({ length: ROUTES_EACH }, (_, index) =>
    route(`${name}-${index}`, `/${name}/${index}`, name),
  );
  return [backend(name), endpointSlice(name, 8080, addresses), ...routes].join('---\n');
}

function probeManifests(): string {
  return [backend('probe'), route('probe', '/probe', 'probe')].join('---\n');
}

function probeSlice(port: number): string {
  return endpointSlice('probe', port, ['127.0.0.1']);
}
