import type { Health } from '../health.ts';
import type { Glyphs, Paint, Tone } from '../paint.ts';
import { visible } from '../width.ts';
import { edgesByStart, type GraphEdge, type GraphNode, roots, type TopologyGraph } from './graph.ts';

export interface TextOptions {
  readonly paint: Paint;
  readonly glyphs: Glyphs;
  /** Endpoints drawn of one backend, those that are not well first. */
  readonly endpointLimit: number;
}

const TONES: Readonly<Record<Health, Tone>> = { good: 'good', degraded: 'warn', bad: 'bad', unknown: 'dim' };

/** A tree for the terminal. What several lines lead to is drawn whole the first time only. */
export function renderText(graph: TopologyGraph, options: TextOptions): string {
  const drawing: TreeDrawing = {
    ...options,
    nodes: new Map(graph.nodes.map((node) => [node.id, node])),
    edges: edgesByStart(graph),
    drawn: new Set(),
    lines: [],
  };
  const starts = roots(graph);
  const gateways = starts.filter(({ kind }) => kind === 'gateway');
  const loose = starts.filter(({ kind }) => kind !== 'gateway');
  for (const gateway of gateways) {
    if (drawing.lines.length > 0) drawing.lines.push('');
    drawNode(drawing, gateway, null, '', '');
  }
  section(
    drawing,
    'Routes that no listener serves',
    loose.filter(({ kind }) => kind === 'route'),
  );
  section(
    drawing,
    'Listeners without a gateway',
    loose.filter(({ kind }) => kind === 'listener'),
  );
  section(
    drawing,
    'Backends that no route uses',
    loose.filter(({ kind }) => kind === 'backend'),
  );
  return drawing.lines.map((line) => `${line}\n`).join('');
}

interface TreeDrawing extends TextOptions {
  readonly nodes: ReadonlyMap<string, GraphNode>;
  readonly edges: ReadonlyMap<string, GraphEdge[]>;
  readonly drawn: Set<string>;
  readonly lines: string[];
}

function section(drawing: TreeDrawing, title: string, nodes: readonly GraphNode[]): void {
  if (nodes.length === 0) return;
  if (drawing.lines.length > 0) drawing.lines.push('');
  drawing.lines.push(drawing.paint('strong', title));
  nodes.forEach((node, index) => {
    drawChild(drawing, node, null, '', index === nodes.length - 1);
  });
}

function drawChild(
  drawing: TreeDrawing,
  node: GraphNode,
  edge: GraphEdge | null,
  lead: string,
  last: boolean,
): void {
  const { glyphs } = drawing;
  drawNode(
    drawing,
    node,
    edge,
    `${lead}${last ? glyphs.lastBranch : glyphs.branch}`,
    `${lead}${last ? glyphs.gap : glyphs.trunk}`,
  );
}

function drawNode(
  drawing: TreeDrawing,
  node: GraphNode,
  edge: GraphEdge | null,
  lead: string,
  childLead: string,
): void {
  const { paint, lines } = drawing;
  const children = (drawing.edges.get(node.id) ?? [])
    .map((next) => ({ next, child: drawing.nodes.get(next.to) }))
    .filter((one): one is { next: GraphEdge; child: GraphNode } => one.child !== undefined);
  const again = drawing.drawn.has(node.id) && children.length > 0;
  lines.push(
    `${paint('dim', lead)}${nodeLine(drawing, node, edge)}${again ? paint('dim', '  (drawn above)') : ''}`,
  );
  if (again) return;
  drawing.drawn.add(node.id);
  if (node.note !== '' && isLongNoted(node)) {
    const trunk = children.length > 0 ? drawing.glyphs.trunk : drawing.glyphs.gap;
    lines.push(`${paint('dim', `${childLead}${trunk}`)}${paint(TONES[node.health], visible(node.note))}`);
  }
  const shown = node.kind === 'backend' ? worstFirst(children, drawing.endpointLimit) : children;
  const hidden = children.length - shown.length;
  shown.forEach(({ next, child }, index) => {
    drawChild(drawing, child, next, childLead, hidden === 0 && index === shown.length - 1);
  });
  if (hidden > 0) {
    const { glyphs } = drawing;
    lines.push(
      paint('dim', `${childLead}${glyphs.lastBranch}${glyphs.ellipsis} ${hidden} more; -o wide shows all`),
    );
  }
}

const BADNESS: Readonly<Record<Health, number>> = { bad: 0, degraded: 1, unknown: 2, good: 3 };

/** In their own order where all fit; else those that are not well first. */
function worstFirst<Child extends { readonly child: GraphNode }>(children: Child[], limit: number): Child[] {
  if (children.length <= limit) return children;
  return children.toSorted((a, b) => BADNESS[a.child.health] - BADNESS[b.child.health]).slice(0, limit);
}

function nodeLine(drawing: TreeDrawing, node: GraphNode, edge: GraphEdge | null): string {
  const { paint, glyphs } = drawing;
  const mark = paint(
    TONES[node.health],
    { good: glyphs.good, degraded: glyphs.degraded, bad: glyphs.bad, unknown: glyphs.unknown }[node.health],
  );
  const name = visible(shortName(node));
  const before =
    edge === null || node.kind === 'route' || edge.label === ''
      ? ''
      : `${visible(edge.label)} ${paint('dim', glyphs.arrow)} `;
  const hosts = node.kind === 'route' && edge !== null && edge.label !== '' ? `  ${visible(edge.label)}` : '';
  const detail = node.detail === '' ? '' : `  ${paint('dim', visible(node.detail))}`;
  const note =
    node.note === '' || isLongNoted(node) ? '' : `  ${paint(TONES[node.health], visible(node.note))}`;
  const kind = node.kind === 'endpoint' ? '' : `${paint('dim', node.kind)} `;
  return `${before}${mark} ${kind}${node.kind === 'gateway' ? paint('strong', name) : name}${hosts}${detail}${note}`;
}

/** Notes of objects quote the user's input and get a line of their own. */
function isLongNoted({ kind, detail }: GraphNode): boolean {
  return kind === 'gateway' || kind === 'route' || (kind === 'backend' && detail !== '');
}

/** A listener without its gateway, an endpoint without its backend: the tree says these. */
export function shortName(node: GraphNode): string {
  return node.kind === 'listener' || node.kind === 'endpoint'
    ? node.name.slice(node.name.lastIndexOf('/') + 1)
    : node.name;
}
