import assert from 'node:assert/strict';
import { channel } from 'node:diagnostics_channel';
import { test } from 'node:test';
import fc from 'fast-check';
import type { WorkerCounters } from '../../src/model/admin.ts';
import {
  type Applied,
  CHANNELS,
  type Journaled,
  type Pushed,
  type Reconciled,
  type Watched,
} from '../../src/model/channel.ts';
import {
  type CounterRegistration,
  DATAPLANE_METRICS,
  type DataplaneMetric,
  LATENCY_BUCKETS,
} from '../../src/model/metric.ts';
import { CONTROL_METRICS } from '../../src/observe/control-metrics.ts';
import { renderDataplaneMetrics } from '../../src/observe/dataplane-metrics.ts';
import { createMetrics, type Metrics } from '../../src/observe/metrics.ts';
import { type Family, parseExposition } from './exposition-parser.ts';

interface Counted {
  readonly metric: DataplaneMetric;
  readonly labels: Record<string, string>;
  readonly values: readonly number[];
}

function worker(index: number, counted: readonly Counted[]): WorkerCounters {
  const memory = new SharedArrayBuffer(counted.reduce((sum, { values }) => sum + values.length, 0) * 8);
  const memoryValues = new Float64Array(memory);
  const registrations: CounterRegistration[] = [];
  let at = 0;
  for (const { metric, labels, values } of counted) {
    registrations.push({ metric, labels, index: at });
    memoryValues.set(values, at);
    at += values.length;
  }
  return { worker: index, memory, registrations };
}

function samples(families: Map<string, Family>, name: string): Record<string, number> {
  return Object.fromEntries(
    families
      .get(name)!
      .samples.map((sample) => [`${sample.name} ${Object.values(sample.labels).join(',')}`, sample.value]),
  );
}

test('counters, gauges and histograms are the sum of the workers', () => {
  const labels = { listener: 'default/gw/http', route: 'default/api', code: '200' };
  const buckets = [3, ...new Array(LATENCY_BUCKETS.length - 1).fill(0), 2, 25.5];
  const text = renderDataplaneMetrics([
    worker(0, [
      { metric: 'request_count', labels, values: [5] },
      { metric: 'open_connections', labels: { listener: 'l' }, values: [2] },
      { metric: 'request_duration', labels: { listener: 'l' }, values: buckets },
    ]),
    worker(1, [
      { metric: 'request_duration', labels: { listener: 'l' }, values: buckets },
      { metric: 'request_count', labels, values: [7] },
      { metric: 'open_connections', labels: { listener: 'l' }, values: [1] },
    ]),
  ]);
  const families = parseExposition(text);
  assert.deepEqual(samples(families, 'request_count'), {
    'request_count default/gw/http,default/api,200': 12,
  });
  assert.deepEqual(samples(families, 'open_connections'), { 'open_connections l': 3 });
  const histogram = samples(families, 'request_duration');
  assert.equal(histogram['request_duration_bucket l,0.0005'], 6);
  assert.equal(histogram['request_duration_bucket l,10'], 6);
  assert.equal(histogram['request_duration_bucket l,+Inf'], 10);
  assert.equal(histogram['request_duration_count l'], 10);
  assert.equal(histogram['request_duration_sum l'], 51);
});

test('what the earlier life of a worker counted adds to what its present life counts', () => {
  const count = (value: number): Counted => ({
    metric: 'connection_count',
    labels: { listener: 'l' },
    values: [value],
  });
  const families = parseExposition(
    renderDataplaneMetrics([
      worker(0, [count(1), { metric: 'open_connections', labels: { listener: 'l' }, values: [1] }]),
      worker(0, [count(100)]),
    ]),
  );
  assert.deepEqual(samples(families, 'connection_count'), { 'connection_count l': 101 });
  assert.deepEqual(samples(families, 'open_connections'), { 'open_connections l': 1 });
});

test('every dataplane metric is announced with its help and type, also before anything is counted', () => {
  const families = parseExposition(renderDataplaneMetrics([]));
  for (const [name, definition] of Object.entries(DATAPLANE_METRICS)) {
    assert.equal(families.get(name)?.type, definition.type);
    assert.equal(families.get(name)?.help, definition.help);
  }
});

test('any label value comes back from the text as it was', () => {
  fc.assert(
    fc.property(
      fc.array(
        fc.string({ unit: fc.constantFrom('"', '\\', '\n', 'n', '{', '}', ',', '=', ' ', 'ä', '💥') }),
        {
          minLength: 1,
          maxLength: 6,
        },
      ),
      fc.integer({ min: 1, max: 3 }),
      (values, workers) => {
        const distinct = [...new Set(values)];
        const counted = distinct.map(
          (value): Counted => ({
            metric: 'connection_count',
            labels: { listener: value },
            values: [1],
          }),
        );
        const families = parseExposition(
          renderDataplaneMetrics(Array.from({ length: workers }, (_, index) => worker(index, counted))),
        );
        assert.deepEqual(
          families.get('connection_count')!.samples.map(({ labels, value }) => [labels.listener, value]),
          distinct.map((value) => [value, workers]),
        );
      },
    ),
  );
});

