import fc from 'fast-check';
import type { HashSource } from '../../../src/model/cluster.ts';
import { CLUSTER_DEFAULTS, CLUSTER_PROTOCOLS, LB_POLICIES } from '../../../src/model/cluster.ts';
import type { Filter, HeaderChanges, PathChange } from '../../../src/model/filter.ts';
import type { ClientAddressSettings, HttpSettings } from '../../../src/model/http-settings.ts';
import type { Resource, ResourceKey } from '../../../src/model/resource.ts';
import { resourceKey } from '../../../src/model/resource.ts';
import type { RouteMatch, RouteRule, ValueMatch } from '../../../src/model/route.ts';
import { RULE_DEFAULTS } from '../../../src/model/route.ts';
import type { ClusterTls, ListenerTls } from '../../../src/model/tls.ts';
import { TLS_VERSIONS } from '../../../src/model/tls.ts';

const record = <T extends object>(model: { [Key in keyof T]: fc.Arbitrary<T[Key]> }): fc.Arbitrary<T> =>
  fc.record<T>(model, { noNullPrototype: true }) as fc.Arbitrary<T>;
const text = fc.string({ unit: 'grapheme', maxLength: 12 });
const filled = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 12 });
const label = fc.stringMatching(/^[a-z]([a-z0-9-]{0,5}[a-z0-9])?$/);
const objectName = fc.tuple(label, label).map(([namespace, name]) => `${namespace}/${name}`);
const port = fc.integer({ min: 1, max: 65_535 });
const weight = fc.integer({ min: 0, max: 1_000_000 });
const uint32 = fc.integer({ min: 0, max: 0xffff_ffff });
const time = fc.integer({ min: 0, max: 4e12 });
const few = <T>(value: fc.Arbitrary<T>): fc.Arbitrary<T[]> => fc.array(value, { maxLength: 3 });

const header = record({ name: filled, value: text });
const changes: fc.Arbitrary<HeaderChanges> = record({
  set: few(header),
  add: few(header),
  remove: few(filled),
});
const path: fc.Arbitrary<PathChange | null> = fc.option(
  record({ type: fc.constantFrom('ReplaceFullPath', 'ReplacePrefixMatch'), value: text }),
);
const optional = fc.option(filled);

export const filter: fc.Arbitrary<Filter> = fc.oneof(
  record({ type: fc.constant('RequestHeaders' as const), changes }),
  record({ type: fc.constant('ResponseHeaders' as const), changes }),
  record({ type: fc.constant('Rewrite' as const), hostname: optional, path }),
  record({
    type: fc.constant('Redirect' as const),
    scheme: fc.constantFrom(null, 'http' as const, 'https' as const),
    hostname: optional,
    port: fc.option(port),
    path,
    statusCode: fc.constantFrom(301 as const, 302 as const, 303 as const, 307 as const, 308 as const),
  }),
);

const valueMatch: fc.Arbitrary<ValueMatch> = record({
  type: fc.constantFrom('Exact', 'RegularExpression'),
  name: filled,
  value: text,
});
const match: fc.Arbitrary<RouteMatch> = record({
  path: record({ type: fc.constantFrom('Exact', 'PathPrefix', 'RegularExpression'), value: text }),
  method: optional,
  headers: few(valueMatch),
  queryParams: few(valueMatch),
});
const rule: fc.Arbitrary<RouteRule> = record({
  matches: fc.array(match, { minLength: 1, maxLength: 3 }),
  filters: few(filter),
  clusters: few(record({ cluster: objectName, weight })),
  requestTimeoutMs: uint32,
  backendTimeoutMs: uint32,
  retry: fc.option(
    record({
      attempts: uint32,
      conditions: few(
        fc.constantFrom('Reset' as const, 'Timeout' as const, 'Status' as const, 'GRPCStatus' as const),
      ),
      codes: few(fc.integer({ min: 100, max: 999 })),
      grpcCodes: few(uint32),
      methods: fc.constantFrom('Idempotent', 'All'),
      backoffMs: uint32,
      maxBackoffMs: uint32,
    }),
  ),
  mirrors: few(
    record({ cluster: objectName, share: fc.double({ min: 0, max: 1, noNaN: true }).map(Math.abs) }),
  ),
  bodyBytes: fc.oneof(fc.constant(-1), fc.maxSafeNat()),
  grpcWeb: fc.boolean(),
});

