import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ChannelCredentials, ServerCredentials } from '@grpc/grpc-js';
import { pino } from 'pino';
import type { AgentHandle, AgentOptions } from '../../src/agent/agent.ts';
import { startAgent } from '../../src/agent/agent.ts';
import type { ControllerHandle } from '../../src/control/controller.ts';
import { startController } from '../../src/control/controller.ts';
import { CLUSTER_DEFAULTS } from '../../src/model/cluster.ts';
import type { ConfigurationBuild, ConfigurationSource } from '../../src/model/configuration.ts';
import { LISTENER_DEFAULTS } from '../../src/model/gateway.ts';
import type { Resource, ResourceKey } from '../../src/model/resource.ts';
import { resourceKey } from '../../src/model/resource.ts';

export const quiet = pino({ level: process.env.NOVAEDGE_TEST_LOG ?? 'silent' });

/** A configuration whose builds the test makes. */
export class FakeSource implements ConfigurationSource {
  #build: ConfigurationBuild;
  readonly #listeners = new Set<(build: ConfigurationBuild) => void>();

  constructor(resources: readonly Resource[] = []) {
    this.#build = {
      resources: new Map(resources.map((resource) => [resourceKey(resource), resource])),
      selectors: new Map(),
      changed: resources.map(resourceKey),
      removed: [],
      objects: [],
      problems: [],
    };
  }

  change(upserts: readonly Resource[], removed: readonly ResourceKey[] = []): void {
    const resources = new Map(this.#build.resources);
    for (const resource of upserts) resources.set(resourceKey(resource), resource);
    for (const key of removed) resources.delete(key);
    this.#build = { ...this.#build, resources, changed: upserts.map(resourceKey), removed };
    for (const listener of this.#listeners) listener(this.#build);
  }

  async start(): Promise<ConfigurationBuild> {
    return this.#build;
  }
  subscribe(listener: (build: ConfigurationBuild) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
  current(): ConfigurationBuild {
    return this.#build;
  }
  async reload(): Promise<void> {}
  async stop(): Promise<void> {}
}

export function controller(source: ConfigurationSource): Promise<ControllerHandle> {
  return startController({
    source,
    listen: '127.0.0.1:0',
    credentials: ServerCredentials.createInsecure(),
    logger: quiet,
  });
}

/** Removed at the very end: what a test started may write to it until it has stopped. */
export function temporaryDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'novaedge-agent-'));
  process.once('exit', () => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

export function agent(
  controllerAddress: string,
  dataDirectory: string,
  more: Partial<AgentOptions> = {},
): Promise<AgentHandle> {
  return startAgent({
    node: 'edge-1',
    dataDirectory,
    bind: '127.0.0.1',
    workers: 2,
    labels: {},
    controllerAddress,
    credentials: ChannelCredentials.createInsecure(),
    accessLog: null,
    logger: quiet,
    drainTimeoutMs: 300,
    workerEntry: new URL('./fake-worker.ts', import.meta.url),
    ...more,
  });
}

/** Waits for a condition that must come true; fails after a time that only a hang can take. */
export async function until<T>(what: string, condition: () => T | Promise<T>): Promise<NonNullable<T>> {
  const end = Date.now() + 30_000;
  for (;;) {
    const value = await condition();
    if (value) return value as NonNullable<T>;
    assert.ok(Date.now() < end, `never came true: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

export interface Answer {
  readonly worker: number;
  readonly active: boolean;
  readonly routes: readonly string[];
}

/** One request on a connection of its own; null when nobody answers. */
export function get(port: number, path = '/'): Promise<Answer | null> {
  return new Promise((resolve) => {
    let text = '';
    const socket = connect({ port, host: '127.0.0.1' }, () =>
      socket.write(`GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`),
    );
    socket.on('data', (data) => {
      text += data.toString();
    });
    socket.on('error', () => resolve(null));
    socket.on('close', () => {
      const body = text.split('\r\n\r\n')[1];
      resolve(body === undefined ? null : (JSON.parse(body) as Answer));
    });
  });
}

/** Asks until every one of the workers has answered once; their answers by worker. */
export async function everyWorker(port: number, workers = 2): Promise<Answer[]> {
  const seen = new Map<number, Answer>();
  await until(`all ${workers} workers answer on port ${port}`, async () => {
    const answer = await get(port);
    if (answer !== null) seen.set(answer.worker, answer);
    return seen.size === workers;
  });
  return [...seen.values()];
}

export async function freePort(): Promise<number> {
  const { port, release } = await busyPort();
  await release();
  return port;
}

/** A port that another program holds until it is released. */
export function busyPort(): Promise<{ port: number; release: () => Promise<void> }> {
  const server = createServer();
  return new Promise((resolve) =>
    server.listen(0, '127.0.0.1', () =>
      resolve({
        port: (server.address() as AddressInfo).port,
        release: () => new Promise((done) => server.close(() => done())),
      }),
    ),
  );
}

export function listener(name: string, port: number, hostnames: string[] = []): Resource {
  return {
    kind: 'listener',
    value: {
      name: `test/web/${name}`,
      gateway: 'test/web',
      port,
      protocol: 'HTTP',
      ...LISTENER_DEFAULTS,
      hostnames,
    },
  };
}

/** `createdAt` serves as the version that the fake dataplane shows. */
export function route(name: string, createdAt: number): Resource {
  return { kind: 'route', value: { name: `test/${name}`, createdAt, attachments: [], rules: [] } };
}

export function cluster(name: string, maxConnections = 10): Resource {
  return {
    kind: 'cluster',
    value: {
      name: `test/${name}`,
      ...CLUSTER_DEFAULTS,
      connectTimeoutMs: 1_000,
      idleTimeoutMs: 60_000,
      maxConnections,
      maxPendingRequests: 10,
    },
  };
}
