import { ChannelCredentials, ServerCredentials } from '@grpc/grpc-js';
import { pino } from 'pino';
import { SnapshotStore } from '../../src/agent/snapshot-store.ts';
import {
  type ConfigStreamClient,
  createConfigStreamClient,
  type StreamEvent,
} from '../../src/agent/stream/client.ts';
import {
  type ControllerHandle,
  type ControllerOptions,
  startController,
} from '../../src/control/controller.ts';
import type {
  ConfigurationBuild,
  ConfigurationSource,
  NodeSelector,
  ObjectView,
} from '../../src/model/configuration.ts';
import { LISTENER_DEFAULTS } from '../../src/model/gateway.ts';
import type { NodeReport } from '../../src/model/report.ts';
import type { Resource, ResourceKey } from '../../src/model/resource.ts';
import { resourceKey } from '../../src/model/resource.ts';
import type { ObjectFailure, SnapshotChanges } from '../../src/model/snapshot.ts';

/** A source whose builds the test makes. */
export class TestSource implements ConfigurationSource {
  #build: ConfigurationBuild = {
    resources: new Map(),
    selectors: new Map(),
    changed: [],
    removed: [],
    objects: [],
    problems: [],
  };
  readonly #listeners = new Set<(build: ConfigurationBuild) => void>();
  /** What the listeners took for the last build. */
  publishMs = 0;
  started = 0;
  stopped = 0;

  constructor(resources: Iterable<Resource> = []) {
    this.put(resources);
  }

  /** Adds or replaces. */
  put(resources: Iterable<Resource>, more: Partial<ConfigurationBuild> = {}): void {
    const list = [...resources];
    const next = new Map(this.#build.resources);
    for (const resource of list) next.set(resourceKey(resource), resource);
    this.#publish({ resources: next, changed: list.map(resourceKey), removed: [], ...more });
  }

  remove(...keys: ResourceKey[]): void {
    const next = new Map(this.#build.resources);
    for (const key of keys) next.delete(key);
    this.#publish({ resources: next, changed: [], removed: keys });
  }

  select(selectors: ReadonlyMap<ResourceKey, NodeSelector>): void {
    this.#publish({ selectors, changed: [], removed: [] });
  }

  show(...objects: ObjectView[]): void {
    this.#publish({ objects, changed: [], removed: [] });
  }

  #publish(part: Partial<ConfigurationBuild>): void {
    this.#build = { ...this.#build, ...part };
    const before = performance.now();
    for (const listener of this.#listeners) listener(this.#build);
    this.publishMs = performance.now() - before;
  }

  async start(): Promise<ConfigurationBuild> {
    this.started += 1;
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
  async stop(): Promise<void> {
    this.stopped += 1;
  }
}

export const quiet = pino({ level: 'silent' });

export function testController(
  source: ConfigurationSource,
  more: Partial<ControllerOptions> = {},
): Promise<ControllerHandle> {
  return startController({
    source,
    listen: '127.0.0.1:0',
    credentials: ServerCredentials.createInsecure(),
    logger: quiet,
    ...more,
  });
}

type Update = Extract<StreamEvent, { type: 'update' }>;

export type Answer = 'ack' | 'refuse' | 'wait' | readonly ObjectFailure[];

/** An agent that applies and answers what it gets, as the test tells it. */
export class TestAgent {
  readonly node: string;
  readonly client: ConfigStreamClient;
  store = new SnapshotStore();
  labels: Record<string, string> = {};
  answer: (changes: SnapshotChanges) => Answer = () => 'ack';
  report: (() => NodeReport) | undefined;
  readonly events: StreamEvent[] = [];
  readonly updates: Update[] = [];
  readonly problems: string[] = [];
  #changed = Promise.withResolvers<void>();

  constructor(
    address: string,
    node: string,
    credentials: ChannelCredentials = ChannelCredentials.createInsecure(),
  ) {
    this.node = node;
    this.client = createConfigStreamClient({
      address,
      credentials,
      onEvent: (event) => this.#on(event),
      onRefused: (reason) => this.problems.push(reason),
    });
  }

  connect(snapshotVersion: string = this.store.version): this {
    this.client.connect({ node: this.node, agentVersion: 'test', snapshotVersion, labels: this.labels });
    return this;
  }

  /** Events of a type so far. */
  count(type: StreamEvent['type']): number {
    return this.events.filter((event) => event.type === type).length;
  }

  get reason(): string {
    const last = this.events.findLast((event) => event.type === 'disconnected');
    return last?.type === 'disconnected' ? last.reason : '';
  }

  /** Resolves when `check` holds; looked at after each event. */
  async until(check: (agent: this) => boolean): Promise<void> {
    while (!check(this)) await this.#changed.promise;
  }

  #on(event: StreamEvent): void {
    this.events.push(event);
    if (event.type === 'update') this.#update(event);
    if (event.type === 'report.requested' && this.report !== undefined) this.client.report(this.report());
    const { resolve } = this.#changed;
    this.#changed = Promise.withResolvers<void>();
    resolve();
  }

  #update(update: Update): void {
    this.updates.push(update);
    const answer = this.answer(update.changes);
    if (answer === 'wait') return;
    if (answer === 'refuse') {
      this.refuse(update, 'told to');
      return;
    }
    const applied = this.store.apply(update.changes);
    if (!applied.ok) {
      this.problems.push(applied.reason);
      this.refuse(update, applied.reason);
    } else if (answer === 'ack') this.client.ack(update.nonce, update.changes.version);
    else this.client.nack(update.nonce, update.changes.version, answer, false);
  }

  refuse(update: Update, message: string): void {
    const failure = { key: '', reason: 'Refused', message };
    this.client.nack(update.nonce, update.changes.version, [failure], true);
  }
}

/** Looks until `check` holds, for things that send no event to the test. The runner's timeout is the limit. */
export async function eventually(check: () => boolean): Promise<void> {
  while (!check()) await new Promise((resolve) => setTimeout(resolve, 2));
}

export function gateway(name: string, ingressClassName = 'novaedge'): Resource {
  return { kind: 'gateway', value: { name, ingressClassName, vip: '' } };
}

export function listener(name: string, port: number): Resource {
  const gatewayName = name.slice(0, name.lastIndexOf('/'));
  return {
    kind: 'listener',
    value: { name, gateway: gatewayName, port, protocol: 'HTTP', ...LISTENER_DEFAULTS, hostnames: [] },
  };
}

export function vip(name: string, address: string): Resource {
  return { kind: 'vip', value: { name, address, mode: 'L2ARP', ports: [80], minHealthyNodes: 1 } };
}

export function view(
  kind: string,
  name: string,
  generation: number,
  ...resources: ResourceKey[]
): ObjectView {
  const accepted = {
    type: 'Accepted' as const,
    status: 'True' as const,
    reason: 'Accepted',
    message: '',
    observedGeneration: generation,
    lastTransitionTime: '2026-01-01T00:00:00.000Z',
  };
  return {
    object: { kind, namespace: 'shop', name },
    manifest: {},
    conditions: [accepted],
    problems: [],
    resources,
  };
}

export function nodeReport(
  node: string,
  version: string,
  failures: readonly ObjectFailure[] = [],
): NodeReport {
  return {
    detail: 'whole',
    node,
    version,
    ready: true,
    notReadyReason: '',
    workers: 2,
    startedAt: 1,
    failures,
    listeners: [],
    clusters: [],
    endpoints: [],
    actors: [],
    totals: {},
  };
}
