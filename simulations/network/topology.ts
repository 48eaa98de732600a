import type { Timeouts } from '../../src/dataplane/timeouts.ts';
import { TIMEOUTS } from '../../src/dataplane/timeouts.ts';
import type { Cluster } from '../../src/model/cluster.ts';
import { CLUSTER_DEFAULTS } from '../../src/model/cluster.ts';
import type { Endpoint } from '../../src/model/endpoint.ts';
import type { Filter } from '../../src/model/filter.ts';
import type { Listener } from '../../src/model/gateway.ts';
import { LISTENER_DEFAULTS } from '../../src/model/gateway.ts';
import type { ClientTimeouts, HttpSettings } from '../../src/model/http-settings.ts';
import { HTTP_DEFAULTS } from '../../src/model/http-settings.ts';
import type { Resource } from '../../src/model/resource.ts';
import type { Mirror, RetryPolicy, Route, RouteRule } from '../../src/model/route.ts';
import { RULE_DEFAULTS } from '../../src/model/route.ts';
import type { Prng } from '../prng.ts';
import type { Temperament } from './backend-answer.ts';
import type { Manners } from './client.ts';
import type { LinkStyle } from './link.ts';

export const PORTS = [8_080, 8_443, 9_000] as const;

/** What a seed draws before anything happens. */
export interface Topology {
  readonly workers: number;
  readonly clusters: readonly Cluster[];
  readonly endpoints: readonly Endpoint[];
  readonly listeners: readonly Listener[];
  readonly timeouts: Timeouts;
  /** Of all listeners. */
  readonly http: HttpSettings;
  readonly requestTimeoutMs: number;
  readonly backendTimeoutMs: number;
  /** By cluster that the requests are for; null: none. */
  readonly retries: ReadonlyMap<string, RetryPolicy | null>;
  readonly mirrors: ReadonlyMap<string, readonly Mirror[]>;
  readonly drainTimeoutMs: number;
  readonly link: LinkStyle;
  readonly windows: readonly [number, number];
  readonly clients: readonly Manners[];
}

const SHORT_CLIENT: ClientTimeouts = {
  headerMs: 700,
  bodyIdleMs: 700,
  requestMs: 20_000,
  idleMs: 2_000,
  writeMs: 800,
  tunnelIdleMs: 10_000,
};

const SHORT: Timeouts = {
  backend: 1_200,
  backendBody: 1_200,
  backendSilence: 600,
  backendPong: 300,
  linger: 300,
  drainIdle: 150,
  drainNotice: 100,
  webSocketSpread: 200,
  webSocketClose: 150,
};

export function drawTopology(prng: Prng): Topology {
  const isShort = prng.chance(0.8);
  const timeouts = isShort ? SHORT : TIMEOUTS;
  const http: HttpSettings = {
    ...HTTP_DEFAULTS,
    ...(isShort ? { timeouts: SHORT_CLIENT } : {}),
    limits: { ...HTTP_DEFAULTS.limits, requestsPerConnection: prng.split('limits').pick([0, 0, 2, 3]) },
  };
  const clusters = Array.from({ length: 1 + prng.below(3) }, (_, index) => drawCluster(prng, index));
  const endpoints = clusters.flatMap(({ name }, cluster) =>
    Array.from({ length: 1 + prng.below(3) }, (_, index) =>
      endpoint(name, `10.0.${cluster}.${index + 1}`, prng),
    ),
  );
  const clients = Array.from({ length: 1 + prng.below(5) }, () => drawManners(prng));
  return {
    workers: prng.pick([1, 2, 2, 3]),
    clusters,
    endpoints,
    listeners: drawListeners(prng, http),
    timeouts,
    http,
    requestTimeoutMs: prng.chance(0.2) ? 1_500 : 0,
    backendTimeoutMs: prng.chance(0.2) ? 600 : 0,
    retries: new Map(clusters.map(({ name }) => [name, prng.chance(0.5) ? drawRetry(prng) : null])),
    mirrors: new Map(
      clusters.map(({ name }) => {
        // To another one: at its own cluster a copy cannot be told from a retry.
        const others = prng.chance(0.3) ? clusters.filter((other) => other.name !== name) : [];
        return [name, others.map((other) => ({ cluster: other.name, share: prng.pick([1, 0.5]) }))];
      }),
    ),
    drainTimeoutMs: prng.pick([300, 2_000]),
    link: {
      latencyMs: prng.pick([0.05, 1, 10]),
      jitterMs: prng.pick([0, 0.2, 5]),
      loss: prng.pick([0, 0, 0.02]),
      tearing: prng.pick([0, 0.1, 0.5]),
    },
    windows: prng.pick([
      [65_536, 262_144],
      [65_536, 262_144],
      [1_500, 8_000],
    ] as const),
    clients,
  };
}

