import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import fc from 'fast-check';
import { ASCII, painter, UNICODE } from '../../src/cli/paint.ts';
import { buildTopology } from '../../src/cli/topology/build.ts';
import { renderDot } from '../../src/cli/topology/dot.ts';
import type { GraphEdge, GraphNode, TopologyGraph } from '../../src/cli/topology/graph.ts';
import { reachable, roots } from '../../src/cli/topology/graph.ts';
import { renderMermaid } from '../../src/cli/topology/mermaid.ts';
import { renderText } from '../../src/cli/topology/text.ts';
import { displayWidth } from '../../src/cli/width.ts';
import { needs } from '../needs.ts';
import { readDot } from './dot-reader.ts';
import { nodeReport, OBJECTS, RESOURCES } from './fixture.ts';

const GRAPH = buildTopology({
  objects: OBJECTS,
  resources: [...RESOURCES.values()],
  reports: [nodeReport('edge-1'), nodeReport('edge-2')],
});

const healthOf = (id: string): string | undefined => GRAPH.nodes.find((node) => node.id === id)?.health;

/** Any graph, with names that try to break out of quotes. */
const anyGraph: fc.Arbitrary<TopologyGraph> = fc
  .tuple(
    fc.array(
      fc.record({
        kind: fc.constantFrom(
          'gateway' as const,
          'listener' as const,
          'route' as const,
          'backend' as const,
          'endpoint' as const,
        ),
        name: fc.string({
          unit: fc.constantFrom('a', '/', '"', '\\', '\n', ']', '|', '#', ';', '<', '`', 'é', '\u001b'),
          maxLength: 8,
        }),
        detail: fc.string({ maxLength: 5 }),
        health: fc.constantFrom('good' as const, 'degraded' as const, 'bad' as const, 'unknown' as const),
        note: fc.string({ maxLength: 5 }),
      }),
      { minLength: 1, maxLength: 8 },
    ),
    fc.array(
      fc.tuple(fc.nat(7), fc.nat(7), fc.string({ unit: fc.constantFrom('x', '"', '\\', '|', '\n') })),
      { maxLength: 12 },
    ),
  )
  .map(([found, links]) => {
    const nodes: GraphNode[] = found.map((node, index) => ({ id: `${node.kind}/${index}`, ...node }));
    const edges: GraphEdge[] = links.flatMap(([from, to, label]) =>
      from < to && nodes[from] !== undefined && nodes[to] !== undefined
        ? [{ from: nodes[from].id, to: nodes[to].id, label }]
        : [],
    );
    return { nodes, edges };
  });

test('health comes from what all nodes report', () => {
  assert.equal(healthOf('backend/default/api-backend'), 'degraded');
  assert.equal(healthOf('backend/default/web-canary'), 'bad');
  assert.equal(healthOf('endpoint/default/web-backend/10.0.1.2:80'), 'degraded');
  assert.equal(healthOf('endpoint/default/api-backend/10.0.0.1:8080'), 'good');
  assert.equal(healthOf('listener/default/external-gateway/http'), 'good');
  assert.equal(healthOf('listener/default/external-gateway/admin'), 'degraded');
  assert.equal(healthOf('backend/shop/cart-backend'), 'bad');
  assert.equal(healthOf('gateway/shop/store'), 'bad');
});

test('without reports health is unknown, except what is not ready by configuration', () => {
  const graph = buildTopology({ objects: [], resources: [...RESOURCES.values()], reports: [] });
  const health = Object.fromEntries(graph.nodes.map((node) => [node.id, node.health]));
  assert.equal(health['endpoint/default/web-canary/[fd00::1]:80'], 'unknown');
  assert.equal(health['endpoint/default/api-backend/10.0.0.3:8080'], 'bad');
  assert.equal(health['listener/default/external-gateway/http'], 'unknown');
});

test('every edge joins two nodes that are there, and ids are unique', () => {
  const ids = new Set(GRAPH.nodes.map(({ id }) => id));
  assert.equal(ids.size, GRAPH.nodes.length);
  for (const { from, to } of GRAPH.edges) assert.ok(ids.has(from) && ids.has(to), `${from} → ${to}`);
  assert.deepEqual(
    roots(GRAPH).map(({ id }) => id),
    ['gateway/default/external-gateway', 'gateway/shop/store'],
  );
  assert.deepEqual(
    reachable(GRAPH, ['gateway/shop/store']).nodes.map(({ id }) => id),
    ['gateway/shop/store', 'listener/shop/store/https'],
  );
});

