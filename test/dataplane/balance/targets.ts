import fc from 'fast-check';
import type { Balancer, TimedTarget } from '../../../src/dataplane/balance/balancer.ts';
import { NO_KEY } from '../../../src/dataplane/balance/balancer.ts';
import type { HashPolicy } from '../../../src/dataplane/balance/hash-table.ts';
import { HashedChoice } from '../../../src/dataplane/balance/hashed-choice.ts';
import { LeastRequest } from '../../../src/dataplane/balance/least-request.ts';
import { PeakEwma } from '../../../src/dataplane/balance/peak-ewma.ts';
import { RandomChoice } from '../../../src/dataplane/balance/random.ts';
import { RoundRobin } from '../../../src/dataplane/balance/round-robin.ts';
import { buildInPlace } from '../../../src/dataplane/balance/table-builder.ts';
import { TwoChoices } from '../../../src/dataplane/balance/two-choices.ts';
import { Xoshiro128 } from '../../../src/dataplane/xoshiro128.ts';

/** An endpoint whose circumstances a test sets as it likes. */
export interface TestTarget extends TimedTarget {
  weight: number;
  ready: boolean;
  usable: boolean;
  load: number;
}

export function target(id: number | string, overrides: Partial<TestTarget> = {}): TestTarget {
  return {
    id: typeof id === 'string' ? id : `10.0.${id >> 8}.${id & 255}:8080`,
    weight: 1,
    ready: true,
    usable: true,
    load: 0,
    latencyMs: -1,
    latencyAt: 0,
    ...overrides,
  };
}

export function targets(weights: readonly number[]): TestTarget[] {
  return weights.map((weight, index) => target(index, { weight }));
}

export function equal(count: number): TestTarget[] {
  return targets(Array.from({ length: count }, () => 1));
}

/** Chance that is the same in every run. */
export function chance(seed = 1): Xoshiro128 {
  return new Xoshiro128((state) => {
    for (let index = 0; index < state.length; index += 1) state[index] = Math.imul(seed + index, 0x9e3779b1);
  });
}

export const HASH_POLICIES = ['RingHash', 'Maglev'] as const satisfies readonly HashPolicy[];

export function hashed(policy: HashPolicy, seed = 1): HashedChoice<TestTarget> {
  return new HashedChoice<TestTarget>(policy, chance(seed), buildInPlace);
}

export const BALANCERS: Readonly<Record<string, () => Balancer<TestTarget>>> = {
  RoundRobin: () => new RoundRobin(),
  Random: () => new RandomChoice(chance()),
  LeastRequest: () => new LeastRequest(),
  P2C: () => new TwoChoices(chance()),
  EWMA: () => new PeakEwma(chance(), { time: 0 }),
  'RingHash without a key': () => hashed('RingHash'),
  'Maglev without a key': () => hashed('Maglev'),
};

export function updated<B extends Balancer<TestTarget>>(balancer: B, all: readonly TestTarget[]): B {
  balancer.update(all);
  return balancer;
}

/** How often each of `all` was picked. */
export function counts(
  balancer: Balancer<TestTarget>,
  all: readonly TestTarget[],
  picks: number,
  keyOf: (pick: number) => number = () => NO_KEY,
): number[] {
  const found = new Map<TestTarget, number>();
  for (let pick = 0; pick < picks; pick += 1) {
    const picked = balancer.pick(null, keyOf(pick))!;
    found.set(picked, (found.get(picked) ?? 0) + 1);
  }
  return all.map((each) => found.get(each) ?? 0);
}

/** Pearson's statistic in standard deviations from its mean (degrees of freedom, from the weights above 0). */
export function chiSquareDeviation(observed: readonly number[], weights: readonly number[]): number {
  const all = observed.reduce((sum, count) => sum + count, 0);
  const sum = weights.reduce((total, weight) => total + weight, 0);
  let statistic = 0;
  let freedom = -1;
  for (const [index, weight] of weights.entries()) {
    if (weight === 0) continue;
    const expected = (all * weight) / sum;
    statistic += (observed[index]! - expected) ** 2 / expected;
    freedom += 1;
  }
  return freedom === 0 ? 0 : (statistic - freedom) / Math.sqrt(2 * freedom);
}

export const someTargets = fc
  .array(fc.record({ weight: fc.nat(9), ready: fc.boolean(), usable: fc.boolean(), load: fc.nat(5) }), {
    minLength: 1,
    maxLength: 12,
  })
  .map((all) => all.map((each, index) => target(index, each)));
