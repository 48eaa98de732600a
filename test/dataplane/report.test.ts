import assert from 'node:assert/strict';
import { test } from 'node:test';
import { REPORT_SUMMARY_ITEMS } from '../../src/model/report.ts';
import type { Resource } from '../../src/model/resource.ts';
import { cluster, endpoint, start } from './harness.ts';

test('a summary names only what is not well, and does not grow with the configuration', async (context) => {
  const endpoints = (from: number, count: number, ready: boolean): Resource[] =>
    Array.from({ length: count }, (_, index) => ({
      kind: 'endpoint',
      value: endpoint(1 + index, { address: `10.0.${from}.1`, ready }),
    }));
  const harness = await start({
    resources: [
      { kind: 'cluster', value: cluster() },
      ...endpoints(0, 5000, true),
      ...endpoints(1, 3, false),
    ],
  });
  context.after(() => harness.dataplane.shutdown());
  const whole = harness.dataplane.report('whole');
  assert.deepEqual([whole.clusters.length, whole.endpoints.length], [1, 5003]);

  const summary = harness.dataplane.report('summary');
  assert.deepEqual(summary.listeners, whole.listeners);
  assert.deepEqual(summary.clusters, []);
  assert.deepEqual(
    summary.endpoints,
    whole.endpoints.filter(({ health }) => health !== 'healthy'),
  );
  assert.ok(Buffer.byteLength(JSON.stringify(summary)) < 2048);

  harness.dataplane.ejectEndpoint('default/api', '10.0.0.1:1');
  assert.ok(harness.dataplane.report('summary').endpoints.some((one) => one.endpoint === '10.0.0.1:1'));

  harness.change(endpoints(1, 1000, false));
  assert.equal(harness.dataplane.report('summary').endpoints.length, REPORT_SUMMARY_ITEMS);
});

test('a pool that is opened anew has no ejected endpoint, since nobody is left to restore it', async (context) => {
  const harness = await start({
    resources: [
      { kind: 'cluster', value: cluster() },
      { kind: 'endpoint', value: endpoint(1, { address: '10.0.0.1' }) },
      { kind: 'endpoint', value: endpoint(2, { address: '10.0.0.1' }) },
    ],
  });
  context.after(() => harness.dataplane.shutdown());
  const ejected = () =>
    harness.dataplane
      .report('whole')
      .endpoints.flatMap(({ endpoint: id, health }) => (health === 'healthy' ? [] : [id]));
  harness.dataplane.ejectEndpoint('default/api', '10.0.0.1:1');
  harness.dataplane.openPool(cluster(), 0);
  assert.deepEqual(ejected(), ['10.0.0.1:1']);
  harness.dataplane.openPool(cluster(), 0, true);
  assert.deepEqual(ejected(), []);
});
