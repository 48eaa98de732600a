import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Replayer } from '../../src/cli/replay/replayer.ts';
import { checksum } from '../../src/os/journal-file.ts';
import type { Step } from '../../supervisors/behavior.ts';
import { BEHAVIORS } from '../../supervisors/behaviors.ts';
import { Journal } from '../../supervisors/journal.ts';
import { decodeJournal } from '../../supervisors/journal-line.ts';
import type { JournalRecord } from '../../supervisors/record.ts';
import { supervisorBehavior } from '../../supervisors/supervisor.ts';
import { ActorSystem } from '../../supervisors/system.ts';
import { TREE } from '../../supervisors/tree.ts';
import { SteppingWorld } from './stepping-world.ts';

const child = fc.constantFrom('n/main/listener/a', 'n/main/listener/b', 'n/main/listener/c');
const supervisorEvent = fc.oneof(
  fc.record({
    type: fc.constant('child.start'),
    children: fc.array(
      fc.record({
        child,
        restart: fc.constantFrom('permanent', 'transient', 'temporary'),
        stopMs: fc.constantFrom(null, 100),
      }),
      { maxLength: 3 },
    ),
  }),
  fc.record({
    type: fc.constant('child.exited'),
    child,
    outcome: fc.constantFrom('normal', 'abnormal'),
    reason: fc.constant('r'),
    at: fc.nat(1_000),
    draw: fc.double({ min: 0, max: 0.99, noNaN: true }),
  }),
  fc.record({
    type: fc.constant('timer.fired'),
    timer: fc.tuple(fc.constantFrom('restart', 'kill'), child).map((parts) => parts.join(':')),
  }),
  fc.record({ type: fc.constant('stop') }),
);

test('supervisor: a checkpoint after any events and a replay of the rest is the same as a replay of the whole', () => {
  fc.assert(
    fc.property(
      fc.constantFrom('one-for-one', 'one-for-all', 'rest-for-one'),
      fc.array(supervisorEvent, { maxLength: 30 }),
      fc.nat(30),
      (strategy, events, cut) => {
        const { intensity, backoff } = TREE.dataplane.children[0];
        let whole = supervisorBehavior.start({
          policy: { strategy, intensity, backoff },
          many: strategy === 'one-for-one',
          children: [],
        });
        let resumed: Step | null = null;
        for (const [index, event] of events.entries()) {
          if (whole.ended !== null) return;
          if (index === cut) {
            const memory: unknown = JSON.parse(JSON.stringify(supervisorBehavior.save(whole.snapshot)));
            resumed = { ...whole, snapshot: supervisorBehavior.restore(memory) };
          }
          whole = supervisorBehavior.receive(whole.snapshot, event);
          if (resumed === null) continue;
          resumed = supervisorBehavior.receive(resumed.snapshot, event);
          const shown = ({ snapshot, ...rest }: Step) => ({
            ...rest,
            memory: supervisorBehavior.save(snapshot),
          });
          assert.deepEqual(shown(resumed), shown(whole));
        }
      },
    ),
    { numRuns: 500 },
  );
});

const CLUSTERS = 40;

/** Pools and breakers as they come, flap and go, in files of a few thousand bytes. */
function run(steps: readonly { readonly cluster: number; readonly what: number; readonly ms: number }[]) {
  const world = new SteppingWorld();
  const files = [''];
  const journal = new Journal({
    writer: {
      run: 1,
      write: (lines) => {
        files[files.length - 1] += lines;
      },
      isFull: (checkpointBytes) => files.at(-1)!.length > Math.max(8_000, 2 * checkpointBytes),
      next: () => void files.push(''),
    },
    checksum,
    now: () => world.now(),
    after: (ms, callback) => world.after(ms, callback),
    checkpoint: (most) => system.checkpoint(most),
  });
  const quiet = {
    openPool: () => undefined,
    drainPool: () => undefined,
    ejectEndpoint: () => undefined,
    restoreEndpoint: () => undefined,
    closePool: () => ({ type: 'pool.closed', cut: 0 }),
  };
  const system: ActorSystem = new ActorSystem({
    node: 'n',
    thread: 'main',
    world,
    behaviors: BEHAVIORS,
    bindings: { 'circuit-breaker': {}, 'upstream-pool': quiet },
    journal,
    onNotice: () => {},
    forward: () => {},
  });
  const pool = (name: number) => `n/main/upstream-pool/c${name}`;
  const breaker = (name: number) => `n/main/circuit-breaker/c${name}`;
  const ensure = (name: number) => {
    const cluster = { name: `c${name}`, lbPolicy: 'RoundRobin', maxConnections: 1 };
    if (!system.has(pool(name)))
      system.start({
        address: pool(name),
        kind: 'upstream-pool',
        parent: null,
        input: { cluster, limitSlot: name, drainTimeoutMs: 50 },
      });
    if (!system.has(breaker(name)))
      system.start({
        address: breaker(name),
        kind: 'circuit-breaker',
        parent: null,
        input: { cluster: cluster.name },
      });
  };
  for (let name = 0; name < CLUSTERS; name += 1) ensure(name);
  for (const { cluster, what, ms } of steps) {
    ensure(cluster);
    const failing = { type: 'endpoint.failing', endpoint: 'e', reason: 'refused', failures: 3 };
    if (what < 4) system.send(pool(cluster), failing);
    else if (what < 8)
      system.send(breaker(cluster), { type: 'limit.reached', limit: 'maxConnections' } as never);
    else if (what === 8) system.send(pool(cluster), { type: 'stop' });
    else system.kill(breaker(cluster));
    world.advance(ms);
  }
  // A file may have begun with the last event: the rest of its checkpoints.
  while (system.checkpoint(100));
  journal.flush();
  return files;
}

