import type { ActorReport } from '../../src/model/actor.ts';
import type { AgentAdmin, ControllerAdmin, NodeView } from '../../src/model/admin.ts';
import type { Cluster } from '../../src/model/cluster.ts';
import { CLUSTER_DEFAULTS } from '../../src/model/cluster.ts';
import type { ObjectView } from '../../src/model/configuration.ts';
import type { Endpoint } from '../../src/model/endpoint.ts';
import { LISTENER_DEFAULTS } from '../../src/model/gateway.ts';
import type { Condition, ConditionType, Problem } from '../../src/model/object.ts';
import type { EndpointReport, NodeReport } from '../../src/model/report.ts';
import { type Resource, type ResourceSet, resourceKey } from '../../src/model/resource.ts';
import type { RouteMatch } from '../../src/model/route.ts';
import { RULE_DEFAULTS } from '../../src/model/route.ts';
import { startAdmin } from '../../src/observe/admin.ts';
import { createMetrics } from '../../src/observe/metrics.ts';

/** A small, believable installation: two nodes, two namespaces, some of it broken. */
const NOW = Date.now();
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const VERSION = '3f2a91c0de774be1a0c2b7e1f4d59a6680c1e2d3f4a5b6c7d8e9f0a1b2c3d4e5';
const OLD_VERSION = 'aa00bb11cc22dd33ee44ff5566778899aabbccddeeff00112233445566778899';

/** Half a unit on top, so that the seconds a test takes do not change what is shown. */
export const ago = (ms: number): number => NOW - ms - 30_000;

type Status = Condition['status'];

function condition(type: ConditionType, status: Status, reason: string, message = ''): Condition {
  return {
    type,
    status,
    reason,
    message,
    observedGeneration: 1,
    lastTransitionTime: new Date(ago(3 * HOUR)).toISOString(),
  };
}

const FINE = [
  condition('Accepted', 'True', 'Accepted'),
  condition('ResolvedRefs', 'True', 'ResolvedRefs'),
  condition('Programmed', 'True', 'Programmed'),
];

function view(
  kind: string,
  namespace: string,
  name: string,
  spec: Record<string, unknown>,
  resources: string[],
  conditions: Condition[] = FINE,
  problems: Problem[] = [],
): ObjectView {
  return {
    object: { kind, namespace, name },
    manifest: {
      apiVersion: 'novaedge.io/v1alpha1',
      kind,
      metadata: { name, namespace, creationTimestamp: new Date(ago(3 * 24 * HOUR + 4 * HOUR)).toISOString() },
      spec,
    },
    conditions,
    problems,
    resources,
  };
}

export const PROBLEMS: Problem[] = [
  {
    severity: 'error',
    file: 'deploy/samples/gateways.yaml',
    line: 31,
    object: { kind: 'ProxyGateway', namespace: 'shop', name: 'store' },
    field: 'spec.listeners[0].protocol',
    value: '"HTTPS"',
    reason: 'UnsupportedProtocol',
    message: 'HTTPS is not supported yet',
    lastGoodServes: false,
  },
  {
    severity: 'error',
    file: 'deploy/samples/routes.yaml',
    line: 12,
    object: { kind: 'ProxyRoute', namespace: 'default', name: 'web' },
    field: 'spec.rules[0].matches[0].path.value',
    value: '"v1"',
    reason: 'InvalidPath',
    message: 'a path must begin with "/"',
    lastGoodServes: true,
  },
  {
    severity: 'unresolved',
    file: 'deploy/samples/routes.yaml',
    line: 58,
    object: { kind: 'ProxyRoute', namespace: 'shop', name: 'cart' },
    field: 'spec.rules[0].backendRef.name',
    value: '"cart-backend"',
    reason: 'BackendNotFound',
    message: 'there is no ProxyBackend shop/cart-backend',
    lastGoodServes: false,
  },
];

