import type { TopologyGraph } from './graph.ts';
import { shortName } from './text.ts';

/** Mermaid flowchart, as in Markdown. https://mermaid.js.org/syntax/flowchart.html */
export function renderMermaid(graph: TopologyGraph): string {
  const ids = new Map(graph.nodes.map((node, index) => [node.id, `n${index}`]));
  const nodes = graph.nodes.map((node) => {
    const label = [`${node.kind} ${shortName(node)}`, node.detail, node.note].filter((line) => line !== '');
    return `  ${ids.get(node.id)}["${label.map(entities).join('<br/>')}"]:::${node.health}`;
  });
  const edges = graph.edges.map(
    ({ from, to, label }) =>
      `  ${ids.get(from)} -->${label === '' ? '' : `|"${entities(label)}"|`} ${ids.get(to)}`,
  );
  return [
    'flowchart LR',
    ...nodes,
    ...edges,
    '  classDef good fill:#d5f5d5,stroke:#3c8c3c,color:#000',
    '  classDef degraded fill:#fff2c2,stroke:#a68a1d,color:#000',
    '  classDef bad fill:#fbd0d0,stroke:#b03a3a,color:#000',
    '  classDef unknown fill:#eee,stroke:#888,color:#000',
    '',
  ].join('\n');
}

/** Mermaid writes characters that mean something to it as `#code;`. */
function entities(text: string): string {
  return text
    .replace(/[\u0000-\u001f]/g, ' ')
    .replace(/["#<>&`\\*_~[\]{}|;]/g, (character) => `#${character.charCodeAt(0)};`);
}
