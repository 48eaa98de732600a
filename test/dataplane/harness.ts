import { connect } from 'node:net';
import type { TestContext } from 'node:test';
import type { DataplaneNotification } from '../../src/dataplane/control.ts';
import { Dataplane } from '../../src/dataplane/dataplane.ts';
import type { Timeouts } from '../../src/dataplane/timeouts.ts';
import type { Cluster } from '../../src/model/cluster.ts';
import { CLUSTER_DEFAULTS } from '../../src/model/cluster.ts';
import type { Endpoint } from '../../src/model/endpoint.ts';
import type { Filter } from '../../src/model/filter.ts';
import type { Listener } from '../../src/model/gateway.ts';
import { LISTENER_DEFAULTS } from '../../src/model/gateway.ts';
import type { ClientTimeouts, RequestLimits } from '../../src/model/http-settings.ts';
import { HTTP_DEFAULTS } from '../../src/model/http-settings.ts';
import { limitBytes } from '../../src/model/limits.ts';
import type { CounterRegistration } from '../../src/model/metric.ts';
import type { Resource } from '../../src/model/resource.ts';
import type { PathMatch, Route, RouteRule } from '../../src/model/route.ts';
import { RULE_DEFAULTS } from '../../src/model/route.ts';
import type { System } from '../../src/os/system.ts';

export const LISTENER = 'default/edge/http';

export function listener(overrides: Partial<Listener> = {}): Listener {
  return {
    name: LISTENER,
    gateway: 'default/edge',
    port: 0,
    protocol: 'HTTP',
    ...LISTENER_DEFAULTS,
    hostnames: [],
    ...overrides,
  };
}

/** What a listener has beside the defaults of its limits and times. */
export function withHttp(
  timeouts: Partial<ClientTimeouts>,
  limits: Partial<RequestLimits> = {},
): Pick<Listener, 'http'> {
  return {
    http: {
      ...HTTP_DEFAULTS,
      timeouts: { ...HTTP_DEFAULTS.timeouts, ...timeouts },
      limits: { ...HTTP_DEFAULTS.limits, ...limits },
    },
  };
}

export function cluster(overrides: Partial<Cluster> = {}): Cluster {
  return {
    name: 'default/api',
    ...CLUSTER_DEFAULTS,
    connectTimeoutMs: 1000,
    idleTimeoutMs: 60_000,
    maxConnections: 1000,
    maxPendingRequests: 1000,
    ...overrides,
  };
}

export function endpoint(port: number, overrides: Partial<Endpoint> = {}): Endpoint {
  return {
    cluster: 'default/api',
    address: '127.0.0.1',
    port,
    weight: 1,
    ready: true,
    zone: '',
    nodeName: '',
    ...overrides,
  };
}

export const EVERY_PATH: PathMatch = { type: 'PathPrefix', value: '/' };

export function rule(overrides: Partial<RouteRule> = {}): RouteRule {
  return {
    matches: [{ path: EVERY_PATH, method: null, headers: [], queryParams: [] }],
    filters: [],
    clusters: [{ cluster: 'default/api', weight: 1 }],
    ...RULE_DEFAULTS,
    requestTimeoutMs: 0,
    backendTimeoutMs: 0,
    ...overrides,
  };
}

export function route(overrides: Partial<Route> = {}): Route {
  return {
    name: 'default/all',
    createdAt: 0,
    attachments: [{ listener: LISTENER, hostnames: [] }],
    rules: [rule()],
    ...overrides,
  };
}

export function filtered(filters: readonly Filter[], path: PathMatch = EVERY_PATH): Route {
  return route({
    rules: [rule({ filters, matches: [{ path, method: null, headers: [], queryParams: [] }] })],
  });
}

export interface Harness {
  readonly dataplane: Dataplane;
  readonly port: number;
  readonly notifications: DataplaneNotification[];
  readonly registrations: CounterRegistration[];
  /** Sum over all label sets that have these labels. */
  count(metric: string, labels?: Record<string, string>): number;
  /** Resolves when a notification of this type has come. */
  notified(type: DataplaneNotification['type']): Promise<DataplaneNotification>;
  change(upserts: readonly Resource[], removals?: readonly string[]): void;
  /** Of its listener, as it was started. */
  listenerConfig(): Listener;
}

