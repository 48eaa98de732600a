import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SCRIPTS } from './scripts.ts';
import { REAL, simulated } from './stage.ts';

const SEEDS = 12;

/** The same scripts on the sockets of this machine and on simulated ones: whoever is above sees the same. */
for (const { name, play } of SCRIPTS)
  test(`real and simulated sockets agree: ${name}`, { timeout: 60_000 }, async () => {
    const real = await play(REAL);
    for (let seed = 0; seed < SEEDS; seed += 1) {
      const found: string[] = [];
      const style = {
        latencyMs: [0, 1, 10][seed % 3]!,
        jitterMs: [0, 5][seed % 2]!,
        loss: seed % 4 === 3 ? 0.1 : 0,
        tearing: seed % 4 === 1 ? 0.8 : 0,
      };
      const seen = await play(simulated(seed, style, (what) => found.push(what)));
      assert.deepEqual(seen, real, `seed ${seed}`);
      assert.deepEqual(found, []);
    }
  });
