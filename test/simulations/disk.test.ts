import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { SteppingClock } from '../../simulations/clock.ts';
import { Prng } from '../../simulations/prng.ts';
import { SimulatedDisk } from '../../simulations/world/disk.ts';
import { plantOnDisk } from '../../simulations/world/planted.ts';
import { lastGoodFile } from '../../src/agent/last-good.ts';
import type { Resource } from '../../src/model/resource.ts';
import { resourceKey } from '../../src/model/resource.ts';
import { writeFileAtomically } from '../../src/os/atomic-file.ts';
import type { Files } from '../../src/os/files.ts';
import { Turns } from '../../src/os/turns.ts';
import { SnapshotDigest } from '../../src/wire/snapshot/digest.ts';
import { encodeResource } from '../../src/wire/snapshot/resource.ts';

const turns = () => new Turns(Number.POSITIVE_INFINITY);

function snapshot(name: string) {
  const resource: Resource = {
    kind: 'gateway',
    value: { name: `shop/${name}`, ingressClassName: '', vip: '' },
  };
  const digest = new SnapshotDigest();
  digest.set(resourceKey(resource), encodeResource(resource));
  return { resources: new Map([[resourceKey(resource), resource]]), version: digest.version() };
}

type Ending = 'kill' | 'power';

/** A disk, and the process that uses it until it dies. */
class Rig {
  readonly clock = new SteppingClock();
  readonly disk: SimulatedDisk;
  readonly #wrap: (files: Files) => Files;

  constructor(seed: string, wrap: (files: Files) => Files = (files) => files) {
    this.disk = new SimulatedDisk({
      prng: new Prng(seed),
      after: (ms, callback) => this.clock.after(ms, callback),
    });
    this.#wrap = wrap;
  }