const hashSource: fc.Arbitrary<HashSource> = fc.oneof(
  record({ type: fc.constant('SourceIP' as const) }),
  record({ type: fc.constant('Path' as const) }),
  record({ type: fc.constant('Header' as const), name: filled }),
  record({ type: fc.constant('Cookie' as const), name: filled, path: text, ttlSeconds: uint32 }),
);

const http: fc.Arbitrary<HttpSettings> = record({
  path: record({
    escapedSlashes: fc.constantFrom('Refuse', 'Keep', 'Decode'),
    doubleSlashes: fc.constantFrom('Merge', 'Keep', 'Refuse'),
    dotSegments: fc.constantFrom('Resolve', 'Refuse'),
  }),
  underscores: fc.constantFrom('Drop', 'Refuse', 'Keep'),
  limits: record({
    requestLineBytes: uint32,
    headerBytes: uint32,
    headerCount: uint32,
    trailerBytes: uint32,
    chunkExtensionBytes: uint32,
    bodyBytes: fc.maxSafeNat(),
    requestsPerConnection: uint32,
    pipelinedBytes: uint32,
    minimumBytesPerSecond: uint32,
  }),
  timeouts: record({
    headerMs: uint32,
    bodyIdleMs: uint32,
    requestMs: uint32,
    idleMs: uint32,
    writeMs: uint32,
    tunnelIdleMs: uint32,
  }),
  http1: fc.boolean(),
  http2: record({
    enabled: fc.boolean(),
    maxConcurrentStreams: uint32,
    streamWindowBytes: uint32,
    connectionWindowBytes: uint32,
  }),
});
const clientAddress: fc.Arbitrary<ClientAddressSettings> = record({
  trustedProxies: few(filled),
  trustedHops: uint32,
  header: fc.constantFrom('XForwardedFor', 'Forwarded'),
  send: fc.constantFrom('XForwarded', 'Forwarded', 'Both'),
  proxyProtocolFrom: few(filled),
});

const listenerTls: fc.Arbitrary<ListenerTls> = record({
  certificates: few(objectName),
  minVersion: fc.constantFrom(...TLS_VERSIONS),
  maxVersion: fc.constantFrom(...TLS_VERSIONS),
  ciphers: few(filled),
  curves: few(filled),
  alpn: few(fc.constantFrom('h2' as const, 'http/1.1' as const)),
  clientCertificates: fc.option(
    record({ mode: fc.constantFrom('Optional' as const, 'Required' as const), ca: filled, header: filled }),
  ),
  sessionTickets: fc.boolean(),
  handshakeTimeoutMs: uint32,
});
const clusterTls: fc.Arbitrary<ClusterTls> = record({
  serverName: text,
  subjectAltNames: few(filled),
  ca: text,
  verify: fc.boolean(),
  certificate: text,
  minVersion: fc.constantFrom(...TLS_VERSIONS),
});

const address = fc.oneof(fc.ipV4(), fc.ipV6(), fc.domain());

export const endpoint: fc.Arbitrary<Resource> = record({
  cluster: objectName,
  address,
  port,
  weight,
  ready: fc.boolean(),
  zone: text,
  nodeName: text,
}).map((value) => ({ kind: 'endpoint', value }));

