import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Event } from '../../actors/rollout.ts';
import { ConfigurationStore } from '../../src/agent/configuration-store.ts';
import type { Resource, ResourceKey } from '../../src/model/resource.ts';
import { resourceKey } from '../../src/model/resource.ts';
import type { ObjectFailure, SnapshotChanges } from '../../src/model/snapshot.ts';
import { SnapshotDigest } from '../../src/wire/snapshot/digest.ts';
import { encodeResource } from '../../src/wire/snapshot/resource.ts';
import { BEHAVIORS } from '../../supervisors/behaviors.ts';
import type { EffectScope } from '../../supervisors/effects.ts';
import { recordedSystem } from '../supervisors/recorder.ts';
import { SteppingWorld } from '../supervisors/stepping-world.ts';
import { route } from './harness.ts';

const ROLLOUT = 'n/main/rollout';
const OBJECTS = 4;
/** Versions of an object that end the worker that prepares or commits them. */
const POISON = { 7: 'prepare', 8: 'commit' } as const;

/** What a worker ends over. */
class Poison extends Error {
  readonly doing: string;

  constructor(phase: string, key: string) {
    super('out of memory');
    this.doing = `${phase} ${key}`;
  }
}

function swallow(phase: 'prepare' | 'commit', resources: readonly Resource[]): void {
  for (const resource of resources)
    if (isPoison(resource, phase)) throw new Poison(phase, resourceKey(resource));
}

function isPoison(resource: Resource, ...phases: readonly string[]): boolean {
  const phase = resource.kind === 'route' ? POISON[resource.value.createdAt as 7 | 8] : undefined;
  return phase !== undefined && (phases.length === 0 || phases.includes(phase));
}

/** A worker as the rollout sees it; its answers wait until the test lets them go. */
class ModelWorker {
  readonly inUse = new Map<ResourceKey, Resource>();
  open: { changes: SnapshotChanges; failures: ObjectFailure[] } | null = null;
  readonly answers: (() => void)[] = [];
  readonly #deadly: ReadonlyMap<string, string>;

  /** `deadly`: objects that end it, although they are in use, and in which phase. */
  constructor(deadly: ReadonlyMap<string, string>) {
    this.#deadly = deadly;
  }

  #tread(phase: string, resources: readonly Resource[]): void {
    for (const key of resources.map(resourceKey))
      if (this.#deadly.get(key) === phase) throw new Poison(phase, key);
  }

  prepare(changes: SnapshotChanges, refuses: ReadonlySet<string>): ObjectFailure[] {
    swallow('prepare', changes.upserts);
    this.#tread('prepare', changes.upserts);
    const failures = changes.upserts.flatMap((resource) =>
      refuses.has(resourceKey(resource))
        ? [{ key: resourceKey(resource), reason: 'AddressInUse', message: 'busy' }]
        : [],
    );
    this.open = { changes, failures };
    return failures;
  }

  commit(rejected: readonly string[]): void {
    const { changes } = this.open!;
    this.open = null;
    const out = new Set(rejected);
    this.#tread(
      'commit',
      changes.upserts.filter((resource) => !out.has(resourceKey(resource))),
    );
    swallow(
      'commit',
      changes.upserts.filter((resource) => !out.has(resourceKey(resource))),
    );
    const keep = new Set(changes.upserts.map(resourceKey));
    for (const key of this.inUse.keys())
      if (!out.has(key) && (changes.removals.includes(key) || (changes.base === '' && !keep.has(key))))
        this.inUse.delete(key);
    for (const resource of changes.upserts)
      if (!out.has(resourceKey(resource))) this.inUse.set(resourceKey(resource), resource);
  }
}