/** One or two, each on a port of its own for every host, or on any port, then each for a host of its own. */
function drawListeners(prng: Prng, http: HttpSettings): Listener[] {
  const ports = PORTS.slice(0, 1 + prng.below(2));
  if (!prng.chance(0.4)) return ports.map((port, index) => listener(index, port, [], http));
  const shared = prng.pick(ports);
  return [0, 1].map((index) => listener(index, shared, [`h${index}.test`], http));
}

/** What requests to the listener call it. */
export function hostOf({ hostnames }: Listener): string {
  return hostnames[0] ?? 'shop.test';
}

function listener(index: number, port: number, hostnames: readonly string[], http: HttpSettings): Listener {
  return {
    name: `shop/edge/l${index}`,
    gateway: 'shop/edge',
    port,
    protocol: 'HTTP',
    ...LISTENER_DEFAULTS,
    http,
    hostnames,
  };
}

function drawCluster(prng: Prng, index: number): Cluster {
  return {
    name: `shop/c${index}`,
    ...CLUSTER_DEFAULTS,
    ...drawBalance(prng.split(`balance-${index}`)),
    connectTimeoutMs: prng.pick([200, 1_000]),
    idleTimeoutMs: prng.pick([300, 3_000]),
    pendingTimeoutMs: prng.pick([100, 400, 400, 5_000]),
    warmConnections: prng.pick([0, 0, 1, 3]),
    maxIdleConnections: prng.pick([0, 1, 1_024]),
    maxRequestsPerConnection: prng.pick([0, 0, 1, 5]),
    retryBudget: prng.pick([
      CLUSTER_DEFAULTS.retryBudget,
      { percent: 20, intervalMs: 1_000, minPerSecond: 1 },
      { percent: 100, intervalMs: 10_000, minPerSecond: 100 },
    ]),
    ...drawLimits(prng),
  };
}

function drawRetry(prng: Prng): RetryPolicy {
  return {
    attempts: prng.pick([1, 2, 5]),
    conditions: (['Reset', 'Timeout', 'Status'] as const).filter(() => prng.chance(0.7)),
    codes: [500],
    grpcCodes: [],
    methods: prng.chance(0.3) ? 'All' : 'Idempotent',
    backoffMs: prng.pick([0, 10, 100]),
    maxBackoffMs: prng.pick([100, 1_000]),
  };
}

/** Half of the clusters go round; of the others some hash. */
function drawBalance(prng: Prng): Pick<Cluster, 'lbPolicy' | 'hash'> {
  if (prng.chance(0.5)) return { lbPolicy: 'RoundRobin', hash: null };
  const lbPolicy = prng.pick(['Random', 'LeastRequest', 'P2C', 'EWMA', 'RingHash', 'Maglev'] as const);
  if (lbPolicy !== 'RingHash' && lbPolicy !== 'Maglev') return { lbPolicy, hash: null };
  const cookie = { type: 'Cookie', name: 'stick', path: '/', ttlSeconds: 60 } as const;
  return { lbPolicy, hash: prng.pick([cookie, { type: 'Path' }, { type: 'SourceIP' }] as const) };
}

export function drawLimits(prng: Prng): Pick<Cluster, 'maxConnections' | 'maxPendingRequests'> {
  return {
    maxConnections: prng.pick([1, 2, 3, 5, 100]),
    maxPendingRequests: prng.pick([0, 1, 2, 4, 100]),
  };
}

function endpoint(cluster: string, address: string, prng: Prng): Endpoint {
  return { cluster, address, port: 80, weight: prng.pick([1, 1, 3]), ready: true, zone: '', nodeName: '' };
}

/** Whether requests to the cluster pass filters: every other cluster's do. */
export function isFiltered(cluster: string): boolean {
  return Number(cluster.slice(-1)) % 2 === 0;
}

/** Where the backends of the cluster find the request. */
export function backendPath(cluster: string, id: number): string {
  return isFiltered(cluster) ? `/behind/${id}` : `/${cluster.split('/')[1]}/${id}`;
}

