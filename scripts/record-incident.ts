/**
 * Records the incident of docs/actors.md with real processes: a standalone NovaEdge serves, one of its two workers
 * dies of an exception, and is replaced. Writes the journal, and beside it what people saw:
 *
 *     node scripts/record-incident.ts simulations/recordings/worker-dies.ndjson
 *
 * The page is then brought up to date by `NOVAEDGE_GOLDEN=write node --test test/e2e/actors-page.test.ts`.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { ActorReport } from '../src/model/actor.ts';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const DEADLINE_MS = 30_000;

/** Lets worker 1 throw when the process gets SIGUSR2; NovaEdge itself has no way to ask for that. */
const PRELOAD = `
import { BroadcastChannel, isMainThread, parentPort, workerData } from 'node:worker_threads';
const channel = new BroadcastChannel('incident');
channel.unref();
if (isMainThread) process.on('SIGUSR2', () => channel.postMessage('throw'));
else {
  let worker = workerData?.settings?.worker;
  const once = parentPort?.once.bind(parentPort);
  if (once) parentPort.once = (name, listener) => once(name, (message) => {
    worker = message?.settings?.worker ?? worker;
    listener(message);
  });
  channel.onmessage = () => {
    if (worker === 1) setImmediate(() => { throw new Error('a mistake nobody knew of'); });
  };
}
`;

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

function start(
  program: string,
  args: readonly string[],
  env: Readonly<Record<string, string>>,
): ChildProcess {
  return spawn(process.execPath, [join(ROOT, `src/bin/${program}.mjs`), ...args], {
    env: { ...process.env, LANG: 'C.UTF-8', ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
}

async function output(args: readonly string[]): Promise<string> {
  const child = start('novactl', args, {});
  let text = '';
  child.stdout!.on('data', (bytes: Buffer) => {
    text += bytes.toString();
  });
  await once(child, 'close');
  return text;
}

async function until(admin: string, holds: (actors: readonly ActorReport[]) => boolean): Promise<void> {
  for (const end = Date.now() + DEADLINE_MS; Date.now() < end; await delay(100)) {
    const answer = await fetch(`http://${admin}/api/v1/actors`).catch(() => null);
    const { nodes = [] } = ((await answer?.json()) ?? {}) as { nodes?: { actors: ActorReport[] }[] };
    if (holds(nodes.flatMap(({ actors }) => actors))) return;
  }
  throw new Error('what is waited for does not come');
}

const listening = (actors: readonly ActorReport[]) =>
  actors.filter(({ address, state }) => address.includes('/listener/') && state === 'listening').length ===
    2 && actors.some(({ address, state }) => address.endsWith('/main/rollout') && state === 'idle');

async function main(target: string): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'novaedge-incident-'));
  const backend = createServer((_request, response) => response.end('hello')).listen(0, '127.0.0.1');
  await once(backend, 'listening');
  const [port, admin] = [await freePort(), `127.0.0.1:${await freePort()}`];
  mkdirSync(join(directory, 'config'));
  writeFileSync(join(directory, 'preload.mjs'), PRELOAD);
  writeFileSync(
    join(directory, 'config/shop.yaml'),
    `apiVersion: novaedge.io/v1alpha1
kind: ProxyGateway
metadata: { name: web }
spec: { listeners: [{ name: http, port: ${port}, protocol: HTTP }] }
---
apiVersion: novaedge.io/v1alpha1
kind: ProxyRoute
metadata: { name: shop }
spec: { hostnames: [shop.localhost], rules: [{ backendRef: { name: shop } }] }
---
apiVersion: novaedge.io/v1alpha1
kind: ProxyBackend
metadata: { name: shop }
spec: { endpoints: [{ address: 127.0.0.1, port: ${(backend.address() as AddressInfo).port} }] }
`,
  );
  const data = join(directory, 'data');
  const flags = ['--bind', '127.0.0.1', '--workers', '2', '--admin', admin, '--node', 'edge-1'];
  const system = start(
    'novaedge',
    ['standalone', '--config', join(directory, 'config'), '--data', data, ...flags],
    {
      NODE_OPTIONS: `--import=${join(directory, 'preload.mjs')}`,
    },
  );
  system.stdout!.resume();
  try {
    await until(admin, listening);
    const before = await output(['actors', '--admin', admin]);
    const watch = start('novactl', ['actors', '--watch', '--interval', '0.1', '--admin', admin], {});
    let seen = '';
    watch.stdout!.on('data', (bytes: Buffer) => {
      seen += bytes.toString();
    });
    while (seen === '') await once(watch.stdout!, 'data');
    system.kill('SIGUSR2');
    await until(admin, (actors) => actors.some(({ restarts }) => restarts > 0) && listening(actors));
    while (!/dataplane-1\/listener\S+ {2}.*listening/.test(seen)) await once(watch.stdout!, 'data');
    watch.kill('SIGINT');
    await once(watch, 'close');
    system.kill('SIGTERM');
    await once(system, 'close');
    const files = readdirSync(join(data, 'journal')).sort();
    writeFileSync(target, files.map((file) => readFileSync(join(data, 'journal', file), 'utf8')).join(''));
    writeFileSync(target.replace(/\.ndjson$/, '.txt'), `${before}\n${seen}`);
  } finally {
    system.kill('SIGKILL');
    backend.close();
    rmSync(directory, { recursive: true, force: true });
  }
}

await main(process.argv[2]!);