/** The production rollout machine and store over model workers. */
class Node {
  readonly world = new SteppingWorld();
  readonly store = new ConfigurationStore();
  readonly workers = new Map<number, ModelWorker>();
  /** Worker and object that it refuses now. */
  readonly refusals = new Map<number, Set<string>>();
  /** Objects that end every worker that is given them, and in which phase. */
  readonly deadly = new Map<string, 'prepare' | 'commit'>();
  readonly #wished = new Map<ResourceKey, Resource>();
  readonly rig = recordedSystem(this.world, {
    behaviors: BEHAVIORS,
    bindings: { rollout: this.#bindings() as never },
  });
  hung: number[] = [];
  /** What it was at, of each worker that has ended over an object while others served. */
  ended: string[] = [];
  told: (readonly ObjectFailure[])[] = [];
  #nonce = 0;

  constructor() {
    this.rig.system.start({
      address: ROLLOUT,
      kind: 'rollout',
      parent: null,
      input: { workers: [], expected: [], pending: false, nonce: 0, version: '', answerTimeoutMs: 1_000 },
    });
  }

  send(event: Event): void {
    this.rig.system.send(ROLLOUT, event);
  }

  join(worker: number): void {
    if (this.workers.has(worker)) return;
    this.workers.set(worker, new ModelWorker(this.deadly));
    this.send({ type: 'worker.joined', worker });
  }

  die(worker: number, doing = ''): void {
    if (this.workers.delete(worker)) this.send({ type: 'worker.left', worker, message: 'died', doing });
  }

  wish(object: number, version: number | null): void {
    const before = this.store.wishedVersion;
    const resource = route(`o${object}`, version ?? 0);
    const key = resourceKey(resource);
    if (version === null) {
      if (!this.#wished.delete(key)) return;
    } else this.#wished.set(key, resource);
    const digest = new SnapshotDigest();
    for (const [each, value] of this.#wished) digest.set(each, encodeResource(value));
    this.#nonce += 1;
    const changes: SnapshotChanges = {
      base: before,
      version: digest.version(),
      upserts: before === '' ? [...this.#wished.values()] : version === null ? [] : [resource],
      removals: before !== '' && version === null ? [key] : [],
    };
    assert.deepEqual(this.store.stage(changes), { ok: true });
    this.send({ type: 'changes.staged', nonce: this.#nonce, version: changes.version });
  }

  /** Lets the oldest answer of the worker go. */
  answer(worker: number): boolean {
    const answer = this.workers.get(worker)?.answers.shift();
    answer?.();
    return answer !== undefined;
  }

  /** Everything that can happen by itself, happens. */
  settle(): void {
    for (let moves = 0; moves < 10_000; moves += 1) {
      if ([...this.workers.keys()].some((worker) => this.answer(worker))) continue;
      for (const worker of this.hung.splice(0)) this.die(worker);
      if (!this.world.step()) return;
    }
    assert.fail('never comes to rest');
  }

  /** Each object has one version on all workers that are not half way through a commit. */
  check(): void {
    const context = this.rig.system.describe(ROLLOUT) as {
      workers: readonly number[];
      waiting: readonly number[];
    };
    if (this.rig.system.state(ROLLOUT) === 'committing') return;
    for (const worker of context.workers)
      assert.deepEqual(
        [...(this.workers.get(worker)?.inUse ?? this.store.serving)].sort(),
        [...this.store.serving].sort(),
      );
  }

  get wished(): ReadonlyMap<ResourceKey, Resource> {
    return this.#wished;
  }

  #refused(worker: number): ReadonlySet<string> {
    return this.refusals.get(worker) ?? new Set();
  }

  #others(worker: number): boolean {
    const { workers } = this.rig.system.describe(ROLLOUT) as { workers: readonly number[] };
    return workers.some((one) => one !== worker);
  }

  #bindings() {
    const later = (scope: EffectScope, number: number, run: (worker: ModelWorker) => Event) => {
      const worker = this.workers.get(number);
      worker?.answers.push(() => {
        let answer: Event;
        try {
          answer = run(worker);
        } catch (error) {
          if (!(error instanceof Poison)) throw error;
          if (this.#others(number)) this.ended.push(error.doing);
          this.die(number, error.doing);
          return;
        }
        scope.reply(answer);
      });
    };
    return {
      takeChanges: () => this.store.take(),
      returnChanges: () => this.store.giveBack(),
      prepareWorkers: ({ rollout, workers }: { rollout: number; workers: number[] }, scope: EffectScope) => {
        const changes = this.store.difference();
        for (const worker of workers)
          later(scope, worker, (model) => ({
            type: 'worker.prepared',
            worker,
            rollout,
            failures: [...this.store.leftOut, ...model.prepare(changes, this.#refused(worker))],
          }));
      },
      commitWorkers: (
        { rollout, workers, rejected }: { rollout: number; workers: number[]; rejected: string[] },
        scope: EffectScope,
      ) => {
        for (const worker of workers)
          later(scope, worker, (model) => {
            model.commit(rejected);
            return { type: 'worker.committed', worker, rollout };
          });
      },
      fitWorkers: ({ load, workers }: { load: number; workers: number[] }, scope: EffectScope) => {
        const changes = this.store.whole();
        for (const worker of workers)
          later(scope, worker, (model) => {
            const failures = model.prepare(changes, this.#refused(worker));
            return { type: 'worker.fitted', worker, load, failures };
          });
      },
      loadWorkers: (
        { load, workers, rejected }: { load: number; workers: number[]; rejected: string[] },
        scope: EffectScope,
      ) => {
        for (const worker of workers)
          later(scope, worker, (model) => {
            model.commit(rejected);
            return { type: 'worker.loaded', worker, load };
          });
      },
      refuseWorkers: ({ workers }: { workers: { worker: number }[] }) =>
        void this.hung.push(...workers.map(({ worker }) => worker)),
      putAside: ({ failure: { key, ...failure } }: { failure: ObjectFailure }) =>
        this.store.putAside(key === '' ? null : key, failure),
      loseObjects: ({ failures }: { failures: ObjectFailure[] }) => this.store.lose(failures),
      settle: ({ rollout, failures }: { rollout: number; failures: ObjectFailure[] }) => ({
        type: 'rollout.settled',
        rollout,
        more: this.store.holdsBack,
        standing: this.store.settle(failures),
      }),
      noteFailures: ({ failures }: { failures: ObjectFailure[] }) => this.store.note(failures),
      stageRetries: () => this.store.stageRetries(),
      reportHung: ({ workers }: { workers: number[] }) => void this.hung.push(...workers),
      tellStream: ({ failures }: { failures: readonly ObjectFailure[] }) => void this.told.push(failures),
    };
  }
}

const move = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('wish' as const),
      object: fc.nat(OBJECTS - 1),
      version: fc.option(fc.nat(9)),
    }),
  },
  { weight: 8, arbitrary: fc.record({ do: fc.constant('answer' as const), worker: fc.nat(2) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('join' as const), worker: fc.nat(2) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('die' as const), worker: fc.nat(2) }) },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('refuse' as const),
      worker: fc.nat(2),
      object: fc.nat(OBJECTS - 1),
      yes: fc.boolean(),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('wait' as const), ms: fc.nat(2_000) }) },
);

