import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Resource } from '../../src/model/resource.ts';
import { resourceKey } from '../../src/model/resource.ts';
import { largeSet, resources } from '../wire/snapshot/resources.ts';
import { eventually, TestAgent, TestSource, testController } from './harness.ts';

const step = fc.oneof(
  { weight: 4, arbitrary: fc.record({ do: fc.constant('put' as const), list: resources }) },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('remove' as const),
      part: fc.double({ min: 0, max: 1, noNaN: true }),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('reconnect' as const) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('forget' as const) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('corrupt' as const) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('settle' as const) }) },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant('select' as const), zone: fc.constantFrom('a', 'b') }),
  },
);

test('whatever builds, disconnects and refusals come, agents end with the version and resources they should have', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 15 }), async (steps) => {
      const source = new TestSource();
      const controller = await testController(source, { refusalBackoff: () => 0 });
      const agents = ['a', 'b'].map((zone) => {
        const agent = new TestAgent(controller.address, `edge-${zone}`);
        agent.labels = { zone };
        return agent.connect();
      });
      const [first] = agents;
      const settled = (agent: TestAgent): boolean => {
        const node = controller.admin.nodes().find((each) => each.node === agent.node);
        return node?.wished === node?.acknowledged && node?.wished === agent.store.version;
      };
      try {
        for (const each of steps) {
          if (each.do === 'put') source.put(each.list);
          if (each.do === 'remove') {
            const keys = [...source.current().resources.keys()];
            source.remove(...keys.slice(0, Math.ceil(keys.length * each.part)));
          }
          if (each.do === 'reconnect') first!.connect();
          if (each.do === 'forget') first!.connect('');
          if (each.do === 'corrupt') first!.connect(controller.admin.nodes()[0]?.wished ?? '');
          if (each.do === 'settle') await eventually(() => agents.every(settled));
          if (each.do === 'select') {
            const vips = [...source.current().resources.keys()].filter((key) => key.startsWith('vip/'));
            source.select(new Map(vips.map((key) => [key, { matchLabels: { zone: each.zone } }])));
          }
        }
        await eventually(() => agents.every(settled));
        const { resources: all, selectors } = source.current();
        for (const agent of agents) {
          const wished = [...all].filter(([key]) => {
            const selector = selectors.get(key);
            return selector === undefined || selector.matchLabels.zone === agent.labels.zone;
          });
          assert.deepEqual(new Map(agent.store.resources), new Map(wished));
        }
      } finally {
        for (const agent of agents) agent.client.close();
        await controller.stop();
      }
    }),
    { numRuns: 40 },
  );
});

test('with 10,000 routes and 50,000 endpoints the change of one endpoint is a message under 2 KB', async (t) => {
  const all = largeSet(10_000, 5);
  const source = new TestSource(all.values());
  const controller = await testController(source);
  t.after(() => controller.stop());
  const edge = new TestAgent(controller.address, 'edge-1').connect();
  t.after(() => edge.client.close());
  await edge.until(({ updates }) => updates.length === 1);
  assert.equal(edge.store.resources.size, 70_000);
  await eventually(() => controller.admin.nodes()[0]!.acknowledged === edge.store.version);

  const endpoints = [...all.values()].filter((resource) => resource.kind === 'endpoint');
  const leaving: number[] = [];
  const arriving: number[] = [];
  for (let round = 0; round < 20; round += 1) {
    const endpoint = endpoints[(round * 7919) % endpoints.length] as Extract<Resource, { kind: 'endpoint' }>;
    const changed: Resource = { kind: 'endpoint', value: { ...endpoint.value, ready: false } };
    const next = new Map(source.current().resources);
    next.set(resourceKey(changed), changed);
    source.put([changed], { resources: next });
    const before = performance.now() - source.publishMs;
    leaving.push(source.publishMs);
    await edge.until(({ updates }) => updates.length === round + 2);
    arriving.push(performance.now() - before);
    const { bytes, changes } = edge.updates.at(-1)!;
    assert.ok(bytes < 2048, `${bytes} bytes`);
    assert.deepEqual(changes.upserts, [changed]);
    await eventually(() => controller.admin.nodes()[0]!.acknowledged === edge.store.version);
  }
  assert.deepEqual(edge.problems, []);
  const median = (values: number[]): string => values.toSorted((a, b) => a - b)[10]!.toFixed(1);
  t.diagnostic(`${edge.updates.at(-1)!.bytes} bytes; build to write median ${median(leaving)} ms`);
  t.diagnostic(`build to applied in the agent's store median ${median(arriving)} ms`);
});
