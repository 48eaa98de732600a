import type { ObjectView } from '../../model/configuration.ts';
import type { Filter } from '../../model/filter.ts';
import type { NodeReport } from '../../model/report.ts';
import type { Resource, ResourceKind } from '../../model/resource.ts';
import type { RouteMatch, RouteRule } from '../../model/route.ts';
import { wrongText } from '../conditions.ts';
import { type EndpointHealth, endpointHealth, groupHealth, type Health, healthSummary } from '../health.ts';
import { listAt, textAt } from '../manifest.ts';
import type { GraphEdge, GraphNode, TopologyGraph } from './graph.ts';

export interface TopologyInput {
  /** Empty where only an agent answers. */
  readonly objects: readonly ObjectView[];
  readonly resources: readonly Resource[];
  readonly reports: readonly Pick<NodeReport, 'node' | 'listeners' | 'endpoints'>[];
}

/** What is drawn: the resources that serve, with health from the nodes, and objects that do not serve, with why. */
export function buildTopology(input: TopologyInput): TopologyGraph {
  const resources = byKind(input.resources);
  const wrong = wrongByObject(input.objects);
  const endpoints = endpointHealth(resources.endpoint, input.reports);
  const drawing = new Drawing();
  drawGateways(drawing, resources, wrong);
  drawListeners(drawing, resources, input.reports);
  drawRoutes(drawing, resources, wrong);
  drawClusters(drawing, resources, endpoints, wrong);
  drawObjectsThatDoNotServe(drawing, input.objects);
  return drawing.graph();
}

type ByKind = { readonly [Kind in ResourceKind]: Extract<Resource, { kind: Kind }>['value'][] };

function byKind(resources: readonly Resource[]): ByKind {
  const sorted: ByKind = {
    gateway: [],
    listener: [],
    route: [],
    cluster: [],
    endpoint: [],
    policy: [],
    vip: [],
    certificate: [],
  };
  for (const { kind, value } of resources) (sorted[kind] as unknown[]).push(value);
  return sorted;
}

class Drawing {
  readonly #nodes = new Map<string, GraphNode>();
  readonly #edges = new Map<string, { from: string; to: string; labels: string[] }>();