test('an object version is in use on all workers or on none, through refusals, deaths and silence', () => {
  fc.assert(
    fc.property(fc.array(move, { maxLength: 60 }), (moves) => {
      const node = new Node();
      node.join(0);
      node.join(1);
      for (const step of moves) {
        switch (step.do) {
          case 'wish':
            node.wish(step.object, step.version);
            break;
          case 'answer':
            node.answer(step.worker);
            break;
          case 'join':
            node.join(step.worker);
            break;
          case 'die':
            node.die(step.worker);
            break;
          case 'wait':
            node.world.advance(step.ms);
            for (const worker of node.hung.splice(0)) node.die(worker);
            break;
          case 'refuse': {
            const set = node.refusals.get(step.worker) ?? new Set<string>();
            node.refusals.set(step.worker, set);
            const key = `route/test/o${step.object}`;
            if (step.yes) set.add(key);
            else set.delete(key);
            break;
          }
        }
        node.check();
      }
      // Healing: nobody refuses any more, and the world goes on.
      node.refusals.clear();
      for (let again = 0; again < 10; again += 1) {
        node.join(0);
        node.join(1);
        node.settle();
      }
      node.check();
      const good = [...node.wished].filter(([, resource]) => !isPoison(resource));
      const last = new Map(node.store.serving);
      for (const [key] of node.wished) if (!good.some(([each]) => each === key)) last.delete(key);
      assert.deepEqual([...last].sort(), good.sort(), 'all that can be served serves, nothing else');
      assert.ok(![...node.store.serving.values()].some((resource) => isPoison(resource)));
      assert.deepEqual(
        node.store.failures.map(({ key, reason }) => [key, reason]).sort(),
        [...node.wished]
          .filter(([, resource]) => isPoison(resource))
          .map(([key]) => [key, 'CrashedWorker'])
          .sort(),
      );
      assert.deepEqual(
        node.rig.notices.filter((notice) => notice.type !== 'undeliverable'),
        [],
      );
    }),
    { numRuns: 500 },
  );
});

test('a refused object keeps its last version, is reported with its reason, and heals by itself', () => {
  const node = new Node();
  node.join(0);
  node.join(1);
  node.wish(0, 1);
  node.settle();
  node.refusals.set(1, new Set(['route/test/o0']));
  node.wish(0, 2);
  node.wish(1, 1);
  for (let turn = 0; turn < 20; turn += 1) {
    node.answer(0);
    node.answer(1);
  }
  assert.deepEqual(node.store.serving.get('route/test/o0'), route('o0', 1));
  assert.deepEqual(node.store.serving.get('route/test/o1'), route('o1', 1));
  assert.deepEqual(
    node.told.at(-1)!.map(({ key, reason }) => [key, reason]),
    [['route/test/o0', 'AddressInUse']],
  );
  node.refusals.clear();
  node.settle();
  assert.deepEqual(node.store.serving.get('route/test/o0'), route('o0', 2));
  assert.deepEqual(node.told.at(-1), []);
});