export const OBJECTS: ObjectView[] = [
  view(
    'ProxyGateway',
    'default',
    'external-gateway',
    {
      vipRef: 'public-vip',
      ingressClassName: 'novaedge',
      listeners: [
        {
          name: 'http',
          port: 8080,
          protocol: 'HTTP',
          ...LISTENER_DEFAULTS,
          hostnames: ['example.com', '*.example.com'],
        },
        { name: 'admin', port: 8081, protocol: 'HTTP' },
      ],
    },
    ['gateway/default/external-gateway', 'listener/default/external-gateway/http'],
  ),
  view(
    'ProxyGateway',
    'shop',
    'store',
    { ingressClassName: 'novaedge', listeners: [{ name: 'https', port: 8443, protocol: 'HTTPS' }] },
    [],
    [
      condition(
        'Accepted',
        'False',
        'UnsupportedProtocol',
        'spec.listeners[0].protocol: HTTPS is not supported yet',
      ),
      condition('ResolvedRefs', 'True', 'ResolvedRefs'),
      condition('Programmed', 'Unknown', 'Pending'),
    ],
    [PROBLEMS[0]!],
  ),
  view(
    'ProxyRoute',
    'default',
    'api',
    {
      hostnames: ['api.example.com'],
      rules: [
        { matches: [{ path: { type: 'PathPrefix', value: '/v1' } }], backendRef: { name: 'api-backend' } },
        {
          matches: [{ path: { type: 'Exact', value: '/healthz' }, method: 'GET' }],
          backendRef: { name: 'api-backend' },
        },
      ],
    },
    ['route/default/api'],
  ),
  view(
    'ProxyRoute',
    'default',
    'web',
    {
      hostnames: ['example.com', 'www.example.com', 'example.org'],
      rules: [
        {
          matches: [{ path: { type: 'PathPrefix', value: 'v1' } }],
          backendRefs: [
            { name: 'web-backend', weight: 90 },
            { name: 'web-canary', weight: 10 },
          ],
        },
      ],
    },
    ['route/default/web'],
    [
      condition(
        'Accepted',
        'False',
        'InvalidPath',
        'spec.rules[0].matches[0].path.value: a path must begin with "/"; the last good version serves on',
      ),
      condition('ResolvedRefs', 'True', 'ResolvedRefs'),
      condition('Programmed', 'True', 'Programmed'),
    ],
    [PROBLEMS[1]!],
  ),
  view(
    'ProxyRoute',
    'shop',
    'cart',
    { hostnames: ['shop.example.com'], rules: [{ backendRef: { name: 'cart-backend' } }] },
    ['route/shop/cart'],
    [
      condition('Accepted', 'True', 'Accepted'),
      condition('ResolvedRefs', 'False', 'BackendNotFound', 'there is no ProxyBackend shop/cart-backend'),
      condition('Programmed', 'True', 'Programmed'),
    ],
    [PROBLEMS[2]!],
  ),
  view(
    'ProxyBackend',
    'default',
    'api-backend',
    {
      serviceRef: { name: 'api-svc', port: 8080 },
      ...CLUSTER_DEFAULTS,
      connectTimeout: '2s',
      idleTimeout: '60s',
      circuitBreaker: { maxConnections: 1000, maxPendingRequests: 200 },
    },
    ['cluster/default/api-backend'],
  ),
  view(
    'ProxyBackend',
    'default',
    'web-backend',
    {
      endpoints: [
        { address: '10.0.1.1', port: 80 },
        { address: '10.0.1.2', port: 80 },
      ],
      ...CLUSTER_DEFAULTS,
    },
    ['cluster/default/web-backend'],
  ),
  view(
    'ProxyBackend',
    'default',
    'web-canary',
    { endpoints: [{ address: 'fd00::1', port: 80 }], lbPolicy: 'RoundRobin' },
    ['cluster/default/web-canary'],
  ),
  view(
    'ProxyVIP',
    'default',
    'public-vip',
    {
      address: '203.0.113.10/32',
      mode: 'BGP',
      ports: [80, 443],
      nodeSelector: { matchLabels: { 'novaedge-role': 'edge' } },
      healthPolicy: { minHealthyNodes: 2 },
    },
    ['vip/default/public-vip'],
    [
      condition('Accepted', 'True', 'Accepted'),
      condition('ResolvedRefs', 'True', 'ResolvedRefs'),
      condition('Programmed', 'False', 'NotSupported', 'announcing addresses is not supported yet'),
    ],
  ),
];

const cluster = (name: string): Cluster => ({
  name,
  ...CLUSTER_DEFAULTS,
  connectTimeoutMs: 2000,
  idleTimeoutMs: 60_000,
  maxConnections: 1000,
  maxPendingRequests: 200,
});

const endpoint = (name: string, address: string, port: number, ready = true): Endpoint => ({
  cluster: name,
  address,
  port,
  weight: 1,
  ready,
  zone: '',
  nodeName: '',
});

const match = (path: RouteMatch['path'], method: string | null = null): RouteMatch => ({
  path,
  method,
  headers: [],
  queryParams: [],
});

