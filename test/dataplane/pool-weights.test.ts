import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { PolicyView } from '../../src/dataplane/served-rule.ts';
import { ServedRule } from '../../src/dataplane/served-rule.ts';
import type { ClusterPool } from '../../src/dataplane/upstream/cluster-pool.ts';
import { cluster, endpoint, route, rule, start } from './harness.ts';
import { answering, OK, RawClient, rawBackend } from './raw.ts';

const NO_POLICIES: PolicyView = { generation: 0, filters: () => [] };

function ruleWith(weights: readonly number[]): { rule: ServedRule; pools: ClusterPool[] } {
  const pools = weights.map((_, index) => ({ name: `c${index}` }) as unknown as ClusterPool);
  const served = new ServedRule(
    'r',
    {} as never,
    rule(),
    pools.map((pool, index) => ({ pool, weight: weights[index]! })),
    [],
    {} as never,
    NO_POLICIES,
  );
  return { rule: served, pools };
}

test('over the sum of the weights each cluster gets exactly its weight, and weight 0 gets nothing', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 40 }), { maxLength: 8 }), fc.nat(3), (weights, rounds) => {
      const { rule: served, pools } = ruleWith(weights);
      const sum = weights.reduce((all, weight) => all + weight, 0);
      if (sum === 0) {
        assert.equal(served.nextPool(), null);
        return;
      }
      const counts = new Map<ClusterPool | null, number>();
      for (let turn = 0; turn < sum * (rounds + 1); turn += 1) {
        const pool = served.nextPool();
        counts.set(pool, (counts.get(pool) ?? 0) + 1);
      }
      for (const [index, pool] of pools.entries())
        assert.equal(counts.get(pool) ?? 0, weights[index]! * (rounds + 1));
    }),
  );
});

test('at any moment each cluster has its share but for less than one request for each other cluster', () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 1, max: 1_000_000 }), { minLength: 2, maxLength: 6 }),
      fc.integer({ min: 1, max: 500 }),
      (weights, turns) => {
        const { rule: served, pools } = ruleWith(weights);
        const sum = weights.reduce((all, weight) => all + weight, 0);
        const counts = new Map<ClusterPool | null, number>();
        for (let turn = 1; turn <= turns; turn += 1) {
          const pool = served.nextPool();
          counts.set(pool, (counts.get(pool) ?? 0) + 1);
          for (const [index, each] of pools.entries()) {
            const off = (counts.get(each) ?? 0) - (turn * weights[index]!) / sum;
            assert.ok(Math.abs(off) < pools.length, `${off} after ${turn}`);
          }
        }
      },
    ),
  );
});

test('the share of a cluster without endpoints, or that is not there, is answered so, and given to nobody else', async (context) => {
  const backend = await rawBackend(context, answering(OK));
  const harness = await start({
    resources: [
      { kind: 'cluster', value: cluster() },
      { kind: 'endpoint', value: endpoint(backend.port) },
      { kind: 'cluster', value: cluster({ name: 'default/empty' }) },
      {
        kind: 'route',
        value: route({
          rules: [
            rule({
              clusters: [
                { cluster: 'default/api', weight: 3 },
                { cluster: 'default/empty', weight: 2 },
                { cluster: 'default/none', weight: 1 },
                { cluster: 'default/unwanted', weight: 0 },
              ],
            }),
          ],
        }),
      },
    ],
  });
  context.after(() => harness.dataplane.shutdown());
  const client = new RawClient(harness.port).send('GET / HTTP/1.1\r\nHost: a\r\n\r\n'.repeat(60));
  await client.until(({ text }) => text.split('HTTP/1.1 ').length === 61 && /(ok|\n)$/.test(text));
  const count = (part: string) => client.text.split(part).length - 1;
  assert.equal(count('HTTP/1.1 200'), 30);
  assert.equal(count('x-novaedge-reason: no_healthy_endpoint'), 20);
  assert.equal(count('HTTP/1.1 503'), 20);
  assert.equal(count('x-novaedge-reason: cluster_not_found'), 10);
  assert.equal(count('HTTP/1.1 500'), 10);
  client.socket.destroy();
});
