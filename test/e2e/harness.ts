import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { createServer as createTcpServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';

export const root = fileURLToPath(new URL('../..', import.meta.url));
const program = join(root, 'src/bin/novaedge.mjs');
const novactlProgram = join(root, 'src/bin/novactl.mjs');

export interface Program {
  readonly process: ChildProcess;
  /** Everything it has written so far. */
  output(): string;
  /** Resolves with exit code or signal name. */
  readonly exited: Promise<number | string>;
  stop(signal?: NodeJS.Signals): Promise<number | string>;
}

/** What ends when a test does: its context, or what stands in for it outside of a test. */
export interface Scope {
  after(end: () => unknown): void;
}

/** Starts `novaedge …` as a user would; it is killed when the test ends. */
export function novaedge(test: Scope, ...arguments_: string[]): Program {
  return novaedgeIn(test, process.env, arguments_);
}

function novaedgeIn(test: Scope, env: NodeJS.ProcessEnv, arguments_: readonly string[]): Program {
  const child = spawn(process.execPath, [program, ...arguments_], { stdio: ['ignore', 'pipe', 'pipe'], env });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (bytes: Buffer) => {
      output += bytes.toString();
    });
  }
  const exited = once(child, 'close').then(([code, signal]) => (code ?? signal) as number | string);
  test.after(async () => {
    if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL');
    await exited;
  });
  return {
    process: child,
    output: () => output,
    exited,
    stop(signal = 'SIGTERM') {
      child.kill(signal);
      return exited;
    },
  };
}

export interface Result {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export function novactl(...arguments_: string[]): Promise<Result> {
  return execute(process.execPath, [novactlProgram, ...arguments_]);
}

export function curl(...arguments_: string[]): Promise<Result> {
  return execute('curl', ['-sS', '--max-time', '10', ...arguments_]);
}

export async function execute(command: string, arguments_: readonly string[], cwd = root): Promise<Result> {
  const child = spawn(command, arguments_, { stdio: ['ignore', 'pipe', 'pipe'], cwd });
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (bytes: Buffer) => {
    stdout += bytes.toString();
  });
  child.stderr.on('data', (bytes: Buffer) => {
    stderr += bytes.toString();
  });
  const [code] = (await once(child, 'close')) as [number];
  return { code, stdout, stderr };
}

/** Removed at the very end: what a test started may write to it until it has stopped. */
export function temporaryDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'novaedge-test-'));
  if (temporary.length === 0) process.once('exit', removeTemporary);
  temporary.push(directory);
  return directory;
}

const temporary: string[] = [];

function removeTemporary(): void {
  for (const directory of temporary) rmSync(directory, { recursive: true, force: true });
}

/** A port of loopback that nobody listens on now. */
export async function freePort(): Promise<number> {
  const server = createTcpServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}

export interface Backend {
  readonly port: number;
  readonly server: Server;
  requests: number;
}

/** A backend that answers `name` and counts. */
export async function backend(test: Scope, name: string): Promise<Backend> {
  const server = createServer((request, response) => {
    result.requests += 1;
    request.resume();
    request.on('end', () => response.end(name));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  const result: Backend = { port: address.port, server, requests: 0 };
  test.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return result;
}

/** Port of a backend on a thread of its own that sends and takes as much as it is asked to, see `endless-backend.ts`. */
export async function endlessBackend(test: Scope): Promise<number> {
  const thread = new Worker(new URL('./endless-backend.ts', import.meta.url));
  test.after(() => thread.terminate());
  const [port] = (await once(thread, 'message')) as [number];
  return port;
}

/** Waits until `check` gives something else than null or false; fails with what was awaited. */
export async function eventually<T>(
  awaited: string,
  check: () => Promise<T | null | false> | T | null | false,
): Promise<T> {
  const deadline = Date.now() + 30_000;
  let last: unknown = null;
  while (Date.now() < deadline) {
    try {
      const value = await check();
      if (value !== null && value !== false) return value;
    } catch (error) {
      last = error;
    }
    await sleep(20);
  }
  throw new Error(`after 30 s still waiting for ${awaited}`, { cause: last });
}

export interface Standalone extends Program {
  readonly port: number;
  readonly admin: string;
  readonly config: string;
  readonly data: string;
  /** Writes one manifest file, as an editor saves it. */
  write(file: string, text: string): void;
  url(path: string): string;
}

/** The standalone system with one gateway on a free port; ready when it returns. */
export function standalone(
  test: Scope,
  files: Readonly<Record<string, string>>,
  ...more: string[]
): Promise<Standalone> {
  return standaloneIn(test, process.env, files, ...more);
}

/** The same with environment variables. */
export async function standaloneIn(
  test: Scope,
  env: NodeJS.ProcessEnv,
  files: Readonly<Record<string, string>>,
  ...more: string[]
): Promise<Standalone> {
  const directory = temporaryDirectory();
  const [config, data] = [join(directory, 'config'), join(directory, 'data')];
  mkdirSync(config);
  const [port, adminPort] = [await freePort(), await freePort()];
  const write = (file: string, text: string) => writeFileSync(join(config, file), text);
  write('gateway.yaml', gatewayManifest(port));
  for (const [file, text] of Object.entries(files)) write(file, text);
  const admin = `127.0.0.1:${adminPort}`;
  const arguments_ = [
    'standalone',
    '--config',
    config,
    '--data',
    data,
    '--bind',
    '127.0.0.1',
    '--admin',
    admin,
    '--workers',
    '2',
  ];
  const started = novaedgeIn(test, env, [...arguments_, ...more]);
  await ready(started, admin);
  return { ...started, port, admin, config, data, write, url: (path) => `http://127.0.0.1:${port}${path}` };
}

export async function ready(started: Program, admin: string): Promise<void> {
  await eventually(`readiness of ${admin}`, async () => {
    if (started.process.exitCode !== null) throw new Error(`it ended:\n${started.output()}`);
    return (await fetch(`http://${admin}/readyz`)).ok;
  }).catch((error) => {
    throw new Error(`${error.message}\n${started.output()}`, { cause: error });
  });
}

export function gatewayManifest(port: number, name = 'edge'): string {
  return `apiVersion: novaedge.io/v1alpha1
kind: ProxyGateway
metadata:
  name: ${name}
spec:
  listeners:
    - name: http
      port: ${port}
      protocol: HTTP
`;
}

export function backendManifest(name: string, ...ports: number[]): string {
  return `apiVersion: novaedge.io/v1alpha1
kind: ProxyBackend
metadata:
  name: ${name}
spec:
  endpoints:
${ports.map((port) => `    - { address: 127.0.0.1, port: ${port} }`).join('\n')}
`;
}

export function routeManifest(name: string, path: string, backendName: string, more = ''): string {
  return `apiVersion: novaedge.io/v1alpha1
kind: ProxyRoute
metadata:
  name: ${name}
spec:
  rules:
    - matches:
        - path: { type: PathPrefix, value: ${path} }
      backendRef:
        name: ${backendName}
${more}`;
}
