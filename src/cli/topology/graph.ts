import type { Health } from '../health.ts';

export type NodeKind = 'gateway' | 'listener' | 'route' | 'backend' | 'endpoint' | 'redirect';

export interface GraphNode {
  /** `kind/name`, unique. */
  readonly id: string;
  readonly kind: NodeKind;
  readonly name: string;
  /** `:8080 HTTP`, `RoundRobin 2/3 healthy`. */
  readonly detail: string;
  readonly health: Health;
  /** Why the health is not good; empty when it is. */
  readonly note: string;
}

export interface GraphEdge {
  readonly from: string;
  readonly to: string;
  /** What leads along it: hosts from a listener to a route, paths from a route to a backend. */
  readonly label: string;
}

/** What the renderers draw: gateway → listener → route → backend → endpoint. */
export interface TopologyGraph {
  readonly nodes: readonly GraphNode[];
  readonly edges: readonly GraphEdge[];
}

/** The part of the graph that can be reached from `roots`. */
export function reachable(graph: TopologyGraph, roots: readonly string[]): TopologyGraph {
  const next = edgesByStart(graph);
  const seen = new Set<string>();
  const pending = [...roots];
  while (pending.length > 0) {
    const id = pending.pop()!;
    if (seen.has(id)) continue;
    seen.add(id);
    for (const edge of next.get(id) ?? []) pending.push(edge.to);
  }
  return {
    nodes: graph.nodes.filter(({ id }) => seen.has(id)),
    edges: graph.edges.filter(({ from }) => seen.has(from)),
  };
}

export function edgesByStart(graph: TopologyGraph): Map<string, GraphEdge[]> {
  const edges = new Map<string, GraphEdge[]>();
  for (const edge of graph.edges) {
    const known = edges.get(edge.from);
    if (known === undefined) edges.set(edge.from, [edge]);
    else known.push(edge);
  }
  return edges;
}

/** Nodes that nothing leads to: gateways, routes without a listener, backends that no route uses. */
export function roots(graph: TopologyGraph): GraphNode[] {
  const targets = new Set(graph.edges.map(({ to }) => to));
  return graph.nodes.filter(({ id }) => !targets.has(id));
}