const RESOURCE_LIST: Resource[] = [
  {
    kind: 'gateway',
    value: { name: 'default/external-gateway', ingressClassName: 'novaedge', vip: 'default/public-vip' },
  },
  {
    kind: 'listener',
    value: {
      name: 'default/external-gateway/http',
      gateway: 'default/external-gateway',
      port: 8080,
      protocol: 'HTTP',
      ...LISTENER_DEFAULTS,
      hostnames: ['example.com', '*.example.com'],
    },
  },
  {
    kind: 'listener',
    value: {
      name: 'default/external-gateway/admin',
      gateway: 'default/external-gateway',
      port: 8081,
      protocol: 'HTTP',
      ...LISTENER_DEFAULTS,
      hostnames: [],
    },
  },
  {
    kind: 'route',
    value: {
      name: 'default/api',
      createdAt: ago(HOUR),
      attachments: [{ listener: 'default/external-gateway/http', hostnames: ['api.example.com'] }],
      rules: [
        {
          matches: [match({ type: 'PathPrefix', value: '/v1' })],
          filters: [
            {
              type: 'RequestHeaders',
              changes: { set: [{ name: 'authorization', value: 'Basic c2VjcmV0' }], add: [], remove: [] },
            },
          ],
          clusters: [{ cluster: 'default/api-backend', weight: 1 }],
          ...RULE_DEFAULTS,
        },
        {
          matches: [match({ type: 'Exact', value: '/healthz' }, 'GET')],
          filters: [],
          clusters: [{ cluster: 'default/api-backend', weight: 1 }],
          ...RULE_DEFAULTS,
        },
        {
          matches: [match({ type: 'PathPrefix', value: '/old' })],
          filters: [
            {
              type: 'Redirect',
              scheme: 'https',
              hostname: 'new.example.com',
              port: null,
              path: null,
              statusCode: 301,
            },
          ],
          clusters: [],
          ...RULE_DEFAULTS,
        },
      ],
    },
  },
  {
    kind: 'route',
    value: {
      name: 'default/web',
      createdAt: ago(HOUR),
      attachments: [
        { listener: 'default/external-gateway/http', hostnames: ['example.com', 'www.example.com'] },
        { listener: 'default/external-gateway/admin', hostnames: [] },
      ],
      rules: [
        {
          matches: [match({ type: 'PathPrefix', value: '/' })],
          filters: [],
          clusters: [
            { cluster: 'default/web-backend', weight: 90 },
            { cluster: 'default/web-canary', weight: 10 },
          ],
          ...RULE_DEFAULTS,
        },
      ],
    },
  },
  {
    kind: 'route',
    value: {
      name: 'shop/cart',
      createdAt: ago(HOUR),
      attachments: [{ listener: 'default/external-gateway/http', hostnames: ['shop.example.com'] }],
      rules: [
        {
          matches: [match({ type: 'PathPrefix', value: '/' })],
          filters: [],
          clusters: [{ cluster: 'shop/cart-backend', weight: 1 }],
          ...RULE_DEFAULTS,
        },
      ],
    },
  },
  { kind: 'cluster', value: cluster('default/api-backend') },
  { kind: 'cluster', value: cluster('default/web-backend') },
  { kind: 'cluster', value: cluster('default/web-canary') },
  { kind: 'endpoint', value: endpoint('default/api-backend', '10.0.0.1', 8080) },
  { kind: 'endpoint', value: endpoint('default/api-backend', '10.0.0.2', 8080) },
  { kind: 'endpoint', value: endpoint('default/api-backend', '10.0.0.3', 8080, false) },
  { kind: 'endpoint', value: endpoint('default/web-backend', '10.0.1.1', 80) },
  { kind: 'endpoint', value: endpoint('default/web-backend', '10.0.1.2', 80) },
  { kind: 'endpoint', value: endpoint('default/web-canary', 'fd00::1', 80) },
  {
    kind: 'vip',
    value: {
      name: 'default/public-vip',
      address: '203.0.113.10/32',
      mode: 'BGP',
      ports: [80, 443],
      minHealthyNodes: 2,
    },
  },
];

export const RESOURCES: ResourceSet = new Map(
  RESOURCE_LIST.map((resource) => [resourceKey(resource), resource]),
);

function endpointReport(
  name: string,
  address: string,
  requests: number,
  health: EndpointReport['health'] = 'healthy',
  reason = '',
): EndpointReport {
  return {
    cluster: name,
    endpoint: address,
    health,
    reason,
    connections: health === 'healthy' ? 4 : 0,
    activeRequests: health === 'healthy' ? 1 : 0,
    requests,
    failures: health === 'failing' ? 17 : 0,
  };
}

function actor(
  address: string,
  parent: string | null,
  thread: string,
  state: string,
  reason: string,
  more: Partial<ActorReport> = {},
): ActorReport {
  return { address, parent, thread, state, reason, since: ago(2 * HOUR), restarts: 0, mailbox: 0, ...more };
}

