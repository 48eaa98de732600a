import type { Health } from '../health.ts';
import type { TopologyGraph } from './graph.ts';
import { shortName } from './text.ts';

const FILL: Readonly<Record<Health, string>> = {
  good: '#d5f5d5',
  degraded: '#fff2c2',
  bad: '#fbd0d0',
  unknown: '#eeeeee',
};

/** Graphviz: `novactl topology graph --format dot | dot -Tsvg`. https://graphviz.org/doc/info/lang.html */
export function renderDot(graph: TopologyGraph): string {
  const ids = new Map(graph.nodes.map((node, index) => [node.id, `n${index}`]));
  const nodes = graph.nodes.map((node) => {
    const label = [`${node.kind} ${shortName(node)}`, node.detail, node.note].filter((line) => line !== '');
    return `  ${ids.get(node.id)} [label=${quoted(label)}, fillcolor="${FILL[node.health]}"];`;
  });
  const edges = graph.edges.map(
    ({ from, to, label }) =>
      `  ${ids.get(from)} -> ${ids.get(to)}${label === '' ? '' : ` [label=${quoted([label])}]`};`,
  );
  return [
    'digraph novaedge {',
    '  rankdir=LR;',
    '  node [shape=box, style="rounded,filled", fontname="sans-serif"];',
    '  edge [fontname="sans-serif", fontsize=10];',
    ...nodes,
    ...edges,
    '}',
    '',
  ].join('\n');
}

/** Lines as one quoted label. A backslash is doubled: labels are escape strings. */
function quoted(lines: readonly string[]): string {
  const escaped = (line: string): string =>
    line
      .replace(/[\u0000-\u001f]/g, ' ')
      .replaceAll('\\', '\\\\')
      .replaceAll('"', '\\"');
  return `"${lines.map(escaped).join('\\n')}"`;
}
