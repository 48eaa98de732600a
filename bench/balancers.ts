/**
 * The figures of docs/load-balancing.md: `npx node bench/balancers.ts`. What is timed is the best of several rounds, on
 * one thread; what a dataplane thread is held for is the worst.
 */
import { HashTables } from '../src/agent/hash-tables.ts';
import type { Balancer } from '../src/dataplane/balance/balancer.ts';
import { HashedChoice } from '../src/dataplane/balance/hashed-choice.ts';
import { RandomChoice } from '../src/dataplane/balance/random.ts';
import { buildOrdered } from '../src/dataplane/balance/table-builder.ts';
import { TwoChoices } from '../src/dataplane/balance/two-choices.ts';
import { hashText } from '../src/dataplane/balance/xxhash32.ts';
import { moved } from '../test/dataplane/balance/disruption.ts';
import {
  BALANCERS,
  chance,
  equal,
  HASH_POLICIES,
  hashed,
  type TestTarget,
  targets,
} from '../test/dataplane/balance/targets.ts';

const ROUNDS = 9;
const PICK_MS = 40;

/** Least ns that one call of `run` took, over rounds of at least PICK_MS. */
function nanoseconds(run: () => void): number {
  let calls = 64;
  let best = Number.POSITIVE_INFINITY;
  for (let round = 0; round < ROUNDS; round += 1) {
    const start = performance.now();
    for (let call = 0; call < calls; call += 1) run();
    const milliseconds = performance.now() - start;
    if (milliseconds < PICK_MS / 4) {
      calls *= 4;
      round -= 1;
      continue;
    }
    best = Math.min(best, (milliseconds * 1e6) / calls);
  }
  return best;
}

function milliseconds(run: () => unknown): number {
  let best = Number.POSITIVE_INFINITY;
  for (let round = 0; round < ROUNDS; round += 1) {
    const start = performance.now();
    run();
    best = Math.min(best, performance.now() - start);
  }
  return best;
}

/** Of this thread, in ms: what others do on a busy machine does not count. */
function cpu(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1_000;
}

const row = (cells: readonly (string | number)[]) => console.log(`| ${cells.join(' | ')} |`);

function table(head: readonly string[]): void {
  console.log();
  row(head);
  row(head.map(() => '---'));
}

const mixed = (count: number) => targets(Array.from({ length: count }, (_, index) => 1 + (index % 10)));

function pick(balancer: Balancer<TestTarget>, all: readonly TestTarget[], keyed: boolean): string {
  balancer.update(all);
  for (const each of all) each.latencyMs = 5;
  let key = 0;
  return nanoseconds(() => {
    key = (Math.imul(key, 1_664_525) + 1_013_904_223) >>> 0;
    balancer.pick(null, keyed ? key : -1);
  }).toFixed(0);
}

table(['ns a pick', '3', '100', '10,000', '10,000 of mixed weights']);
const SIZES = [equal(3), equal(100), equal(10_000), mixed(10_000)];
for (const [name, create] of Object.entries(BALANCERS)) {
  if (name.includes('without a key')) continue;
  row([name, ...SIZES.map((all) => pick(create(), all, false))]);
}
for (const policy of HASH_POLICIES) row([policy, ...SIZES.map((all) => pick(hashed(policy), all, true))]);
const path = '/shop/articles/4711/pictures';
console.log(
  `\nThe key of a path of ${path.length} characters: ${nanoseconds(() => hashText(path)).toFixed(0)} ns`,
);

table(['ms to build a table', '3', '100', '1,000', '10,000', '10,000 of mixed weights']);
for (const policy of HASH_POLICIES) {
  const cells = [equal(3), equal(100), equal(1_000), equal(10_000), mixed(10_000)].map((all) => {
    const request = { policy, ids: all.map(({ id }) => id), weights: all.map(({ weight }) => weight) };
    return milliseconds(() => buildOrdered(request)).toFixed(1);
  });
  row([policy, ...cells]);
}

table([
  'ms of CPU on the dataplane thread, at most',
  'change is asked for',
  'table is taken',
  'ms until it is in use',
]);
const tables = new HashTables();
for (const policy of HASH_POLICIES)
  for (const count of [100, 1_000, 10_000]) {
    let [asked, taken, whole] = [0, 0, 0];
    const all = equal(count);
    let settled = Promise.withResolvers<void>();
    const balancer = new HashedChoice<TestTarget>(policy, chance(), (request, done) => {
      const start = performance.now();
      void tables.build(request).then((built) => {
        const arrived = cpu();
        done(built);
        taken = Math.max(taken, cpu() - arrived);
        whole = Math.max(whole, performance.now() - start);
        settled.resolve();
      });
    });
    for (let change = 0; change < ROUNDS + 3; change += 1) {
      // The first ones load the thread and warm the code up.
      if (change === 3) [asked, taken, whole] = [0, 0, 0];
      settled = Promise.withResolvers();
      all[change]!.weight += 1;
      const start = cpu();
      balancer.update(all);
      asked = Math.max(asked, cpu() - start);
      await settled.promise;
    }
    row([`${policy}, ${count} endpoints`, asked.toFixed(2), taken.toFixed(2), whole.toFixed(0)]);
  }
await tables.close();

table([
  '% of keys that move',
  'one comes to 3',
  'to 10',
  'to 100',
  'to 1,000',
  'one of 3 goes',
  'of 10',
  'of 100',
  'of 1,000',
]);
const COUNTS = [3, 10, 100, 1_000];
const percent = (share: number) => (100 * share).toFixed(2);
row([
  'ideal',
  ...COUNTS.map((count) => percent(1 / (count + 1))),
  ...COUNTS.map((count) => percent(1 / count)),
]);
for (const policy of HASH_POLICIES) {
  const shares = COUNTS.map((count) => moved(policy, count));
  row([
    policy,
    ...shares.map(({ added }) => percent(added)),
    ...shares.map(({ removed }) => percent(removed)),
  ]);
}

table(['greatest share, of 1 with equal weights', '3', '10', '100', '1,000', '10,000']);
for (const policy of HASH_POLICIES) {
  const cells = [3, 10, 100, 1_000, 10_000].map((count) => {
    const all = equal(count);
    const { table } = buildOrdered({ policy, ids: all.map(({ id }) => id), weights: all.map(() => 1) });
    const shares = new Float64Array(count);
    const { points, owners } = table;
    for (let slot = 0; slot < owners.length; slot += 1)
      shares[owners[slot]!]! +=
        points === null
          ? 1 / owners.length
          : (slot === 0 ? points[0]! + 2 ** 32 - points.at(-1)! : points[slot]! - points[slot - 1]!) /
            2 ** 32;
    return (count * shares.reduce((most, share) => Math.max(most, share), 0)).toFixed(2);
  });
  row([policy, ...cells]);
}

table(['most requests of one endpoint, where as many as endpoints are under way', '100', '1,000', '10,000']);
for (const [name, create] of [
  ['Random', () => new RandomChoice<TestTarget>(chance())],
  ['P2C', () => new TwoChoices<TestTarget>(chance())],
] as const) {
  const cells = [100, 1_000, 10_000].map((count) => {
    const all = equal(count);
    const balancer = create();
    balancer.update(all);
    for (let request = 0; request < count; request += 1) balancer.pick(null)!.load += 1;
    return all.reduce((most, { load }) => Math.max(most, load), 0);
  });
  row([name, ...cells]);
}