export interface HarnessOptions {
  readonly resources: readonly Resource[];
  readonly limits?: SharedArrayBuffer;
  readonly worker?: number;
  readonly accessLog?: string;
  readonly ticketKeys?: SharedArrayBuffer;
  readonly port?: number;
  /** What its listener has beside the defaults. */
  readonly listener?: Partial<Listener>;
  readonly timeouts?: Partial<Timeouts>;
  readonly system?: System;
}

/** A Dataplane with one listener, as its actors would bring it up. */
export async function start(options: HarnessOptions): Promise<Harness> {
  const counters = new SharedArrayBuffer(1024, { maxByteLength: 1 << 20 });
  const notifications: DataplaneNotification[] = [];
  const registrations: CounterRegistration[] = [];
  const waiting: { type: string; resolve: (notification: DataplaneNotification) => void }[] = [];
  const dataplane = new Dataplane(
    {
      worker: options.worker ?? 0,
      bind: '127.0.0.1',
      reusePort: true,
      counters,
      limits: options.limits ?? new SharedArrayBuffer(limitBytes(2)),
      accessLog: options.accessLog ?? null,
      ...(options.ticketKeys === undefined ? {} : { ticketKeys: options.ticketKeys }),
      drainTimeoutMs: 5000,
      notify: (notification) => {
        notifications.push(notification);
        for (const waiter of waiting) if (waiter.type === notification.type) waiter.resolve(notification);
      },
      register: (registration) => registrations.push(registration),
    },
    { drainNotice: 0, ...options.timeouts },
    options.system,
  );
  let version = 0;
  const change = (upserts: readonly Resource[], removals: readonly string[] = []): void => {
    const preparation = dataplane.prepare({
      base: String(version),
      version: String(++version),
      upserts,
      removals,
    });
    dataplane.commit(preparation.failures.map((failure) => failure.key));
    for (const [slot, added] of preparation.clusters.added.entries())
      dataplane.openPool(added, slot + version * 16);
  };
  const config = listener({ port: options.port ?? 0, ...options.listener });
  await dataplane.bindListener(config);
  change([{ kind: 'listener', value: config }, ...options.resources]);
  dataplane.activateListener(config.name);
  return {
    dataplane,
    port: dataplane.portOf(config.name),
    notifications,
    registrations,
    change,
    listenerConfig: () => config,
    count: (metric, labels = {}) => {
      const values = new Float64Array(counters);
      let sum = 0;
      for (const registration of registrations) {
        if (registration.metric !== metric) continue;
        if (Object.entries(labels).some(([name, value]) => registration.labels[name] !== value)) continue;
        sum += values[registration.index]!;
      }
      return sum;
    },
    notified: (type) =>
      new Promise((resolve) => {
        const already = notifications.find((notification) => notification.type === type);
        if (already !== undefined) resolve(already);
        else waiting.push({ type, resolve });
      }),
  };
}

/** Resolves when nobody listens on the port of 127.0.0.1. */
export async function untilRefused(port: number): Promise<void> {
  for (let code = ''; code !== 'ECONNREFUSED'; )
    code = await new Promise<string>((resolve) => {
      const socket = connect(port, '127.0.0.1', () => {
        socket.destroy();
        setTimeout(resolve, 5, 'connected');
      });
      socket.on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? ''));
    });
}

/**
 * The same with a cluster of endpoints on these ports and a route to it, shut down with the test. `more` is added, or
 * takes the place of what has the same key.
 */
export async function startProxy(
  context: TestContext,
  ports: readonly number[],
  { more = [], ...options }: Omit<HarnessOptions, 'resources'> & { readonly more?: readonly Resource[] } = {},
): Promise<Harness> {
  const harness = await start({
    ...options,
    resources: [
      { kind: 'cluster', value: cluster() },
      ...ports.map((port): Resource => ({ kind: 'endpoint', value: endpoint(port) })),
      { kind: 'route', value: route() },
      ...more,
    ],
  });
  context.after(() => harness.dataplane.shutdown());
  return harness;
}
