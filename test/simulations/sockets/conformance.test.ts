import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { MOMENTS } from './moments.ts';
import type { Script } from './script.ts';
import { SCRIPTS, STARVED } from './scripts.ts';
import { REAL, simulated } from './stage.ts';

const SEEDS = 12;
/** Enough for Node and the script. */
const DESCRIPTORS = 100;

/** An owner hears of the end and of the close once at most, and of nothing after the close. */
function orderly(seen: unknown): void {
  for (const account of Object.values(seen as object)) {
    if (!Array.isArray(account)) continue;
    const heard = (account as unknown[]).filter((line) =>
      /^(end|writable|connect|closed( \w+)?)$/.test(`${line}`),
    );
    for (const once of [/^end/, /^connect/, /^closed/])
      assert.ok(heard.filter((line) => once.test(`${line}`)).length <= 1, `${once} twice: ${account}`);
    const closed = heard.findIndex((line) => /^closed/.test(`${line}`));
    assert.ok(closed === -1 || closed === heard.length - 1, `something after the close: ${account}`);
  }
}

/** The same on simulated sockets, on several networks. */
async function compare({ play }: Script, real: unknown): Promise<void> {
  for (let seed = 0; seed < SEEDS; seed += 1) {
    const found: string[] = [];
    const style = {
      latencyMs: [0, 1, 10][seed % 3]!,
      jitterMs: [0, 5][seed % 2]!,
      loss: seed % 4 === 3 ? 0.1 : 0,
      tearing: seed % 4 === 1 ? 0.8 : 0,
    };
    orderly(real);
    const seen = await play(simulated(seed, style, (what) => found.push(what)));
    assert.deepEqual(seen, real, `seed ${seed}`);
    assert.deepEqual(found, []);
  }
}

for (const script of [...SCRIPTS, ...MOMENTS])
  test(`real and simulated sockets agree: ${script.name}`, { timeout: 60_000 }, async () =>
    compare(script, await script.play(REAL)),
  );

test(`real and simulated sockets agree: ${STARVED.name}`, { timeout: 60_000 }, async () => {
  const command = `ulimit -n ${DESCRIPTORS} && exec "$0" "$1"`;
  const script = fileURLToPath(new URL('./starved.ts', import.meta.url));
  const { stdout } = await promisify(execFile)('sh', ['-c', command, process.execPath, script]);
  await compare(STARVED, JSON.parse(stdout));
});
