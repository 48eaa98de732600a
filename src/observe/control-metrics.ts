import type { MetricDefinition } from '../model/metric.ts';

/** Histogram bounds in seconds of work on the main thread. */
export const WORK_BUCKETS = [
  0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30,
] as const;

/** Metrics of the controller and of the agent's main thread, under the names users type. */
export const CONTROL_METRICS = {
  build_info: { type: 'gauge', help: 'Always 1; what runs', labels: ['version', 'node_version'] },
  config_info: { type: 'gauge', help: 'Always 1; the snapshot version in use', labels: ['version'] },
  reconciliation_duration: {
    type: 'histogram',
    help: 'Seconds one run of the configuration pipeline took',
    labels: [],
  },
  reconciled_resources: {
    type: 'counter',
    help: 'Resources that runs of the configuration pipeline changed or removed',
    labels: ['change'],
  },
  config_problems: {
    type: 'gauge',
    help: 'Problems in the configuration as the last run of the pipeline found them',
    labels: [],
  },
  certificate_expiry_timestamp_seconds: {
    type: 'gauge',
    help: 'When a certificate that is named ends, in seconds since the epoch; at most 1000, those that end first',
    labels: ['certificate'],
  },
  watch_events: {
    type: 'counter',
    help: 'Changes of objects that the configuration source saw',
    labels: ['kind', 'change'],
  },
  config_pushes: {
    type: 'counter',
    help: 'Updates sent to nodes (result="sent") and what the nodes answered',
    labels: ['result'],
  },
  config_push_bytes: { type: 'counter', help: 'Bytes of updates sent to nodes', labels: [] },
  config_updates: {
    type: 'counter',
    help: 'Updates the agent carried out; result="partial" kept the last good version of some objects',
    labels: ['result'],
  },
  config_apply_duration: {
    type: 'histogram',
    help: 'Seconds from an update received to its use on every worker',
    labels: [],
  },
  actor_restarts: { type: 'counter', help: 'Actors restarted by their supervisors', labels: [] },
  journal_failing: {
    type: 'gauge',
    help: '1 while the journal of the thread cannot be written',
    labels: ['thread'],
  },
  journal_records_lost: {
    type: 'counter',
    help: 'Records of the journal that could not be written, counted when it can be written again',
    labels: ['thread'],
  },
} as const satisfies Record<string, MetricDefinition>;

export type ControlMetric = keyof typeof CONTROL_METRICS;