test('routes without a listener and backends without a route stand under their own headings', () => {
  const graph = buildTopology({
    objects: [],
    resources: [...RESOURCES.values()].filter(({ kind }) => kind === 'cluster' || kind === 'endpoint'),
    reports: [],
  });
  const text = renderText(graph, { paint: painter(false), glyphs: UNICODE, endpointLimit: 12 });
  assert.match(
    text,
    /^Backends that no route uses\n├─ ○ backend default\/api-backend {2}RoundRobin, 0\/3 healthy, 2 unknown\n/,
  );
});

test('many endpoints are cut to the limit, those that are not well first', () => {
  const cluster = [...RESOURCES.values()].find(({ kind }) => kind === 'cluster')!;
  const endpoints = Array.from({ length: 1000 }, (_, index) => ({
    kind: 'endpoint' as const,
    value: {
      cluster: 'default/api-backend',
      address: `10.0.${index >> 8}.${index & 255}`,
      port: 80,
      weight: 1,
      ready: index !== 777,
      zone: '',
      nodeName: '',
    },
  }));
  const graph = buildTopology({ objects: [], resources: [cluster, ...endpoints], reports: [] });
  const lines = renderText(graph, { paint: painter(false), glyphs: ASCII, endpointLimit: 5 })
    .trimEnd()
    .split('\n');
  assert.equal(lines.length, 1 + 1 + 5 + 1);
  assert.match(lines[2]!, /\[x\] 10\.0\.3\.9:80 {2}not ready/);
  assert.match(lines.at(-1)!, /995 more; -o wide shows all/);
});

test('DOT is read back by an independent reader with the same nodes, labels and edges', () => {
  const read = readDot(renderDot(GRAPH));
  assert.equal(read.nodes.size, GRAPH.nodes.length);
  assert.equal(read.edges.length, GRAPH.edges.length);
  const labels = [...read.nodes.values()].map(({ label }) => label);
  assert.ok(labels.includes('backend default/api-backend\nRoundRobin, 2/3 healthy'));
  assert.ok(read.edges.some(({ attributes }) => attributes.label === '/v1, GET = /healthz'));
});

test('no name breaks DOT', () => {
  fc.assert(
    fc.property(anyGraph, (graph) => {
      const read = readDot(renderDot(graph));
      assert.equal(read.nodes.size, graph.nodes.length);
      assert.equal(read.edges.length, graph.edges.length);
    }),
  );
});

test('Graphviz takes the DOT', needs('dot'), () => {
  const run = spawnSync('dot', ['-Tsvg'], { input: renderDot(GRAPH), encoding: 'utf8' });
  assert.equal(run.status, 0, run.stderr);
  assert.match(run.stdout, /<svg/);
});

test('no name breaks Mermaid: each line is a node, an edge or a class, with quotes in pairs', () => {
  const quotedText = /"(?:[^"#<>&`\\*_~[\]{}|;\n]|#\d+;|<br\/>)*"/.source;
  const line = new RegExp(
    `^(flowchart LR| {2}n\\d+\\[${quotedText}\\]:::\\w+| {2}n\\d+ -->(\\|${quotedText}\\|)? n\\d+| {2}classDef \\w+ [\\w:#,-]+)$`,
  );
  fc.assert(
    fc.property(fc.oneof(anyGraph, fc.constant(GRAPH)), (graph) => {
      const lines = renderMermaid(graph).trimEnd().split('\n');
      for (const one of lines) assert.match(one, line);
      assert.equal(lines.length, 1 + graph.nodes.length + graph.edges.length + 4);
    }),
  );
});

test('the tree shows every node once or more and ends for any graph; ASCII and Unicode have the same shape', () => {
  fc.assert(
    fc.property(anyGraph, (graph) => {
      const options = { paint: painter(false), endpointLimit: Infinity };
      const unicode = renderText(graph, { ...options, glyphs: UNICODE });
      const ascii = renderText(graph, { ...options, glyphs: ASCII });
      assert.equal(unicode.split('\n').length, ascii.split('\n').length);
      assert.doesNotMatch(unicode, /\u001b/);
    }),
  );
  const text = renderText(GRAPH, { paint: painter(false), glyphs: UNICODE, endpointLimit: Infinity });
  for (const { name, kind } of GRAPH.nodes) {
    const shown = kind === 'listener' || kind === 'endpoint' ? name.slice(name.lastIndexOf('/') + 1) : name;
    assert.ok(text.includes(shown), name);
  }
  assert.ok(displayWidth(text) > 0);
});