test('the channels feed the controller and agent metrics until they are closed', async (t) => {
  const metrics = createMetrics({
    version: '1.2.3',
    agent: { counters: () => [], actorRestarts: () => 7 },
    processMetrics: false,
  });
  t.after(() => metrics.close());
  const reconciled: Reconciled = { seconds: 0.02, changed: 3, removed: 1, problems: 2 };
  const watched: Watched = { kind: 'ProxyRoute', change: 'modified' };
  const pushed: Pushed[] = [
    { node: 'a', result: 'sent', bytes: 500 },
    { node: 'a', result: 'ack', bytes: 0 },
    { node: 'b', result: 'sent', bytes: 700 },
    { node: 'b', result: 'nack', bytes: 0 },
  ];
  const applied: Applied[] = [
    { version: 'old', seconds: 0.1, failures: 0 },
    { version: 'new', seconds: 0.1, failures: 2 },
  ];
  channel(CHANNELS.reconciled).publish(reconciled);
  channel(CHANNELS.watched).publish(watched);
  channel(CHANNELS.certified).publish({ certificates: [{ name: 'shop/gone', notAfter: 1 }] });
  channel(CHANNELS.certified).publish({ certificates: [{ name: 'shop/tls', notAfter: 1_800_000_000_000 }] });
  for (const message of pushed) channel(CHANNELS.pushed).publish(message);
  for (const message of applied) channel(CHANNELS.applied).publish(message);
  const journaled: Journaled[] = [
    { thread: 'main', failing: true, lost: 0 },
    { thread: 'dataplane-0', failing: true, lost: 0 },
    { thread: 'main', failing: false, lost: 12 },
  ];
  for (const message of journaled) channel(CHANNELS.journaled).publish(message);
  const families = parseExposition(await metrics.render());
  assert.equal(samples(families, 'reconciliation_duration')['reconciliation_duration_count '], 1);
  assert.deepEqual(samples(families, 'certificate_expiry_timestamp_seconds'), {
    'certificate_expiry_timestamp_seconds shop/tls': 1_800_000_000,
  });
  assert.deepEqual(samples(families, 'reconciled_resources'), {
    'reconciled_resources changed': 3,
    'reconciled_resources removed': 1,
  });
  assert.deepEqual(samples(families, 'watch_events'), { 'watch_events ProxyRoute,modified': 1 });
  assert.deepEqual(samples(families, 'config_pushes'), {
    'config_pushes sent': 2,
    'config_pushes ack': 1,
    'config_pushes nack': 1,
  });
  assert.deepEqual(samples(families, 'config_push_bytes'), { 'config_push_bytes ': 1200 });
  assert.deepEqual(samples(families, 'config_updates'), {
    'config_updates applied': 1,
    'config_updates partial': 1,
  });
  assert.deepEqual(samples(families, 'config_info'), { 'config_info new': 1 });
  assert.deepEqual(samples(families, 'actor_restarts'), { 'actor_restarts ': 7 });
  assert.deepEqual(samples(families, 'journal_failing'), {
    'journal_failing main': 0,
    'journal_failing dataplane-0': 1,
  });
  assert.equal(samples(families, 'journal_records_lost')['journal_records_lost main'], 12);
  assert.equal(families.get('build_info')!.samples[0]!.labels.version, '1.2.3');
  for (const [name, definition] of Object.entries(CONTROL_METRICS)) {
    assert.equal(families.get(name)?.type, definition.type, name);
  }
  metrics.close();
  channel(CHANNELS.watched).publish(watched);
  assert.deepEqual(samples(parseExposition(await metrics.render()), 'watch_events'), {
    'watch_events ProxyRoute,modified': 1,
  });
});

test('process metrics are in the same text and nothing is announced twice', async (t) => {
  const metrics = createMetrics({ version: '1', agent: { counters: () => [], actorRestarts: () => 0 } });
  t.after(() => metrics.close());
  const families = parseExposition(await metrics.render());
  assert.ok(families.get('process_resident_memory_bytes')!.samples[0]!.value > 1_000_000);
  assert.ok(families.has('request_count'));
});

test('10,000 series of four workers render whole', async (t) => {
  const counted = Array.from(
    { length: 10_000 },
    (_, index): Counted => ({
      metric: 'request_count',
      labels: { listener: 'default/gw/http', route: `default/route-${index}`, code: '200' },
      values: [index],
    }),
  );
  const workers = [0, 1, 2, 3].map((index) => worker(index, counted));
  const metrics: Metrics = createMetrics({
    version: '1',
    agent: { counters: () => workers, actorRestarts: () => 0 },
    processMetrics: false,
  });
  t.after(() => metrics.close());
  let text = '';
  const times: string[] = [];
  for (let round = 0; round < 5; round += 1) {
    const before = performance.now();
    text = await metrics.render();
    times.push((performance.now() - before).toFixed(1));
  }
  t.diagnostic(`10,000 series × 4 workers, ${text.length} bytes: ${times.join(', ')} ms`);
  const family = parseExposition(text).get('request_count')!;
  assert.equal(family.samples.length, 10_000);
  assert.equal(family.samples.at(-1)!.value, 4 * 9_999);
});
