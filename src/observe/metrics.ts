import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { AgentAdmin } from '../model/admin.ts';
import {
  type Applied,
  type Certified,
  CHANNELS,
  type Journaled,
  type Pushed,
  type Reconciled,
  type Watched,
} from '../model/channel.ts';
import { CONTROL_METRICS, type ControlMetric, WORK_BUCKETS } from './control-metrics.ts';
import { renderDataplaneMetrics } from './dataplane-metrics.ts';
import { EXPOSITION_CONTENT_TYPE } from './exposition.ts';

export interface MetricsOptions {
  /** Of the program. */
  readonly version: string;
  /** An agent in this process; without one there are no dataplane metrics. */
  readonly agent?: Pick<AgentAdmin, 'counters' | 'actorRestarts'> | undefined;
  /** False leaves out prom-client's process and runtime metrics. */
  readonly processMetrics?: boolean | undefined;
}

export interface Metrics {
  /** For whoever has more to count. */
  readonly registry: Registry;
  readonly contentType: string;
  /** All metrics of this process in the exposition format. */
  render(): Promise<string>;
  /** Stops listening to the diagnostics channels. */
  close(): void;
}

/** Counts what the rooms publish on the diagnostics channels and reads the workers' shared counters at each scrape. */
export function createMetrics(options: MetricsOptions): Metrics {
  const registry = new Registry();
  if (options.processMetrics !== false) collectDefaultMetrics({ register: registry });
  gauge(registry, 'build_info').set({ version: options.version, node_version: process.version }, 1);
  const stops = [
    countReconciliations(registry),
    countWatches(registry),
    countPushes(registry),
    showCertificates(registry),
  ];
  const { agent } = options;
  if (agent !== undefined) {
    stops.push(countUpdates(registry), countJournals(registry));
    countRestarts(registry, agent);
  }
  return {
    registry,
    contentType: EXPOSITION_CONTENT_TYPE,
    async render() {
      const text = await registry.metrics();
      return agent === undefined ? text : `${text}${renderDataplaneMetrics(agent.counters())}`;
    },
    close() {
      for (const stop of stops) stop();
    },
  };
}

function countReconciliations(registry: Registry): () => void {
  const duration = histogram(registry, 'reconciliation_duration');
  const resources = counter(registry, 'reconciled_resources');
  const problems = gauge(registry, 'config_problems');
  return listen<Reconciled>(CHANNELS.reconciled, (run) => {
    duration.observe(run.seconds);
    resources.inc({ change: 'changed' }, run.changed);
    resources.inc({ change: 'removed' }, run.removed);
    problems.set(run.problems);
  });
}

function countWatches(registry: Registry): () => void {
  const events = counter(registry, 'watch_events');
  return listen<Watched>(CHANNELS.watched, ({ kind, change }) => events.inc({ kind, change }));
}

function showCertificates(registry: Registry): () => void {
  const expiry = gauge(registry, 'certificate_expiry_timestamp_seconds');
  return listen<Certified>(CHANNELS.certified, ({ certificates }) => {
    expiry.reset();
    for (const { name, notAfter } of certificates) expiry.set({ certificate: name }, notAfter / 1000);
  });
}

function countPushes(registry: Registry): () => void {
  const pushes = counter(registry, 'config_pushes');
  const bytes = counter(registry, 'config_push_bytes');
  return listen<Pushed>(CHANNELS.pushed, (push) => {
    pushes.inc({ result: push.result });
    if (push.result === 'sent') bytes.inc(push.bytes);
  });
}

function countUpdates(registry: Registry): () => void {
  const updates = counter(registry, 'config_updates');
  const duration = histogram(registry, 'config_apply_duration');
  const version = gauge(registry, 'config_info');
  return listen<Applied>(CHANNELS.applied, (update) => {
    updates.inc({ result: update.failures === 0 ? 'applied' : 'partial' });
    duration.observe(update.seconds);
    version.reset();
    version.set({ version: update.version }, 1);
  });
}

function countJournals(registry: Registry): () => void {
  const failing = gauge(registry, 'journal_failing');
  const lost = counter(registry, 'journal_records_lost');
  return listen<Journaled>(CHANNELS.journaled, (told) => {
    failing.set({ thread: told.thread }, told.failing ? 1 : 0);
    lost.inc({ thread: told.thread }, told.lost);
  });
}

function countRestarts(registry: Registry, agent: Pick<AgentAdmin, 'actorRestarts'>): void {
  new Counter({
    ...described('actor_restarts'),
    registers: [registry],
    collect() {
      this.reset();
      this.inc(agent.actorRestarts());
    },
  });
}

function listen<Message>(channel: string, handle: (message: Message) => void): () => void {
  const listener = (message: unknown): void => handle(message as Message);
  subscribe(channel, listener);
  return () => unsubscribe(channel, listener);
}

function described(name: ControlMetric): { name: string; help: string; labelNames: string[] } {
  const { help, labels } = CONTROL_METRICS[name];
  return { name, help, labelNames: [...labels] };
}

function counter(registry: Registry, name: ControlMetric): Counter {
  return new Counter({ ...described(name), registers: [registry] });
}

function gauge(registry: Registry, name: ControlMetric): Gauge {
  return new Gauge({ ...described(name), registers: [registry] });
}

function histogram(registry: Registry, name: ControlMetric): Histogram {
  return new Histogram({ ...described(name), buckets: [...WORK_BUCKETS], registers: [registry] });
}