/** Any resource that the protocol allows. */
export const resource: fc.Arbitrary<Resource> = fc.oneof(
  record({ name: objectName, ingressClassName: text, vip: text }).map(
    (value): Resource => ({ kind: 'gateway', value }),
  ),
  record({
    name: objectName,
    gateway: objectName,
    port,
    protocol: fc.constantFrom('HTTP' as const, 'HTTPS' as const),
    hostnames: few(fc.domain()),
    http,
    clientAddress,
    tls: fc.option(listenerTls),
  }).map((value): Resource => ({ kind: 'listener', value })),
  record({
    name: objectName,
    createdAt: time,
    attachments: few(record({ listener: objectName, hostnames: few(fc.domain()) })),
    rules: few(rule),
  }).map((value): Resource => ({ kind: 'route', value })),
  record({
    name: objectName,
    lbPolicy: fc.constantFrom(...LB_POLICIES),
    hash: fc.option(hashSource),
    connectTimeoutMs: uint32,
    idleTimeoutMs: uint32,
    maxConnections: uint32,
    maxPendingRequests: uint32,
    pendingTimeoutMs: uint32,
    warmConnections: uint32,
    maxIdleConnections: uint32,
    maxRequestsPerConnection: uint32,
    retryBudget: record({ percent: uint32, intervalMs: uint32, minPerSecond: uint32 }),
    proxyProtocol: fc.constantFrom('V1' as const, 'V2' as const, null),
    protocol: fc.constantFrom(...CLUSTER_PROTOCOLS),
    tls: fc.option(clusterTls),
    maxConcurrentStreams: uint32,
  }).map((value): Resource => ({ kind: 'cluster', value })),
  endpoint,
  record({
    name: objectName,
    target: record({ kind: fc.constantFrom('gateway' as const, 'route' as const), name: objectName }),
    createdAt: time,
    filters: few(filter),
  }).map((value): Resource => ({ kind: 'policy', value })),
  record({
    name: objectName,
    address,
    mode: fc.constantFrom('L2ARP' as const, 'BGP' as const, 'OSPF' as const),
    ports: few(port),
    minHealthyNodes: uint32,
  }).map((value): Resource => ({ kind: 'vip', value })),
  record({
    name: objectName,
    chain: filled,
    privateKey: filled,
    ocspStaple: text,
    notAfter: time,
  }).map((value): Resource => ({ kind: 'certificate', value })),
);

/** Resources with distinct keys. */
export const resources: fc.Arbitrary<Resource[]> = fc.uniqueArray(resource, {
  selector: resourceKey,
  maxLength: 30,
});

export function byKey(list: Iterable<Resource>): Map<ResourceKey, Resource> {
  return new Map([...list].map((each) => [resourceKey(each), each]));
}

/** `routes` routes and clusters with `endpointsEach` endpoints a cluster, as a large installation has them. */
export function largeSet(routes: number, endpointsEach: number): Map<ResourceKey, Resource> {
  const list: Resource[] = [];
  for (let index = 0; index < routes; index += 1) {
    const name = `shop-${index % 50}/service-${index}`;
    list.push({
      kind: 'route',
      value: {
        name,
        createdAt: 1_700_000_000_000 + index,
        attachments: [{ listener: 'default/external/http', hostnames: [`service-${index}.example.com`] }],
        rules: [
          {
            matches: [
              {
                path: { type: 'PathPrefix', value: `/api/v${index % 5}` },
                method: null,
                headers: [],
                queryParams: [],
              },
            ],
            filters: [],
            clusters: [{ cluster: name, weight: 1 }],
            ...RULE_DEFAULTS,
            requestTimeoutMs: 30_000,
            backendTimeoutMs: 0,
          },
        ],
      },
    });
    list.push({
      kind: 'cluster',
      value: {
        name,
        ...CLUSTER_DEFAULTS,
        connectTimeoutMs: 1000,
        idleTimeoutMs: 60_000,
        maxConnections: 1024,
        maxPendingRequests: 1024,
      },
    });
    for (let each = 0; each < endpointsEach; each += 1) {
      list.push({
        kind: 'endpoint',
        value: {
          cluster: name,
          address: `10.${index >> 8}.${index & 255}.${each + 1}`,
          port: 8080,
          weight: 1,
          ready: true,
          zone: 'zone-a',
          nodeName: `node-${index % 100}`,
        },
      });
    }
  }
  return byKey(list);
}