const FILTERS: readonly Filter[] = [
  {
    type: 'RequestHeaders',
    changes: {
      set: [{ name: 'X-Set', value: 'by the edge' }],
      add: [{ name: 'X-Add', value: 'added' }],
      remove: ['X-Remove'],
    },
  },
  {
    type: 'ResponseHeaders',
    changes: { set: [{ name: 'X-Route', value: 'filtered' }], add: [], remove: ['X-Secret'] },
  },
  { type: 'Rewrite', hostname: 'behind.test', path: { type: 'ReplacePrefixMatch', value: '/behind' } },
];

/** `/c0` goes to the cluster `shop/c0`, through every listener, and `/old/c0` is redirected to it. */
export function routes(topology: Topology): Resource[] {
  const { clusters, listeners, requestTimeoutMs, backendTimeoutMs, retries, mirrors } = topology;
  const rule = (path: string, rest: Partial<RouteRule>): RouteRule => ({
    matches: [{ path: { type: 'PathPrefix', value: path }, method: null, headers: [], queryParams: [] }],
    filters: [],
    clusters: [],
    ...RULE_DEFAULTS,
    requestTimeoutMs,
    backendTimeoutMs,
    ...rest,
  });
  return clusters.map(({ name }): Resource => {
    const path = `/${name.split('/')[1]}`;
    const redirect: Filter = {
      type: 'Redirect',
      scheme: null,
      hostname: null,
      port: null,
      path: { type: 'ReplacePrefixMatch', value: path },
      statusCode: 302,
    };
    const route: Route = {
      name,
      createdAt: 0,
      attachments: listeners.map((each) => ({ listener: each.name, hostnames: [] })),
      rules: [
        rule(path, {
          filters: isFiltered(name) ? FILTERS : [],
          clusters: [{ cluster: name, weight: 1 }],
          retry: retries.get(name)!,
          mirrors: mirrors.get(name)!,
        }),
        rule(`/old${path}`, { filters: [redirect] }),
      ],
    };
    return { kind: 'route', value: route };
  });
}

function drawManners(prng: Prng): Manners {
  const some = (chance: number) => (prng.chance(0.4) ? prng.between(0, chance) : 0);
  return {
    pipeline: some(0.8),
    body: some(0.9),
    mostBytes: prng.pick([1_000, 20_000, 200_000]),
    slowSender: some(0.8),
    stall: some(0.1),
    abort: some(0.5),
    slowReader: some(0.8),
    deaf: some(0.1),
    halfClose: some(0.5),
    thinkMs: prng.pick([5, 50, 300]),
    old: some(0.6),
    expect: some(0.6),
    redirect: some(0.2),
    upgrade: some(0.8),
  };
}

export function drawTemperament(prng: Prng): Temperament {
  const some = (chance: number) => (prng.chance(0.35) ? prng.between(0, chance) : 0);
  return {
    die: some(0.3),
    stall: some(0.15),
    slow: some(0.3),
    lie: some(0.15),
    early: some(0.5),
    closeIdle: some(0.6),
    old: some(0.5),
    thinkMs: prng.pick([1, 20, 200]),
    mostBytes: prng.pick([1_000, 20_000, 200_000]),
  };
}

/** The longest that anybody can have to wait for the proxy to do anything, in ms. */
export function patience(topology: Topology): number {
  const { timeouts, http, clusters, requestTimeoutMs, backendTimeoutMs, link, retries } = topology;
  const { backend, backendBody, linger, drainIdle } = timeouts;
  const { headerMs, bodyIdleMs, writeMs, idleMs } = http.timeouts;
  const pending = Math.max(...clusters.map(({ pendingTimeoutMs }) => pendingTimeoutMs));
  // What was certainly not processed is sent three times in all, the rest as the policy says.
  const policies = [...retries.values()].filter((policy) => policy !== null);
  const attempts = 3 + Math.max(0, ...policies.map((policy) => policy.attempts));
  const pauses = attempts * (100 + Math.max(0, ...policies.map((policy) => policy.maxBackoffMs)));
  const connect = Math.max(...clusters.map(({ connectTimeoutMs }) => connectTimeoutMs));
  const network = 1_000 + 20 * (link.latencyMs + link.jitterMs) + (link.loss > 0 ? 1_500 : 0);
  const answer = Math.max(backend, backendTimeoutMs, requestTimeoutMs);
  const client = headerMs + bodyIdleMs + writeMs + idleMs;
  return (
    client + attempts * (pending + connect + answer) + pauses + backendBody + linger + drainIdle + network
  );
}
