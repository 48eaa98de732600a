import { Command, Option } from 'commander';
import { describeCommand, type Run } from '../command.ts';
import { AGENT_NOTE } from '../listing.ts';
import { printStructured } from '../print.ts';
import type { Session } from '../session.ts';
import { buildTopology } from '../topology/build.ts';
import { renderDot } from '../topology/dot.ts';
import { reachable, roots, type TopologyGraph } from '../topology/graph.ts';
import { renderMermaid } from '../topology/mermaid.ts';
import { renderText } from '../topology/text.ts';

const FORMATS = ['text', 'dot', 'mermaid', 'json'] as const;
type Format = (typeof FORMATS)[number];

const ENDPOINT_LIMIT = 12;

export function topology(run: Run): Command {
  const graph = describeCommand(
    'graph',
    'Draw gateway, listener, route, backend and endpoint with their health, of all namespaces unless -n is given.',
    [
      ['novactl topology graph', 'in the terminal'],
      ['novactl topology graph --format dot | dot -Tsvg', 'as a picture'],
      ['novactl topology graph --format mermaid', 'for Markdown'],
      ['novactl topology graph -o wide', 'with every endpoint'],
    ],
  )
    .addOption(new Option('--format <format>', 'how to draw').choices(FORMATS).default('text'))
    .action((options: { format: Format }, command: Command) =>
      run(command, (session) => showTopology(session, options.format)),
    );
  return new Command('topology')
    .description('Draw how traffic flows.')
    .configureHelp({ showGlobalOptions: true })
    .addCommand(graph);
}

async function showTopology(session: Session, format: Format): Promise<void> {
  const [{ objects, held }, { resources }, { nodes }] = await Promise.all([
    session.client.get('objects'),
    session.client.get('resources'),
    session.client.get('stats'),
  ]);
  if (!held) session.note(AGENT_NOTE);
  const graph = inNamespace(buildTopology({ objects, resources, reports: nodes }), session);
  if (format === 'json') session.print(`${JSON.stringify(graph, null, 2)}\n`);
  else if (format === 'dot') session.print(renderDot(graph));
  else if (format === 'mermaid') session.print(renderMermaid(graph));
  else if (printStructured(session, graph)) return;
  else if (graph.nodes.length === 0)
    session.note('Nothing is configured: there are no gateways, routes or backends.');
  else {
    const { paint, glyphs } = session;
    const endpointLimit = session.output === 'wide' ? Infinity : ENDPOINT_LIMIT;
    session.print(renderText(graph, { paint, glyphs, endpointLimit }));
  }
}

function inNamespace(graph: TopologyGraph, { namespace, allNamespaces }: Session): TopologyGraph {
  if (namespace === undefined || allNamespaces) return graph;
  return reachable(
    graph,
    roots(graph)
      .filter(({ name }) => name.startsWith(`${namespace}/`))
      .map(({ id }) => id),
  );
}