  node(node: Omit<GraphNode, 'id'>): string {
    const id = `${node.kind}/${node.name}`;
    if (!this.#nodes.has(id)) this.#nodes.set(id, { id, ...node });
    return id;
  }

  has(id: string): boolean {
    return this.#nodes.has(id);
  }

  /** Several edges between the same two are one with several labels. */
  edge(from: string, to: string, label: string): void {
    const key = `${from}\n${to}`;
    const known = this.#edges.get(key);
    if (known === undefined) this.#edges.set(key, { from, to, labels: [label] });
    else if (!known.labels.includes(label)) known.labels.push(label);
  }

  graph(): TopologyGraph {
    const edges: GraphEdge[] = [...this.#edges.values()]
      .filter(({ from, to }) => this.#nodes.has(from) && this.#nodes.has(to))
      .map(({ from, to, labels }) => ({
        from,
        to,
        label: labels.filter((label) => label !== '').join(', '),
      }));
    return { nodes: [...this.#nodes.values()], edges };
  }
}

/** Why an object is not right, by graph id; absent where all is well. */
function wrongByObject(objects: readonly ObjectView[]): ReadonlyMap<string, string> {
  const kinds: Readonly<Record<string, string>> = {
    ProxyGateway: 'gateway',
    ProxyRoute: 'route',
    ProxyBackend: 'backend',
  };
  const wrong = new Map<string, string>();
  for (const view of objects) {
    const kind = kinds[view.object.kind];
    const text = wrongText(view);
    if (kind !== undefined && text !== '')
      wrong.set(`${kind}/${view.object.namespace}/${view.object.name}`, text);
  }
  return wrong;
}

function drawGateways(drawing: Drawing, resources: ByKind, wrong: ReadonlyMap<string, string>): void {
  for (const gateway of resources.gateway) {
    const note = wrong.get(`gateway/${gateway.name}`) ?? '';
    drawing.node({
      kind: 'gateway',
      name: gateway.name,
      detail: [
        gateway.ingressClassName === '' ? '' : `class ${gateway.ingressClassName}`,
        gateway.vip === '' ? '' : `VIP ${gateway.vip}`,
      ]
        .filter((part) => part !== '')
        .join(', '),
      health: note === '' ? 'good' : 'degraded',
      note,
    });
  }
}

function drawListeners(drawing: Drawing, resources: ByKind, reports: TopologyInput['reports']): void {
  for (const listener of resources.listener) {
    const seen = reports.flatMap(({ node, listeners }) =>
      listeners.filter(({ name }) => name === listener.name).map(({ state }) => ({ node, state })),
    );
    const notListening = seen.filter(({ state }) => state !== 'listening');
    const health: Health = groupHealth(
      seen.length === 0 ? ['unknown'] : seen.map(({ state }) => (state === 'listening' ? 'good' : 'bad')),
    );
    const id = drawing.node({
      kind: 'listener',
      name: listener.name,
      detail: [`:${listener.port} ${listener.protocol}`, listener.hostnames.join(', ')]
        .filter((part) => part !== '')
        .join(' '),
      health,
      note:
        seen.length === 0
          ? 'no node has reported'
          : notListening.map(({ node, state }) => `${state} on ${node}`).join(', '),
    });
    drawing.edge(`gateway/${listener.gateway}`, id, '');
  }
}

function drawRoutes(drawing: Drawing, resources: ByKind, wrong: ReadonlyMap<string, string>): void {
  const clusters = new Set(resources.cluster.map(({ name }) => name));
  for (const route of resources.route) {
    const missing = route.rules.flatMap((rule) =>
      rule.clusters.filter(({ cluster }) => !clusters.has(cluster)).map(({ cluster }) => cluster),
    );
    const said = wrong.get(`route/${route.name}`) ?? '';
    const note = said === '' && missing.length > 0 ? `backend ${missing.join(', ')} is missing` : said;
    const id = drawing.node({
      kind: 'route',
      name: route.name,
      detail: '',
      health: note === '' ? 'good' : 'degraded',
      note,
    });
    for (const { listener, hostnames } of route.attachments) {
      drawing.edge(`listener/${listener}`, id, hostnames.length === 0 ? 'any host' : hostnames.join(', '));
    }
    for (const rule of route.rules) drawRule(drawing, id, rule, clusters);
  }
}

function drawRule(drawing: Drawing, route: string, rule: RouteRule, clusters: ReadonlySet<string>): void {
  const matches = [...new Set(rule.matches.map(matchText))].join(', ');
  const redirect = rule.filters.find((filter) => filter.type === 'Redirect');
  if (redirect !== undefined) {
    const to = drawing.node({
      kind: 'redirect',
      name: redirectText(redirect),
      detail: '',
      health: 'good',
      note: '',
    });
    drawing.edge(route, to, matches);
    return;
  }
  const total = rule.clusters.reduce((sum, { weight }) => sum + weight, 0);
  for (const { cluster, weight } of rule.clusters) {
    const share =
      rule.clusters.length === 1 || total === 0 ? '' : ` (${Math.round((weight / total) * 100)}%)`;
    if (!clusters.has(cluster)) {
      drawing.node({
        kind: 'backend',
        name: cluster,
        detail: '',
        health: 'bad',
        note: 'missing: answered with 500',
      });
    }
    drawing.edge(route, `backend/${cluster}`, `${matches}${share}`);
  }
}

/** `/v1`, `= /exact`, `~ ^/v[0-9]+`, `GET /v1 [x-env=dev]` */
function matchText({ path, method, headers, queryParams }: RouteMatch): string {
  const sign = { Exact: '= ', PathPrefix: '', RegularExpression: '~ ' }[path.type];
  const values = [
    ...headers.map(({ type, name, value }) => `${name}${type === 'Exact' ? '=' : '~'}${value}`),
    ...queryParams.map(({ type, name, value }) => `?${name}${type === 'Exact' ? '=' : '~'}${value}`),
  ];
  return `${method === null ? '' : `${method} `}${sign}${path.value}${values.length === 0 ? '' : ` [${values.join(' ')}]`}`;
}

function redirectText(redirect: Extract<Filter, { type: 'Redirect' }>): string {
  const { scheme, hostname, port, path, statusCode } = redirect;
  const authority = `${scheme === null ? '' : `${scheme}:`}${hostname === null && scheme === null ? '' : '//'}${hostname ?? (scheme === null ? '' : '*')}${port === null ? '' : `:${port}`}`;
  return `${statusCode} ${authority}${path?.value ?? ''}`.trimEnd();
}

function drawClusters(
  drawing: Drawing,
  resources: ByKind,
  endpoints: ReadonlyMap<string, readonly EndpointHealth[]>,
  wrong: ReadonlyMap<string, string>,
): void {
  for (const cluster of resources.cluster) {
    const members = endpoints.get(cluster.name) ?? [];
    const healths = members.map(({ health }) => health);
    const id = drawing.node({
      kind: 'backend',
      name: cluster.name,
      detail: `${cluster.lbPolicy}, ${healthSummary(healths)}`,
      health: groupHealth(healths),
      note: wrong.get(`backend/${cluster.name}`) ?? '',
    });
    for (const member of members) {
      const endpoint = `${cluster.name}/${member.endpoint}`;
      drawing.edge(
        id,
        drawing.node({
          kind: 'endpoint',
          name: endpoint,
          detail: '',
          health: member.health,
          note: member.note,
        }),
        '',
      );
    }
  }
}

function drawObjectsThatDoNotServe(drawing: Drawing, objects: readonly ObjectView[]): void {
  for (const view of objects) {
    const name = `${view.object.namespace}/${view.object.name}`;
    const note = wrongText(view);
    if (view.object.kind === 'ProxyGateway' && !drawing.has(`gateway/${name}`)) {
      const detail = textAt(view.manifest, 'spec', 'ingressClassName');
      drawing.node({
        kind: 'gateway',
        name,
        detail: detail === '' ? '' : `class ${detail}`,
        health: 'bad',
        note: note === '' ? 'does not serve' : note,
      });
    }
    if (view.object.kind === 'ProxyGateway') drawListenersThatDoNotServe(drawing, view, name);
    if (view.object.kind === 'ProxyRoute' && !drawing.has(`route/${name}`)) {
      drawing.node({
        kind: 'route',
        name,
        detail: '',
        health: 'bad',
        note: note === '' ? 'does not serve' : note,
      });
    }
    if (view.object.kind === 'ProxyBackend' && !drawing.has(`backend/${name}`)) {
      drawing.node({
        kind: 'backend',
        name,
        detail: '',
        health: note === '' ? 'unknown' : 'bad',
        note: note === '' ? 'no route uses it' : note,
      });
    }
  }
}

function drawListenersThatDoNotServe(drawing: Drawing, { manifest }: ObjectView, gateway: string): void {
  for (const listener of listAt(manifest, 'spec', 'listeners')) {
    const name = `${gateway}/${textAt(listener, 'name')}`;
    if (drawing.has(`listener/${name}`)) continue;
    const id = drawing.node({
      kind: 'listener',
      name,
      detail: `:${textAt(listener, 'port')} ${textAt(listener, 'protocol')}`.trimEnd(),
      health: 'bad',
      note: 'does not serve',
    });
    drawing.edge(`gateway/${gateway}`, id, '');
  }
}
