import type { ObjectView } from '../model/configuration.ts';
import { keyKind, keyName, type Resource, type ResourceKind } from '../model/resource.ts';
import { type EndpointHealth, endpointHealth, groupHealth } from './health.ts';
import type { Listing } from './listing.ts';
import { at, listAt, or, textAt, textsAt } from './manifest.ts';
import { shortList } from './print.ts';
import type { Session } from './session.ts';
import type { Cell } from './table.ts';

type ValueOf<Kind extends ResourceKind> = Extract<Resource, { kind: Kind }>['value'];

/** The resource's value as the kind that the listing asked the server for. */
function ofKind<Kind extends ResourceKind>(resource: Resource, kind: Kind): ValueOf<Kind> {
  if (resource.kind !== kind) throw new TypeError(`a ${resource.kind} where a ${kind} was asked for`);
  return resource.value as ValueOf<Kind>;
}

const noFacts = async (): Promise<null> => null;

/** What a user left to the defaults stands in the resources: the class by the gateway's name. */
export type GatewayFacts = ReadonlyMap<string, string>;

async function gatewayFacts(session: Session): Promise<GatewayFacts> {
  const { resources } = await session.client.get('resources', { kind: 'gateway' });
  return new Map(
    resources.map((resource) => {
      const { name, ingressClassName } = ofKind(resource, 'gateway');
      return [name, ingressClassName];
    }),
  );
}

export const GATEWAYS: Listing<GatewayFacts> = {
  kind: 'ProxyGateway',
  nouns: 'gateways',
  columns: [{ title: 'CLASS' }, { title: 'VIP' }, { title: 'LISTENERS' }],
  wideColumns: [{ title: 'HOSTNAMES' }],
  facts: gatewayFacts,
  cells: ({ manifest, object }, facts) => [
    or(
      textAt(manifest, 'spec', 'ingressClassName') || (facts.get(`${object.namespace}/${object.name}`) ?? ''),
      '-',
    ),
    or(textAt(manifest, 'spec', 'vipRef') || textAt(manifest, 'spec', 'vipRef', 'name'), '-'),
    shortList(
      listAt(manifest, 'spec', 'listeners').map(
        (one) => `${textAt(one, 'name')}:${textAt(one, 'port')}/${textAt(one, 'protocol')}`,
      ),
      4,
    ),
  ],
  wideCells: ({ manifest }) => [
    shortList(
      [...new Set(listAt(manifest, 'spec', 'listeners').flatMap((one) => textsAt(one, 'hostnames')))],
      6,
    ),
  ],
  resource: {
    kind: 'gateway',
    columns: [{ title: 'CLASS' }, { title: 'VIP' }],
    cells: (resource) => {
      const gateway = ofKind(resource, 'gateway');
      return [or(gateway.ingressClassName, '-'), or(gateway.vip, '-')];
    },
  },
};

/** Listeners that each route is attached to, by the route's name; read for -o wide only. */
export type RouteFacts = ReadonlyMap<string, readonly string[]>;

async function routeFacts(session: Session): Promise<RouteFacts> {
  if (session.output !== 'wide') return new Map();
  const { resources } = await session.client.get('resources', { kind: 'route' });
  return new Map(
    resources.map((resource) => {
      const { name, attachments } = ofKind(resource, 'route');
      return [name, attachments.map(({ listener }) => listener)];
    }),
  );
}

