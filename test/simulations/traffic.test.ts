import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TRAFFIC_BUGS } from '../../simulations/network/planted.ts';
import { isFiltered } from '../../simulations/network/topology.ts';
import { traffic } from '../../simulations/scenarios/traffic.ts';
import { timeline } from '../../simulations/timeline.ts';
import { mergeRecords } from '../../src/cli/replay/merge.ts';
import { Replayer } from '../../src/cli/replay/replayer.ts';
import { BEHAVIORS } from '../../supervisors/behaviors.ts';

const SEEDS = 60;
/** Seeds within which a planted bug must be found. */
const PLANTED_SEEDS = 1_000;

test(`every invariant of traffic holds for ${SEEDS} seeds, and what is to happen does happen`, async (t) => {
  const began = performance.now();
  let simulatedMs = 0;
  const reasons = new Map<string, number>();
  const states = new Set<string>();
  let retries = 0;
  let whole = 0;
  const kinds = { ofHttp10: 0, continued: 0, filtered: 0, onASharedPort: 0, upgraded: 0 };
  for (let seed = 1; seed <= SEEDS; seed += 1) {
    const { violation, universe, simulatedMs: ms } = await traffic.run({ seed, planted: null });
    assert.equal(
      violation,
      null,
      `seed ${seed}: ${violation?.message}\n${timeline(universe.recorder.lines, 40)}`,
    );
    simulatedMs += ms;
    for (const { note } of universe.recorder.lines.filter((line) => 'note' in line)) {
      const reason = / is answered \d+ (\w+)/.exec(note)?.[1];
      if (reason !== undefined) reasons.set(reason, (reasons.get(reason) ?? 0) + 1);
    }
    for (const { actor, state } of universe.recorder.records) states.add(`${actor.split('/')[2]} ${state}`);
    retries += universe.ledger.requests.filter(({ attempts }) => attempts.length > 1).length;
    for (const { answer, request, saidContinue } of universe.ledger.attempts) {
      if (answer?.status === 101) kinds.upgraded += 1;
      if (answer?.isWhole !== true) continue;
      if (request.isOld) kinds.ofHttp10 += 1;
      if (request.expects && saidContinue) kinds.continued += 1;
      if (isFiltered(request.cluster)) kinds.filtered += 1;
      if (request.host !== 'shop.test') kinds.onASharedPort += 1;
    }
    whole += universe.ledger.attempts.filter(({ answer }) => answer?.isWhole).length;
  }
  t.diagnostic(`${Math.round(simulatedMs / (performance.now() - began))} × real time`);
  t.diagnostic(
    `${whole} whole answers, ${retries} requests sent again, ${JSON.stringify(Object.fromEntries(reasons))}`,
  );
  for (const reason of [
    'request_timeout',
    'redirect',
    'cluster_not_found',
    'no_healthy_endpoint',
    'connection_limit',
    'pending_limit',
    'pending_timeout',
    'upstream_connect_failed',
    'upstream_connect_timeout',
    'upstream_reset',
    'upstream_protocol_error',
    'upstream_timeout',
  ])
    assert.ok(reasons.has(reason), `no ${reason} in ${SEEDS} seeds`);
  for (const state of [
    'listener draining',
    'listener rebound',
    'upstream-pool draining',
    'circuit-breaker open',
  ])
    assert.ok(states.has(state), `no ${state} in ${SEEDS} seeds`);
  t.diagnostic(JSON.stringify(kinds));
  for (const [kind, count] of Object.entries(kinds)) assert.ok(count > 100, `${count} ${kind}`);
  assert.ok(retries > 0 && whole > 1_000);
});

test('a seed is a run: again it gives the same timeline to the last byte', async () => {
  const lines = async (seed: number) => {
    const { universe, simulatedMs } = await traffic.run({ seed, planted: null });
    return JSON.stringify([
      simulatedMs,
      universe.steps,
      universe.recorder.lines,
      universe.ledger.requests.length,
    ]);
  };
  const first = await lines(3);
  await lines(4);
  assert.equal(await lines(3), first);
});

test('the journals of workers under traffic replay without a difference', async () => {
  for (let seed = 1; seed <= 5; seed += 1) {
    const { universe } = await traffic.run({ seed, planted: null });
    const replayer = new Replayer(BEHAVIORS);
    for (const record of mergeRecords(universe.recorder.records)) replayer.feed(record);
    assert.deepEqual(replayer.differences, [], `seed ${seed}`);
  }
});

for (const planted of TRAFFIC_BUGS)
  test(`the planted bug ${planted} is found, and again by its seed`, async (t) => {
    let seed = 1;
    let found = null;
    for (; found === null && seed <= PLANTED_SEEDS; seed += 1)
      found = (await traffic.run({ seed, planted })).violation;
    seed -= 1;
    assert.ok(found !== null, `not found within ${PLANTED_SEEDS} seeds`);
    t.diagnostic(`seed ${seed}: ${found.message}`);
    const again = await traffic.run({ seed, planted });
    assert.equal(again.violation?.invariant, found.invariant);
    assert.equal(again.violation?.message, found.message);
    const clean = await traffic.run({ seed, planted: null });
    assert.equal(clean.violation, null, 'without the bug the same seed holds');
  });