function actors(node: string): ActorReport[] {
  const root = `${node}/main/root`;
  const plane = `${node}/dataplane-0/supervisor`;
  return [
    actor(root, null, 'main', 'running', 'started'),
    actor(`${node}/main/config-stream`, root, 'main', 'streaming.idle', 'acknowledged', {
      since: ago(14 * MINUTE),
    }),
    actor(`${node}/main/rollout`, root, 'main', 'idle', 'committed', { since: ago(14 * MINUTE) }),
    actor(plane, root, 'dataplane-0', 'running', 'restarted', { restarts: 1 }),
    actor(
      `${node}/dataplane-0/listener/default/external-gateway/http`,
      plane,
      'dataplane-0',
      'listening',
      'committed',
    ),
    actor(
      `${node}/dataplane-0/listener/default/external-gateway/admin`,
      plane,
      'dataplane-0',
      'failed',
      'socket_failed',
      {
        restarts: 3,
      },
    ),
    actor(
      `${node}/dataplane-0/circuit-breaker/default/api-backend`,
      plane,
      'dataplane-0',
      'open',
      'limit_reached',
      {
        since: ago(25 * MINUTE),
        mailbox: 2,
      },
    ),
  ];
}

export function nodeReport(node: string): NodeReport {
  const first = node === 'edge-1';
  return {
    detail: 'whole',
    node,
    version: first ? VERSION : OLD_VERSION,
    ready: true,
    notReadyReason: '',
    workers: 2,
    startedAt: ago(5 * HOUR + 12 * MINUTE),
    failures: first
      ? []
      : [
          {
            key: 'listener/default/external-gateway/admin',
            reason: 'AddressInUse',
            message: 'port 8081 is in use',
          },
        ],
    listeners: [
      {
        name: 'default/external-gateway/http',
        port: 8080,
        state: 'listening',
        openConnections: 12,
        requests: 120_311,
      },
      {
        name: 'default/external-gateway/admin',
        port: 8081,
        state: first ? 'listening' : 'failed',
        openConnections: 0,
        requests: first ? 42 : 0,
      },
    ],
    clusters: [
      {
        name: 'default/api-backend',
        connections: 8,
        pendingRequests: 0,
        requests: 100_000,
        breaker: 'closed',
      },
      { name: 'default/web-backend', connections: 4, pendingRequests: 3, requests: 20_353, breaker: 'open' },
    ],
    endpoints: [
      endpointReport('default/api-backend', '10.0.0.1:8080', 50_000),
      endpointReport('default/api-backend', '10.0.0.2:8080', 50_000),
      endpointReport('default/api-backend', '10.0.0.3:8080', 0, 'unready'),
      endpointReport('default/web-backend', '10.0.1.1:80', 20_000),
      first
        ? endpointReport('default/web-backend', '10.0.1.2:80', 353, 'failing', 'connection refused')
        : endpointReport('default/web-backend', '10.0.1.2:80', 353),
      endpointReport('default/web-canary', '[fd00::1]:80', 0, 'failing', 'connect timeout'),
    ],
    actors: actors(node),
    totals: { 'request_count{code="2xx"}': 119_900, 'request_count{code="5xx"}': 411 },
  };
}

function nodeView(node: string, connected: boolean, acknowledged: string): NodeView {
  return {
    node,
    connected,
    since: ago(7 * MINUTE),
    wished: VERSION,
    acknowledged,
    report: nodeReport(node),
  };
}

export function controllerAdmin(overrides: Partial<ControllerAdmin> = {}): ControllerAdmin {
  return {
    objects: () => OBJECTS,
    problems: () => PROBLEMS,
    resources: () => RESOURCES,
    nodes: () => [nodeView('edge-1', true, VERSION), nodeView('edge-2', true, OLD_VERSION)],
    refresh: async () => {},
    readiness: () => ({ ready: true, reasons: [] }),
    ...overrides,
  };
}

export function agentAdmin(overrides: Partial<AgentAdmin> = {}): AgentAdmin {
  return {
    report: async () => nodeReport('edge-1'),
    resources: () => RESOURCES,
    readiness: () => ({ ready: true, reasons: [] }),
    counters: () => [],
    actorRestarts: () => 4,
    ...overrides,
  };
}

/** A real admin server over the fixture; `close` also stops its metrics. */
export async function serveFixture(subjects: {
  controller?: ControllerAdmin;
  agent?: AgentAdmin;
  listen?: string;
}): Promise<{ address: string; close(): Promise<void> }> {
  const metrics = createMetrics({ version: '0.1.0', agent: subjects.agent, processMetrics: false });
  const admin = await startAdmin({
    listen: subjects.listen ?? '127.0.0.1:0',
    version: '0.1.0',
    metrics,
    controller: subjects.controller,
    agent: subjects.agent,
  });
  return {
    address: admin.address,
    async close() {
      await admin.close();
      metrics.close();
    },
  };
}
