import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DECAY_MS, PeakEwma } from '../../../src/dataplane/balance/peak-ewma.ts';
import { chance, equal, type TestTarget, target, targets, updated } from './targets.ts';

interface Scene {
  readonly clock: { time: number };
  readonly all: TestTarget[];
  readonly balancer: PeakEwma<TestTarget>;
}

function scene(all: TestTarget[]): Scene {
  const clock = { time: 1_000_000 };
  return { clock, all, balancer: updated(new PeakEwma<TestTarget>(chance(), clock), all) };
}

/**
 * `perMs` requests a ms for `milliseconds`, each answered after its target's latency. Returns how many each target got.
 */
function run(
  { clock, all, balancer }: Scene,
  milliseconds: number,
  perMs: number,
  latency: (target: TestTarget) => number,
) {
  const got = new Map(all.map((each) => [each, 0]));
  const under: { target: TestTarget; end: number; start: number }[] = [];
  const until = clock.time + milliseconds;
  for (; clock.time < until; clock.time += 1) {
    for (let index = under.length - 1; index >= 0; index -= 1) {
      const request = under[index]!;
      if (request.end > clock.time) continue;
      under.splice(index, 1);
      request.target.load -= 1;
      balancer.observe(request.target, clock.time - request.start, 'answered');
    }
    for (let arrival = 0; arrival < perMs; arrival += 1) {
      const picked = balancer.pick(null)!;
      picked.load += 1;
      got.set(picked, got.get(picked)! + 1);
      under.push({ target: picked, start: clock.time, end: clock.time + latency(picked) });
    }
  }
  for (const request of under) request.target.load -= 1;
  return all.map((each) => got.get(each)!);
}

test('moves away from a target that becomes slow, and comes back when it is fast again', () => {
  const stage = scene(equal(5));
  const [first] = stage.all;
  const fast = run(stage, 5_000, 1, () => 10);
  assert.ok(
    fast.every((count) => count > 700 && count < 1_300),
    `all fast: ${fast}`,
  );
  const slow = run(stage, 10_000, 1, (each) => (each === first ? 500 : 10));
  assert.ok(slow[0]! < 200, `of 10,000 the slow one got ${slow[0]}`);
  assert.ok(slow[0]! > 0, 'but it is asked now and then');
  run(stage, 8 * DECAY_MS, 1, () => 10);
  const healed = run(stage, 5_000, 1, () => 10);
  assert.ok(healed[0]! > 500, `healed, of 5,000 it got ${healed[0]}`);
});

test('of two fast and two slow ones a slow one is asked only where both drawn are slow: one time in six', () => {
  const stage = scene(equal(4));
  const slow = new Set(stage.all.slice(0, 2));
  const [a, b, c, d] = run(stage, 10_000, 1, (each) => (slow.has(each) ? 200 : 5));
  assert.ok(a! + b! < 0.18 * (a! + b! + c! + d!), `slow ${a} ${b}, fast ${c} ${d}`);
});

test('a newcomer is asked at once, by one request, and not flooded before it has answered', () => {
  const stage = scene(equal(3));
  run(stage, 2_000, 1, () => 20);
  const fresh = target('10.9.9.9:80');
  stage.all.push(fresh);
  stage.balancer.update(stage.all);
  let asked = 0;
  for (let pick = 0; pick < 1_000; pick += 1) {
    const picked = stage.balancer.pick(null)!;
    if (picked !== fresh) continue;
    asked += 1;
    fresh.load += 1;
  }
  assert.equal(asked, 1);
});

test('a peak counts at once, faster answers only with time', () => {
  const { clock, all, balancer } = scene(equal(1));
  const [only] = all as [TestTarget];
  balancer.observe(only, 10, 'answered');
  balancer.observe(only, 400, 'answered');
  assert.equal(only.latencyMs, 400);
  balancer.observe(only, 10, 'answered');
  assert.equal(only.latencyMs, 400);
  clock.time += DECAY_MS;
  balancer.observe(only, 10, 'answered');
  assert.ok(Math.abs(only.latencyMs - (400 / Math.E + 10 * (1 - 1 / Math.E))) < 1e-9);
});

test('failing fast is no virtue, and what others gave up counts as far as it is known', () => {
  const { all, balancer } = scene(equal(2));
  const [failing, slow] = all as [TestTarget, TestTarget];
  for (let times = 0; times < 4; times += 1) balancer.observe(failing, 0, 'failed');
  assert.equal(failing.latencyMs, 80);
  for (let times = 0; times < 40; times += 1) balancer.observe(failing, 0, 'failed');
  assert.equal(failing.latencyMs, 10_000);
  balancer.observe(slow, 300, 'given-up');
  assert.equal(slow.latencyMs, 300);
  balancer.observe(slow, 20, 'given-up');
  assert.equal(slow.latencyMs, 300);
});

test('under load, requests settle by weight where all are as fast', () => {
  const stage = scene(targets([1, 3, 1, 3, 1, 3]));
  for (const each of stage.all) stage.balancer.observe(each, 10, 'answered');
  for (let pick = 0; pick < 1_200; pick += 1) stage.balancer.pick(null)!.load += 1;
  for (const { load, weight } of stage.all)
    assert.ok(load > 85 * weight && load < 115 * weight, `${load} of ${weight}`);
});