test('a worker that does not answer is given up after the timeout, and the others go on', () => {
  const node = new Node();
  node.join(0);
  node.join(1);
  while (node.answer(0) || node.answer(1));
  node.wish(0, 1);
  node.answer(0);
  assert.equal(node.rig.system.state(ROLLOUT), 'preparing');
  node.world.advance(1_000);
  assert.deepEqual(node.hung, [1]);
  node.answer(0);
  assert.equal(node.rig.system.state(ROLLOUT), 'idle');
  assert.deepEqual([...node.store.serving.keys()], ['route/test/o0']);
});

test('an object that ends a worker ends no other, is left out with its reason, and comes back when it changes', () => {
  for (const version of [7, 8]) {
    const node = new Node();
    for (const worker of [0, 1, 2]) node.join(worker);
    node.wish(0, 1);
    node.settle();
    node.wish(0, version);
    node.wish(1, 1);
    node.settle();
    assert.deepEqual(node.ended, [`${POISON[version as 7 | 8]} route/test/o0`]);
    assert.equal(node.workers.size, 2);
    assert.deepEqual(
      node.store.serving.get('route/test/o0'),
      route('o0', 1),
      'the last good version serves on',
    );
    assert.deepEqual(node.store.serving.get('route/test/o1'), route('o1', 1), 'its neighbour goes into use');
    assert.deepEqual(
      node.store.failures.map(({ key, reason }) => [key, reason]),
      [['route/test/o0', 'CrashedWorker']],
    );
    for (const worker of [0, 1, 2]) node.join(worker);
    node.wish(1, 2);
    node.settle();
    assert.equal(node.workers.size, 3, 'what is left out is not tried again');
    node.wish(0, 2);
    node.settle();
    assert.deepEqual(node.store.serving.get('route/test/o0'), route('o0', 2));
    assert.deepEqual(node.store.failures, []);
  }
});

test('a worker that cannot take what others serve does not serve beside them', () => {
  const node = new Node();
  node.join(0);
  node.wish(0, 1);
  node.settle();
  node.refusals.set(1, new Set(['route/test/o0']));
  node.join(1);
  node.settle();
  assert.deepEqual([...node.workers.keys()], [0]);
  assert.deepEqual(node.store.failures, [], 'it says nothing about the object');
  node.refusals.clear();
  node.join(1);
  node.settle();
  assert.deepEqual([...node.workers.keys()], [0, 1]);
  node.check();
});

for (const phase of ['prepare', 'commit'] as const)
  test(`where nobody serves it, what ends a worker at the ${phase} of what is in use is left out until it changes`, () => {
    const node = new Node();
    node.join(0);
    node.wish(0, 1);
    node.wish(1, 1);
    node.settle();
    node.die(0);
    node.deadly.set('route/test/o0', phase);
    let joined = 0;
    // Each worker that ends is replaced, as its supervisor does; twice is what two that were asked at once can cost.
    while (node.workers.size < 2 && joined < 4) {
      for (const worker of [0, 1])
        if (!node.workers.has(worker)) {
          node.join(worker);
          joined += 1;
        }
      while (node.answer(0) || node.answer(1));
    }
    node.settle();
    assert.equal(node.workers.size, 2, 'no crash loop');
    node.check();
    assert.deepEqual([...node.store.serving.keys()], ['route/test/o1']);
    assert.deepEqual(
      node.store.failures.map(({ key, reason }) => [key, reason]),
      [['route/test/o0', 'CrashedWorker']],
    );
    node.deadly.clear();
    node.wish(0, 2);
    node.settle();
    assert.equal(node.store.serving.size, 2);
    assert.deepEqual(node.store.failures, []);
  });

test('where nobody serves it, what a joining worker cannot take is in use nowhere until it can be', () => {
  const node = new Node();
  node.join(0);
  node.wish(0, 1);
  node.wish(1, 1);
  node.settle();
  node.die(0);
  for (const worker of [0, 1]) {
    node.refusals.set(worker, new Set(['route/test/o0']));
    node.join(worker);
  }
  while (node.answer(0) || node.answer(1));
  node.check();
  assert.deepEqual([...node.store.serving.keys()], ['route/test/o1']);
  assert.deepEqual([...node.workers.keys()], [0, 1]);
  node.refusals.clear();
  node.settle();
  assert.equal(node.store.serving.size, 2);
  assert.deepEqual(node.store.failures, []);
});
