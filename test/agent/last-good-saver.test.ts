import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ConfigurationStore } from '../../src/agent/configuration-store.ts';
import type { LastGoodFile } from '../../src/agent/last-good.ts';
import { LastGoodSaver } from '../../src/agent/last-good-saver.ts';
import type { Resource } from '../../src/model/resource.ts';
import { resourceKey } from '../../src/model/resource.ts';
import type { SnapshotVersion } from '../../src/model/snapshot.ts';
import { SnapshotDigest } from '../../src/wire/snapshot/digest.ts';
import { encodeResource } from '../../src/wire/snapshot/resource.ts';
import { SteppingWorld } from '../supervisors/stepping-world.ts';
import { route } from './harness.ts';

/** A saver over a disk that answers when, and how, the test says. */
class Rig {
  readonly world = new SteppingWorld();
  readonly store = new ConfigurationStore();
  readonly failures: string[] = [];
  onDisk: SnapshotVersion = '';
  refusing = false;
  readonly underWay: (() => void)[] = [];
  readonly saver = new LastGoodSaver({
    store: this.store,
    file: this.#file(),
    world: this.world,
    onFailure: (error) => this.failures.push(error.message),
  });

  serve(...resources: Resource[]): SnapshotVersion {
    const digest = new SnapshotDigest();
    for (const resource of resources) digest.set(resourceKey(resource), encodeResource(resource));
    const version = digest.version();
    assert.ok(this.store.stage({ base: '', version, upserts: resources, removals: [] }).ok);
    this.store.take();
    this.store.settle([]);
    this.saver.changed();
    return version;
  }

  /** Runs timers, and lets the disk answer what it was asked. */
  async settle(steps = 20): Promise<void> {
    for (let step = 0; step < steps; step += 1) {
      this.world.step();
      for (const answer of this.underWay.splice(0)) answer();
      await new Promise(setImmediate);
    }
  }

  #file(): LastGoodFile {
    return {
      load: async () => ({ ok: false, reason: '', missing: true }),
      save: (_, version) =>
        new Promise((resolve, reject) => {
          this.underWay.push(() => {
            if (this.refusing) return reject(new Error('ENOSPC'));
            this.onDisk = version;
            resolve();
          });
        }),
    };
  }
}

test('a disk that refused is asked again, until it takes what serves', async () => {
  const rig = new Rig();
  rig.refusing = true;
  const version = rig.serve(route('a', 1));
  await rig.settle(5);
  assert.ok(rig.failures.length >= 3, `${rig.failures.length} attempts`);
  assert.ok(rig.world.now() > 1_000, 'and not all at once');
  rig.refusing = false;
  await rig.settle();
  assert.equal(rig.onDisk, version);
  assert.equal(rig.world.pending, 0, 'nothing goes on after that');
});

test('what comes back while something else is being written is written again', async () => {
  const rig = new Rig();
  const first = rig.serve(route('a', 1));
  await rig.settle();
  assert.equal(rig.onDisk, first);
  rig.serve(route('a', 2));
  rig.world.step();
  assert.equal(rig.underWay.length, 1, 'the second is being written');
  assert.equal(rig.serve(route('a', 1)), first);
  await rig.settle();
  assert.equal(rig.onDisk, first);
});

test('a save that is asked for while it is under way waits for it', async () => {
  const rig = new Rig();
  const version = rig.serve(route('a', 1));
  rig.world.step();
  let saved = false;
  const save = rig.saver.save().then(() => {
    saved = true;
  });
  await new Promise(setImmediate);
  assert.equal(saved, false);
  assert.equal(rig.underWay.length, 1);
  await rig.settle();
  await save;
  assert.equal(rig.onDisk, version);
});