export const ROUTES: Listing<RouteFacts> = {
  kind: 'ProxyRoute',
  nouns: 'routes',
  columns: [{ title: 'HOSTNAMES' }, { title: 'PATHS' }, { title: 'BACKENDS' }],
  wideColumns: [{ title: 'RULES', align: 'right' }, { title: 'LISTENERS' }],
  facts: routeFacts,
  cells: ({ manifest }) => {
    const rules = listAt(manifest, 'spec', 'rules');
    const paths = rules.flatMap((rule) =>
      listAt(rule, 'matches').map((match) => or(textAt(match, 'path', 'value'), '/')),
    );
    return [
      shortList(textsAt(manifest, 'spec', 'hostnames'), 2),
      shortList(paths.length === 0 && rules.length > 0 ? ['/'] : paths, 3),
      shortList([...new Set(rules.flatMap(backendNames))], 3),
    ];
  },
  wideCells: ({ manifest, object }, facts) => [
    String(listAt(manifest, 'spec', 'rules').length),
    shortList(facts.get(`${object.namespace}/${object.name}`) ?? [], 3),
  ],
  resource: {
    kind: 'route',
    columns: [{ title: 'HOSTNAMES' }, { title: 'PATHS' }, { title: 'BACKENDS' }, { title: 'LISTENERS' }],
    cells: (resource) => {
      const { attachments, rules } = ofKind(resource, 'route');
      return [
        shortList([...new Set(attachments.flatMap(({ hostnames }) => hostnames))], 2),
        shortList(
          rules.flatMap(({ matches }) => matches.map(({ path }) => path.value)),
          3,
        ),
        shortList([...new Set(rules.flatMap(({ clusters }) => clusters.map(({ cluster }) => cluster)))], 3),
        shortList(
          attachments.map(({ listener }) => listener),
          3,
        ),
      ];
    },
  },
};

function backendNames(rule: unknown): string[] {
  const references = [at(rule, 'backendRef'), ...listAt(rule, 'backendRefs')];
  return references
    .map((reference) => {
      const name = textAt(reference, 'name');
      return textAt(reference, 'kind') === 'Service' ? `svc/${name}:${textAt(reference, 'port')}` : name;
    })
    .filter((name) => name !== '');
}

export interface BackendFacts {
  readonly health: ReadonlyMap<string, readonly EndpointHealth[]>;
  readonly policies: ReadonlyMap<string, string>;
}

export const BACKENDS: Listing<BackendFacts> = {
  kind: 'ProxyBackend',
  nouns: 'backends',
  columns: [{ title: 'SOURCE' }, { title: 'POLICY' }, { title: 'HEALTHY' }],
  wideColumns: [{ title: 'CONNECT-TIMEOUT' }, { title: 'IDLE-TIMEOUT' }, { title: 'MAX-CONNECTIONS' }],
  facts: backendFacts,
  cells: (view, facts) => [
    backendSource(view),
    or(
      textAt(view.manifest, 'spec', 'lbPolicy') ||
        clustersOf(view).map((name) => facts.policies.get(name))[0] ||
        '',
      '-',
    ),
    healthyCell(endpointsOf(view, facts)),
  ],
  wideCells: ({ manifest }) => [
    or(textAt(manifest, 'spec', 'connectTimeout'), '-'),
    or(textAt(manifest, 'spec', 'idleTimeout'), '-'),
    or(textAt(manifest, 'spec', 'circuitBreaker', 'maxConnections'), '-'),
  ],
  note: (view, facts) => {
    const endpoints = endpointsOf(view, facts);
    const wrong = endpoints.filter(({ health }) => health !== 'good' && health !== 'unknown');
    const [first] = wrong;
    if (first === undefined) return '';
    return `${first.endpoint} ${first.note}${wrong.length > 1 ? `, and ${wrong.length - 1} more` : ''}`;
  },
  resource: {
    kind: 'cluster',
    columns: [{ title: 'POLICY' }, { title: 'HEALTHY' }, { title: 'MAX-CONNECTIONS', align: 'right' }],
    cells: (resource, facts) => {
      const cluster = ofKind(resource, 'cluster');
      return [
        cluster.lbPolicy,
        healthyCell(facts.health.get(cluster.name) ?? []),
        String(cluster.maxConnections),
      ];
    },
  },
};

function clustersOf(view: ObjectView): string[] {
  return view.resources.filter((key) => keyKind(key) === 'cluster').map(keyName);
}

function endpointsOf(view: ObjectView, { health }: BackendFacts): EndpointHealth[] {
  return clustersOf(view).flatMap((name) => health.get(name) ?? []);
}

