import type { WorkerCounters } from '../model/admin.ts';
import {
  type CounterRegistration,
  DATAPLANE_METRICS,
  type DataplaneMetric,
  LATENCY_BUCKETS,
  type MetricDefinition,
} from '../model/metric.ts';
import { headerText, labelText, sampleText } from './exposition.ts';

/**
 * What the dataplane workers count in shared memory, summed over the workers, in the exposition format.
 *
 * Rendered beside prom-client's registry, not through it: prom-client has no way to take a histogram's bucket counts
 * from outside, and 10,000 series through its objects cost several times of this (docs/metrics.md has the figures).
 *
 * What a dead worker has counted stays in the sums, so that no sum ever falls: the agent keeps its counters and
 * histograms among the entries, and drops its gauges.
 */
export function renderDataplaneMetrics(workers: readonly WorkerCounters[]): string {
  const sums = new Map<DataplaneMetric, Map<string, Float64Array>>();
  for (const worker of workers) addWorker(sums, worker);
  let text = '';
  for (const name of Object.keys(DATAPLANE_METRICS) as DataplaneMetric[]) {
    const definition: MetricDefinition = DATAPLANE_METRICS[name];
    text += headerText(name, definition);
    for (const [labels, values] of sums.get(name) ?? []) {
      text +=
        definition.type === 'histogram'
          ? histogramText(name, labels, values)
          : `${name}${labels === '' ? '' : `{${labels}}`} ${sampleText(values[0] ?? 0)}\n`;
    }
  }
  return text;
}

const HISTOGRAM_VALUES = LATENCY_BUCKETS.length + 2;

function addWorker(sums: Map<DataplaneMetric, Map<string, Float64Array>>, worker: WorkerCounters): void {
  const { memory } = worker;
  const values = new Float64Array(memory, 0, Math.floor(memory.byteLength / Float64Array.BYTES_PER_ELEMENT));
  for (const registration of worker.registrations) {
    const definition = DATAPLANE_METRICS[registration.metric];
    if (definition === undefined) continue;
    let series = sums.get(registration.metric);
    if (series === undefined) {
      series = new Map();
      sums.set(registration.metric, series);
    }
    const labels = registrationLabels(registration);
    let sum = series.get(labels);
    if (sum === undefined) {
      sum = new Float64Array(definition.type === 'histogram' ? HISTOGRAM_VALUES : 1);
      series.set(labels, sum);
    }
    for (let offset = 0; offset < sum.length; offset += 1) {
      sum[offset]! += values[registration.index + offset] ?? 0;
    }
  }
}

const labelsOfRegistration = new WeakMap<CounterRegistration, string>();

function registrationLabels(registration: CounterRegistration): string {
  let labels = labelsOfRegistration.get(registration);
  if (labels === undefined) {
    labels = labelText(DATAPLANE_METRICS[registration.metric], registration.labels);
    labelsOfRegistration.set(registration, labels);
  }
  return labels;
}

function histogramText(name: string, labels: string, values: Float64Array): string {
  const prefix = labels === '' ? '' : `${labels},`;
  const suffix = labels === '' ? '' : `{${labels}}`;
  let text = '';
  let count = 0;
  for (let bucket = 0; bucket <= LATENCY_BUCKETS.length; bucket += 1) {
    count += values[bucket] ?? 0;
    const bound = LATENCY_BUCKETS[bucket] ?? Number.POSITIVE_INFINITY;
    text += `${name}_bucket{${prefix}le="${sampleText(bound)}"} ${sampleText(count)}\n`;
  }
  text += `${name}_sum${suffix} ${sampleText(values[LATENCY_BUCKETS.length + 1] ?? 0)}\n`;
  return `${text}${name}_count${suffix} ${sampleText(count)}\n`;
}
