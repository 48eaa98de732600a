import { DATAPLANE_METRICS, LATENCY_BUCKETS, type MetricDefinition } from '../model/metric.ts';
import { RESPONSE_REASONS } from '../model/response-reason.ts';
import { MIRROR_OUTCOMES, RETRY_REASONS } from '../model/retry-reason.ts';
import { CONTROL_METRICS, WORK_BUCKETS } from './control-metrics.ts';

/** `docs/metrics.md`, from the definitions; a test holds the file to it. */
export function renderMetricsPage(): string {
  const oneOf = (values: object): string =>
    Object.keys(values)
      .map((value) => `\`${value}\``)
      .join(', ');
  return `# Metrics

\`GET /metrics\` on the admin address, in the Prometheus text format 0.0.4. This page is generated from
\`src/model/metric.ts\` and \`src/observe/control-metrics.ts\`; after a change there,
\`npm run generate\` writes it anew.

## Data plane

Counted by the dataplane workers in shared memory and summed over the workers when they are scraped: a scrape sends no
message to a worker. When a worker dies its counts stay in the sums, so that no counter falls; its gauges go.
Only with an agent in the process.

${table(DATAPLANE_METRICS)}

Histogram bounds in seconds: ${LATENCY_BUCKETS.join(', ')}, +Inf.

\`reason\` of \`local_response_count\` is one of: ${oneOf(RESPONSE_REASONS)}.

\`reason\` of \`upstream_retries\` is one of: ${oneOf(RETRY_REASONS)}. \`outcome\` of \`upstream_mirrored_requests\` is
one of: ${oneOf(MIRROR_OUTCOMES)}.

## Controller and agent

Counted from what the rooms publish on their diagnostics channels (\`src/model/channel.ts\`). A process counts what
happens in it: a controller alone has no \`config_updates\`, an agent alone counts no \`config_pushes\`.

${table(CONTROL_METRICS)}

Histogram bounds in seconds: ${WORK_BUCKETS.join(', ')}, +Inf.

## Process

prom-client's default metrics under their usual names: \`process_cpu_seconds_total\`,
\`process_resident_memory_bytes\`, \`process_open_fds\`, \`nodejs_eventloop_lag_seconds\`,
\`nodejs_heap_size_used_bytes\`, \`nodejs_gc_duration_seconds\` and their like. They are of the whole process; the
event loop and the heap are the main thread's.

## What a scrape costs

10,000 dataplane series of 4 workers (40,000 sums, 860 kB of text) take 8 to 11 ms, the first time 65 ms, on one of two
cores. They are rendered beside prom-client's registry because prom-client cannot take a histogram's bucket counts from
outside; one counter with 10,000 series set and rendered through it took 26 to 48 ms, without the summing.
\`npm test -- observe/metrics\` prints the figure of the machine it runs on.
`;
}

/** With columns padded as the formatter wants them. */
function table(metrics: Readonly<Record<string, MetricDefinition>>): string {
  const rows = Object.entries(metrics).map(([name, { type, help, labels }]) => [
    `\`${name}\``,
    type,
    labels.map((label) => `\`${label}\``).join(', '),
    help.replaceAll('|', '\\|'),
  ]);
  const header = ['Name', 'Type', 'Labels', 'Meaning'];
  const widths = header.map((title, index) =>
    Math.max(title.length, ...rows.map((row) => row[index]?.length ?? 0)),
  );
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell, index) => cell.padEnd(widths[index] ?? 0)).join(' | ')} |`;
  return [line(header), line(widths.map((width) => '-'.repeat(width))), ...rows.map(line)].join('\n');
}
