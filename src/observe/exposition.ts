import type { MetricDefinition } from '../model/metric.ts';

/**
 * Prometheus text exposition format 0.0.4.
 * https://prometheus.io/docs/instrumenting/exposition_formats/
 */
export const EXPOSITION_CONTENT_TYPE = 'text/plain; version=0.0.4; charset=utf-8';

export function escapeHelp(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n');
}

export function escapeLabelValue(text: string): string {
  if (!/[\\\n"]/.test(text)) return text;
  return text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n').replaceAll('"', '\\"');
}

export function sampleText(value: number): string {
  if (value === Number.POSITIVE_INFINITY) return '+Inf';
  if (value === Number.NEGATIVE_INFINITY) return '-Inf';
  return String(value);
}

export function headerText(name: string, definition: MetricDefinition): string {
  return `# HELP ${name} ${escapeHelp(definition.help)}\n# TYPE ${name} ${definition.type}\n`;
}

/** `listener="a",route="b"` in the definition's order; a label not given is the empty text. */
export function labelText(definition: MetricDefinition, labels: Readonly<Record<string, string>>): string {
  return definition.labels.map((label) => `${label}="${escapeLabelValue(labels[label] ?? '')}"`).join(',');
}