  boot() {
    return lastGoodFile('/data', { files: this.#wrap(this.disk.mount()), turns });
  }

  async steps(count: number): Promise<number> {
    for (let step = 0; step < count; step += 1) {
      await new Promise(setImmediate);
      if (!this.clock.step()) return step;
    }
    await new Promise(setImmediate);
    return count;
  }

  async finish<T>(work: Promise<T>): Promise<T> {
    work.catch(() => {});
    await this.steps(Number.POSITIVE_INFINITY);
    return work;
  }

  end(how: Ending): void {
    if (how === 'kill') this.disk.kill();
    else this.disk.losePower();
  }
}

/** Saves `a` and `b`, is ended after `point` steps of the save of `c`, and says what the next start reads. */
async function crashedAt(
  point: number,
  ending: Ending,
  rig: Rig,
): Promise<{ version: string | null; over: boolean }> {
  const file = rig.boot();
  await rig.finish(file.load());
  for (const name of ['a', 'b']) {
    const { resources, version } = snapshot(name);
    await rig.finish(file.save(resources, version));
  }
  const { resources, version } = snapshot('c');
  let over = false;
  void file.save(resources, version).then(() => {
    over = true;
  });
  await rig.steps(point);
  rig.end(ending);
  const loaded = await rig.finish(rig.boot().load());
  return { version: loaded.ok ? loaded.version : null, over };
}

test('a crash at every point of a save leaves the old last good or the new one, whole', async (t) => {
  const old = snapshot('b').version;
  const fresh = snapshot('c').version;
  let points = 0;
  const read = { old: 0, new: 0 };
  for (const ending of ['kill', 'power'] as const)
    for (let point = 0, over = false; !over; point += 1)
      for (let draw = 0; draw < 30; draw += 1) {
        const outcome = await crashedAt(point, ending, new Rig(`${ending} ${point} ${draw}`));
        over = outcome.over;
        points += 1;
        const where = `${ending} after ${point} steps, draw ${draw}`;
        assert.ok(outcome.version === old || outcome.version === fresh, `${where}: ${outcome.version}`);
        if (outcome.over) assert.equal(outcome.version, fresh, `${where}: it said that it was saved`);
        read[outcome.version === old ? 'old' : 'new'] += 1;
      }
  t.diagnostic(`${points} crashes: ${read.old} read the old one, ${read.new} the new one`);
  assert.ok(read.old > 0 && read.new > 0);
});

for (const bug of ['save-without-sync', 'save-in-place'] as const)
  test(`the same crashes find the planted bug ${bug}`, async () => {
    const wrap = (files: Files) => plantOnDisk(bug, files);
    const versions = new Set<string | null>();
    for (let point = 0, over = false; !over; point += 1)
      for (let draw = 0; draw < 30; draw += 1) {
        const outcome = await crashedAt(point, 'power', new Rig(`${point} ${draw}`, wrap));
        over = outcome.over;
        versions.add(outcome.version);
      }
    const allowed = [snapshot('b').version, snapshot('c').version];
    assert.ok([...versions].some((version) => version === null || !allowed.includes(version)));
  });

const life = fc.record({
  saves: fc.integer({ min: 0, max: 3 }),
  /** Steps after the last save was asked for. */
  steps: fc.integer({ min: 0, max: 14 }),
  ending: fc.constantFrom<Ending>('kill', 'power'),
  errors: fc.constantFrom(0, 0, 0.2, 0.5),
  full: fc.boolean(),
  /** Damage of the newest file while nothing runs. */
  rot: fc.boolean(),
});

test('through any lives, refusals and damage of the newest file, a restart reads something that may be there', async () => {
  await fc.assert(
    fc.asyncProperty(fc.string(), fc.array(life, { minLength: 1, maxLength: 6 }), async (seed, lives) => {
      const rig = new Rig(seed);
      /** What may be read: the last save that was done, and what was asked for since; null: nothing. */
      let possible = new Set<string | null>([null]);
      /** And what a damaged file falls back to. */
      const before = new Set<string>();
      let number = 0;
      for (const { saves, steps, ending, errors, full, rot } of lives) {
        rig.disk.heal();
        const file = rig.boot();
        const loaded = await rig.finish(file.load());
        const read = loaded.ok ? loaded.version : null;
        assert.ok(
          possible.has(read) || (read !== null && before.has(read)),
          loaded.ok ? `read ${read}` : loaded.reason,
        );
        rig.disk.faults.errors = errors;
        rig.disk.faults.full = full;
        for (let save = 0; save < saves; save += 1) {
          number += 1;
          const { resources, version } = snapshot(`s${number}`);
          const saved = file.save(resources, version).then(
            () => {
              possible = new Set([version]);
            },
            () => {},
          );
          possible.add(version);
          if (save < saves - 1) await rig.finish(saved);
        }
        await rig.steps(steps);
        rig.end(ending);
        // Before the second save there is nothing to fall back to.
        if (rot && possible.size === 1 && rig.disk.paths.includes('/data/last-good.snapshot.previous')) {
          rig.disk.rot('/data/last-good.snapshot');
          for (let older = 1; older < number; older += 1) before.add(snapshot(`s${older}`).version);
        }
      }
    }),
    { numRuns: 300 },
  );
});

test('a directory that had to be made outlives a loss of power with the file in it', async () => {
  for (let draw = 0; draw < 50; draw += 1) {
    const rig = new Rig(String(draw));
    const file = lastGoodFile('/var/lib/edge', { files: rig.disk.mount(), turns });
    const { resources, version } = snapshot('a');
    await rig.finish(file.save(resources, version));
    rig.disk.losePower();
    const loaded = await rig.finish(lastGoodFile('/var/lib/edge', { files: rig.disk.mount(), turns }).load());
    assert.ok(loaded.ok && loaded.version === version, `draw ${draw}`);
  }
});

test('a disk that refuses leaves no half-written file behind, and the first refusal is the one told', async () => {
  const rig = new Rig('full');
  const files = rig.disk.mount();
  const write = (text: string) =>
    rig.finish(writeFileAtomically('/data/file', [Buffer.from(text)], { mode: 0o600 }, files));
  await write('one');
  rig.disk.faults.full = true;
  await assert.rejects(write('two'), { code: 'ENOSPC' });
  assert.deepEqual(rig.disk.paths, ['/data/file']);
  rig.disk.heal();
  await write('three');
  assert.equal((await rig.finish(files.read('/data/file'))).toString(), 'three');
});