async function backendFacts(session: Session): Promise<BackendFacts> {
  const [endpoints, clusters, { nodes }] = await Promise.all([
    session.client.get('resources', { kind: 'endpoint' }),
    session.client.get('resources', { kind: 'cluster' }),
    session.client.get('stats'),
  ]);
  return {
    health: endpointHealth(
      endpoints.resources.map((resource) => ofKind(resource, 'endpoint')),
      nodes,
    ),
    policies: new Map(
      clusters.resources.map((resource) => {
        const { name, lbPolicy } = ofKind(resource, 'cluster');
        return [name, lbPolicy];
      }),
    ),
  };
}

function backendSource({ manifest }: ObjectView): string {
  const service = textAt(manifest, 'spec', 'serviceRef', 'name');
  if (service !== '') return `Service ${service}:${textAt(manifest, 'spec', 'serviceRef', 'port')}`;
  const endpoints = listAt(manifest, 'spec', 'endpoints').length;
  return endpoints === 1 ? '1 endpoint' : `${endpoints} endpoints`;
}

function healthyCell(endpoints: readonly EndpointHealth[]): Cell {
  const members = endpoints.map(({ health }) => health);
  if (members.length === 0) return { text: '0/0', tone: 'bad' };
  const health = groupHealth(members);
  if (health === 'unknown') return { text: `?/${members.length}`, tone: 'dim' };
  const good = members.filter((member) => member === 'good').length;
  return {
    text: `${good}/${members.length}`,
    tone: health === 'good' ? 'good' : health === 'bad' ? 'bad' : 'warn',
  };
}

export const VIPS: Listing<null> = {
  kind: 'ProxyVIP',
  nouns: 'VIPs',
  columns: [{ title: 'ADDRESS' }, { title: 'MODE' }, { title: 'PORTS' }],
  wideColumns: [{ title: 'MIN-HEALTHY-NODES' }, { title: 'NODE-SELECTOR' }],
  facts: noFacts,
  cells: ({ manifest }) => [
    or(textAt(manifest, 'spec', 'address'), '-'),
    or(textAt(manifest, 'spec', 'mode'), '-'),
    shortList(textsAt(manifest, 'spec', 'ports'), 6),
  ],
  wideCells: ({ manifest }) => {
    const labels = at(manifest, 'spec', 'nodeSelector', 'matchLabels');
    const pairs = typeof labels === 'object' && labels !== null ? Object.entries(labels) : [];
    return [
      or(textAt(manifest, 'spec', 'healthPolicy', 'minHealthyNodes'), '-'),
      shortList(
        pairs.map(([name, value]) => `${name}=${String(value)}`),
        4,
      ),
    ];
  },
  resource: {
    kind: 'vip',
    columns: [{ title: 'ADDRESS' }, { title: 'MODE' }, { title: 'PORTS' }],
    cells: (resource) => {
      const vip = ofKind(resource, 'vip');
      return [vip.address, vip.mode, shortList(vip.ports.map(String), 6)];
    },
  },
};

/** For kinds without a command of their own. */
export function plainListing(kind: string): Listing<null> {
  return {
    kind,
    nouns: `${kind} objects`,
    columns: [],
    wideColumns: [{ title: 'API-VERSION' }],
    facts: noFacts,
    cells: () => [],
    wideCells: ({ manifest }) => [or(textAt(manifest, 'apiVersion'), '-')],
    resource: null,
  };
}

/** Runs `use` with the listing of a kind, each with its own type of facts. */
export function withListing<Result>(kind: string, use: <Facts>(listing: Listing<Facts>) => Result): Result {
  switch (kind) {
    case GATEWAYS.kind:
      return use(GATEWAYS);
    case ROUTES.kind:
      return use(ROUTES);
    case BACKENDS.kind:
      return use(BACKENDS);
    case VIPS.kind:
      return use(VIPS);
    default:
      return use(plainListing(kind));
  }
}