test('a replay can begin at any file: nothing is uncompared, nothing differs, and it ends where the whole ends', () => {
  const step = fc.record({
    cluster: fc.nat(CLUSTERS - 1),
    what: fc.nat(9),
    ms: fc.constantFrom(0, 0, 0, 1, 30, 2_000),
  });
  let most = 0;
  fc.assert(
    fc.property(fc.array(step, { minLength: 100, maxLength: 300 }), (steps) => {
      const files = run(steps);
      most = Math.max(most, files.length);
      const parts = files.map((text) => decodeJournal(text, checksum));
      for (const { damage } of parts) assert.deepEqual(damage, []);
      const replay = (records: readonly JournalRecord[]) => {
        const replayer = new Replayer(BEHAVIORS);
        for (const record of records) replayer.feed(record);
        assert.deepEqual(replayer.differences, []);
        assert.deepEqual([replayer.uncompared, replayer.missing, replayer.unfinished], [0, 0, 0]);
        return replayer.actors().map(({ events: _counted, ...actor }) => actor);
      };
      const whole = replay(parts.flatMap(({ records }) => records));
      for (const index of parts.keys())
        assert.deepEqual(replay(parts.slice(index).flatMap(({ records }) => records)), whole);
    }),
    { numRuns: 60, endOnFailure: true },
  );
  assert.ok(most > 3, `only ${most} files`);
});

test('the checkpoints of 20,000 actors are written in small pieces', () => {
  const world = new SteppingWorld();
  const writes: number[] = [];
  let full = false;
  const journal = new Journal({
    writer: {
      run: 1,
      write: (lines) => void writes.push(lines.length),
      isFull: () => full,
      next: () => {
        full = false;
      },
    },
    checksum,
    now: () => world.now(),
    after: (ms, callback) => world.after(ms, callback),
    checkpoint: (most) => system.checkpoint(most),
  });
  const system: ActorSystem = new ActorSystem({
    node: 'n',
    thread: 'main',
    world,
    behaviors: BEHAVIORS,
    bindings: {},
    journal,
    onNotice: () => {},
    forward: () => {},
  });
  for (let name = 0; name < 20_000; name += 1)
    system.start({
      address: `n/main/circuit-breaker/${name}`,
      kind: 'circuit-breaker',
      parent: null,
      input: { cluster: String(name) },
    });
  journal.flush();
  full = true;
  const before = writes.length;
  system.send('n/main/circuit-breaker/7', { type: 'limit.reached', limit: 'maxConnections' } as never);
  world.advance(20_000);
  const rolled = writes.slice(before);
  assert.ok(rolled.length > 150, `${rolled.length} writes`);
  assert.ok(Math.max(...rolled) < 128 * 1_024, `${Math.max(...rolled)} bytes at once`);
  assert.equal(world.pending, 0);
});

test('events that fill a file before its checkpoints are written do not keep it from ending', () => {
  const sizes = [0];
  const journal = new Journal({
    writer: {
      run: 1,
      write: (lines) => {
        sizes[sizes.length - 1]! += lines.length;
      },
      isFull: (checkpointBytes) => sizes.at(-1)! > Math.max(500_000, 2 * checkpointBytes),
      next: () => void sizes.push(0),
    },
    checksum,
    // No timer ever fires: the thread is never idle.
    now: () => 0,
    after: () => () => {},
    checkpoint: (most) => system.checkpoint(most),
  });
  const system: ActorSystem = new ActorSystem({
    node: 'n',
    thread: 'main',
    world: new SteppingWorld(),
    behaviors: BEHAVIORS,
    bindings: {},
    journal,
    onNotice: () => {},
    forward: () => {},
  });
  const address = (name: number) => `n/main/circuit-breaker/${name}`;
  for (let name = 0; name < 3_000; name += 1)
    system.start({
      address: address(name),
      kind: 'circuit-breaker',
      parent: null,
      input: { cluster: String(name) },
    });
  for (let count = 0; count < 40_000; count += 1)
    system.send(address(7), {
      type: count % 2 === 0 ? 'limit.reached' : 'limit.cleared',
      limit: 'maxConnections',
    } as never);
  journal.flush();
  assert.ok(sizes.length > 3, `${sizes.length} files`);
  assert.ok(Math.max(...sizes) < 5_000_000, `${Math.max(...sizes)} bytes in one file`);
});
